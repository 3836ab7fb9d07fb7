using System.Diagnostics;
using System.Text.Json;
using System.Xml.Linq;
using Bulwark.Tests;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>Outside judges of the gateway's TLS: sslscan; and testssl, which takes a minute of processor time.</summary>
public class TlsScanTests
{
    /// <summary>Findings that follow from a private authority: nobody else trusts it, and it publishes nothing for the world.</summary>
    private static readonly string[] s_private = ["cert_chain_of_trust", "cert_revocation", "cert_expirationStatus", "cert_notAfter"];

    [Fact]
    public async Task A_scanner_finds_tls_1_3_with_256_bit_suites_and_nothing_else()
    {
        Require("sslscan");
        using var world = await GatewayWorld.CreateAsync();
        await using var host = await world.StartAsync();
        var scan = XDocument.Parse(await RunAsync("sslscan", "--no-colour", "--xml=-", $"127.0.0.1:{host.BaseAddress.Port}")).Descendants("ssltest").Single();
        Assert.Equal(["1.3"], scan.Elements("protocol").Where(protocol => (string?)protocol.Attribute("enabled") == "1").Select(protocol => (string)protocol.Attribute("version")!));
        var ciphers = scan.Elements("cipher").ToArray();
        Assert.All(ciphers, cipher => Assert.Contains((string)cipher.Attribute("cipher")!, (string[])["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]));
        Assert.Equal("TLS_AES_256_GCM_SHA384", (string?)ciphers.Single(cipher => (string?)cipher.Attribute("status") == "preferred").Attribute("cipher"));
        Assert.DoesNotContain(scan.Elements("renegotiation"), answer => (string?)answer.Attribute("supported") == "1" && (string?)answer.Attribute("secure") != "1");
        Assert.DoesNotContain(scan.Elements("compression"), answer => (string?)answer.Attribute("supported") == "1");
        Assert.DoesNotContain(scan.Elements("heartbleed"), answer => (string?)answer.Attribute("vulnerable") == "1");
        Assert.All(scan.Elements("group"), group => Assert.True((int)group.Attribute("bits")! >= 112, group.ToString()));
        Assert.All(scan.Descendants("signature-algorithm"), algorithm => Assert.DoesNotContain("sha1", algorithm.Value, StringComparison.OrdinalIgnoreCase));
        Assert.All(scan.Descendants("pk"), key => Assert.True((string?)key.Attribute("type") == "EC" && (int)key.Attribute("bits")! >= 128, key.ToString()));
        Assert.All(scan.Descendants("expired"), expired => Assert.Equal("false", expired.Value));
    }

    /// <summary>What it says of the certificate's being a private authority's, and short-lived, is so on purpose; of a web page's headers, that this is no web page.</summary>
    [Fact]
    public async Task Testssl_finds_nothing_above_low_but_the_private_authority()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("BULWARK_LONG_TESTS") == "1", "Takes a minute of processor time: set BULWARK_LONG_TESTS=1.");
        Require("testssl");
        using var world = await GatewayWorld.CreateAsync();
        await using var host = await world.StartAsync();
        using var folder = new TemporaryFolder();
        var report = folder["report.json"];
        await RunAsync("testssl", "--warnings", "batch", "--quiet", "--color", "0", "--ip", "one", "-p", "-s", "-f", "-P", "-S", "-U", "--jsonfile", report, $"127.0.0.1:{host.BaseAddress.Port}");
        var findings = JsonDocument.Parse(await File.ReadAllTextAsync(report, GatewayWorld.Cancel)).RootElement.EnumerateArray()
            .Select(finding => (Id: finding.GetProperty("id").GetString()!, Severity: finding.GetProperty("severity").GetString(), Text: finding.ToString())).ToArray();
        Assert.Contains(findings, finding => finding is { Id: "TLS1_3", Severity: "OK" });
        Assert.Contains(findings, finding => finding is { Id: "TLS1_2", Severity: not "OK" } || finding.Text.Contains("not offered", StringComparison.Ordinal));
        Assert.DoesNotContain(findings, finding => finding.Severity is "MEDIUM" or "HIGH" or "CRITICAL" or "WARN" or "FATAL" && !s_private.Contains(finding.Id));
    }

    private static void Require(string program)
    {
        if (Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program))))
            return;
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{program} is missing: run eng/test-servers.sh.");
        Assert.Skip($"{program} is missing: run eng/test-servers.sh.");
    }

    private static async Task<string> RunAsync(string program, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync(GatewayWorld.Cancel);
        _ = process.StandardError.ReadToEndAsync(GatewayWorld.Cancel);
        await process.WaitForExitAsync(GatewayWorld.Cancel);
        return await output;
    }
}
