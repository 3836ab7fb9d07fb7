using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>Clients that send all of a body before they look for an answer come to read the refusal: the server takes what is under way, within bounds.</summary>
public sealed class OversizedBodyTests : IAsyncLifetime
{
    private const int Sent = 3 << 20;   // the limit is 16 KiB; more than sockets hold on the way
    private GatewayWorld _world = null!;
    private GatewayHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await GatewayWorld.CreateAsync();
        _host = await _world.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _world.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_refusal_is_read_by_who_sends_everything_first(bool isChunked)
    {
        var answer = await ExchangeAsync(isChunked, Sent, _world.Identity.LoadToken("payments"));
        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
        Assert.Contains("body-too-large", answer, StringComparison.Ordinal);
        Assert.Contains("Connection: close", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task So_is_the_refusal_of_a_stranger()
    {
        var answer = await ExchangeAsync(isChunked: false, (4 << 20) + (64 << 10), token: "x");
        Assert.StartsWith("HTTP/1.1 401", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_taken_has_an_end()
    {
        await using var stream = await ConnectAsync();
        await stream.WriteAsync(Head(isChunked: true, 0, _world.Identity.LoadToken("payments")), GatewayWorld.Cancel);
        var chunk = Encoding.ASCII.GetBytes("10000\r\n" + new string(' ', 1 << 16) + "\r\n");
        var sent = 0L;
        try
        {
            while (sent < 1L << 30)   // the server must give up long before
            {
                await stream.WriteAsync(chunk, GatewayWorld.Cancel);
                sent += chunk.Length;
            }
        }
        catch (IOException)
        {
            // as it should
        }

        Assert.InRange(sent, 0, 64L << 20);
    }

    private async Task<string> ExchangeAsync(bool isChunked, int bytes, string token)
    {
        await using var stream = await ConnectAsync();
        await stream.WriteAsync(Head(isChunked, bytes, token), GatewayWorld.Cancel);
        var piece = isChunked ? Encoding.ASCII.GetBytes("10000\r\n" + new string(' ', 1 << 16) + "\r\n") : Encoding.ASCII.GetBytes(new string(' ', 1 << 16));
        for (var sent = 0; sent < bytes; sent += 1 << 16)
            await stream.WriteAsync(piece, GatewayWorld.Cancel);   // throws where the connection is reset
        if (isChunked)
            await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), GatewayWorld.Cancel);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return await reader.ReadToEndAsync(GatewayWorld.Cancel);
    }

    private static byte[] Head(bool isChunked, int bytes, string token) => Encoding.ASCII.GetBytes(
        $"POST /v2/models/fraud/infer HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        + (isChunked ? "Transfer-Encoding: chunked\r\n\r\n" : $"Content-Length: {bytes}\r\n\r\n"));

    private async Task<SslStream> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", _host.BaseAddress.Port, GatewayWorld.Cancel);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        var options = TlsPolicy.Client([_world.Identity.LoadAuthority()], _world.Identity.LoadClient("payments"));
        options.TargetHost = "localhost";
        await stream.AuthenticateAsClientAsync(options, GatewayWorld.Cancel);
        return stream;
    }
}
