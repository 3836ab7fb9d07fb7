using System.Diagnostics;
using System.Xml.Linq;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>An outside judge of the gateway's TLS: sslscan.</summary>
public class TlsScanTests
{
    [Fact]
    public async Task A_scanner_finds_tls_1_3_with_256_bit_suites_and_nothing_else()
    {
        if (!Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "sslscan"))))
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", "sslscan is missing: run eng/test-servers.sh.");
            Assert.Skip("sslscan is missing: run eng/test-servers.sh.");
        }

        using var world = await GatewayWorld.CreateAsync();
        await using var host = await world.StartAsync();
        var scan = XDocument.Parse(await ScanAsync($"127.0.0.1:{host.BaseAddress.Port}")).Descendants("ssltest").Single();
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

    private static async Task<string> ScanAsync(string target)
    {
        using var process = Process.Start(new ProcessStartInfo("sslscan", ["--no-colour", "--xml=-", target]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync(GatewayWorld.Cancel);
        _ = process.StandardError.ReadToEndAsync(GatewayWorld.Cancel);
        await process.WaitForExitAsync(GatewayWorld.Cancel);
        return await output;
    }
}
