using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Server;

namespace Bulwark.Benchmarks.Gateway;

/// <summary>What the clients' processes share: who they are, how they connect, what they ask, and how such a process is started.</summary>
internal sealed class ClientSide(int port, string pki) : IDisposable
{
    private readonly X509Certificate2 _certificate = DevelopmentIdentity.Open(pki).LoadClient("payments");
    private readonly X509Certificate2 _authority = DevelopmentIdentity.Open(pki).LoadAuthority();
    private readonly string _token = DevelopmentIdentity.Open(pki).LoadToken("payments");

    /// <summary>This program once more, with its answers on a pipe.</summary>
    internal static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(ClientSide).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    /// <summary>Mutual TLS 1.3 as the gateway wants it.</summary>
    internal async Task<SslStream> ConnectAsync()
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync("127.0.0.1", port);
        var stream = new SslStream(client.GetStream());
        var options = TlsPolicy.Client([_authority], _certificate);
        options.TargetHost = "localhost";
        await stream.AuthenticateAsClientAsync(options);
        return stream;
    }

    /// <summary>A request to score, HTTP/1.1.</summary>
    /// <param name="body">JSON, ASCII.</param>
    /// <param name="more">Header lines more.</param>
    /// <param name="token">Another token than the right one.</param>
    internal byte[] Post(string body, string more = "", string? token = null) => Encoding.ASCII.GetBytes(
        $"POST /v2/models/bench/infer HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {token ?? _token}\r\nContent-Type: application/json\r\n{more}Content-Length: {body.Length}\r\n\r\n{body}");

    public void Dispose()
    {
        _certificate.Dispose();
        _authority.Dispose();
    }
}
