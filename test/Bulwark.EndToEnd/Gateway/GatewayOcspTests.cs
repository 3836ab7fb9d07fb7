using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Server;
using Bulwark.Tests.Servers;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>Clients' certificates asked about at OpenSSL's responder.</summary>
public sealed class GatewayOcspTests : GatewayTest
{
    private Process? _responder;

    private protected override ValueTask EndAsync()
    {
        Kill();
        return default;
    }

    [Fact]
    public async Task A_certificate_that_the_responder_revokes_loses_its_living_connection_and_nobody_is_let_in_while_it_is_away()
    {
        var port = LoopbackPort.Choose();
        var options = new OcspOptions { Address = new($"http://127.0.0.1:{port}/"), Refresh = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(30) };
        MakeResponder();
        await using var host = await World.StartAsync(World.Options with { Ocsp = options, Receipts = ReceiptMode.Asked });
        using var payments = World.Payments(host);
        using var analyst = World.Client(host, World.Identity.LoadClient("analyst"), World.Identity.LoadToken("analyst"));
        Assert.Equal("503 revocation-unavailable", await AskAsync(payments));   // the handshake is done; nobody can say yet
        await WriteIndexAsync(revoked: "");
        await ServeAsync(port);
        await Eventually.IsSoAsync(async () => await AskAsync(payments) == "200");
        await Eventually.IsSoAsync(async () => await AskAsync(analyst) == "200");
        Kill();
        await WriteIndexAsync(revoked: "payments");
        await ServeAsync(port);
        await Eventually.IsSoAsync(async () => await AskAsync(payments) == "401 certificate-revoked");
        await Eventually.IsSoAsync(async () => await AskAsync(analyst) == "200");
        using var stranger = World.Client(host, World.Certificate(DateTimeOffset.UtcNow.AddMinutes(-4), DateTimeOffset.UtcNow.AddMinutes(9)), World.Identity.LoadToken("payments"));
        Assert.Equal("401 token-bound-to-another-certificate", await AskAsync(stranger));   // whoever has no token of its own has nobody asked for it
        Kill();
        await Eventually.IsSoAsync(async () => await AskAsync(analyst) == "503 revocation-unavailable");
    }

    private void Kill()
    {
        if (_responder is { HasExited: false })
        {
            _responder.Kill(entireProcessTree: true);
            _responder.WaitForExit();
        }

        _responder?.Dispose();
        _responder = null;
    }

    /// <summary>A responder of the development authority's: for signing answers, exempt from checks.</summary>
    private void MakeResponder()
    {
        using var authority = X509Certificate2.CreateFromPemFile(World.Identity.AuthorityFile, Path.Combine(World.Identity.Folder, "ca.key"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=responder", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.9")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.5.5.7.48.1.5", [5, 0], critical: false));
        using var issued = request.Create(authority, DateTimeOffset.UtcNow.AddMinutes(-4), DateTimeOffset.UtcNow.AddMinutes(30), [0x41, 1]);
        File.WriteAllText(World.PathOf("ocsp.crt"), issued.ExportCertificatePem());
        File.WriteAllText(World.PathOf("ocsp.key"), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>OpenSSL's list of what an authority issued: state, end, revocation, serial, file, name.</summary>
    private Task WriteIndexAsync(string revoked) => File.WriteAllLinesAsync(World.PathOf("index.txt"), new[] { "payments", "analyst" }.Select(name =>
        $"{(name == revoked ? "R" : "V")}\t400101000000Z\t{(name == revoked ? "250101000000Z" : "")}\t{World.Identity.LoadClient(name).SerialNumber}\tunknown\t/CN={name}"), GatewayWorld.Cancel);

    private async Task ServeAsync(int port)
    {
        string[] arguments = ["ocsp", "-index", World.PathOf("index.txt"), "-port", $"{port}", "-rsigner", World.PathOf("ocsp.crt"), "-rkey", World.PathOf("ocsp.key"), "-CA", World.Identity.AuthorityFile];
        _responder = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var ready = new TaskCompletionSource();   // no probe: it serves one at a time, and waits for the first to speak
        _responder.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
                ready.TrySetException(new InvalidOperationException("openssl ocsp did not stay"));
            else if (line.Data.Contains("waiting for OCSP client connections", StringComparison.Ordinal))
                ready.TrySetResult();
        };
        _responder.BeginOutputReadLine();
        _responder.BeginErrorReadLine();
        await ready.Task.WaitAsync(GatewayWorld.Cancel);
    }

    private static async Task<string> AskAsync(HttpClient client)
    {
        using var response = await client.GetAsync(new Uri("v2/models/fraud", UriKind.Relative), GatewayWorld.Cancel);
        return response.IsSuccessStatusCode ? "200" : $"{(int)response.StatusCode} {(await GatewayWorld.ErrorAsync(response)).Split(':')[0]}";
    }
}
