using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>HTTP/2 by hand, so that every rule of it can be broken (RFC 9113, RFC 7541). One connection with a sound client certificate.</summary>
internal sealed class RawHttp2 : IAsyncDisposable
{
    internal const byte Body = 0, Headers = 1, Priority = 2, ResetStream = 3, Settings = 4, PushPromise = 5, Ping = 6, GoAway = 7, WindowUpdate = 8, Continuation = 9;
    internal const byte EndStream = 1, Acknowledge = 1, EndHeaders = 4, Padded = 8;

    private readonly SslStream _stream;

    private RawHttp2(SslStream stream) => _stream = stream;

    internal static byte[] Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    internal static async Task<RawHttp2> ConnectAsync(GatewayHost host, DevelopmentIdentity identity, bool greets = true)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", host.BaseAddress.Port, GatewayWorld.Cancel);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        var options = TlsPolicy.Client([identity.LoadAuthority()], identity.LoadClient("payments"));
        options.TargetHost = "localhost";
        options.ApplicationProtocols = [SslApplicationProtocol.Http2];
        await stream.AuthenticateAsClientAsync(options, GatewayWorld.Cancel);
        var connection = new RawHttp2(stream);
        if (greets)
            await connection.SendAsync([.. Preface, .. Frame(Settings, 0, 0)]);
        return connection;
    }

    internal static byte[] Frame(byte type, byte flags, int stream, params ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        (frame[0], frame[1], frame[2], frame[3], frame[4]) = ((byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>Fields as literals without indexing (RFC 7541, section 6.2.2), names as they are given.</summary>
    internal static byte[] Fields(params (string Name, string Value)[] fields)
    {
        using var block = new MemoryStream();
        foreach (var (name, value) in fields)
        {
            block.WriteByte(0);
            Text(block, name);
            Text(block, value);
        }

        return block.ToArray();
    }

    /// <summary>A request for the server's metadata; it needs no token.</summary>
    internal static byte[] Get(params (string Name, string Value)[] more) => Fields([(":method", "GET"), (":scheme", "https"), (":path", "/v2"), (":authority", "localhost"), .. more]);

    internal static byte[] Setting(ushort id, uint value)
    {
        var bytes = new byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, id);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(2), value);
        return bytes;
    }

    internal static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    /// <summary>False when the server has closed the connection, which it may do at any time.</summary>
    internal async Task<bool> SendAsync(byte[] bytes)
    {
        try
        {
            await _stream.WriteAsync(bytes, GatewayWorld.Cancel);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>The next frame; null at the end of the connection.</summary>
    internal async Task<(byte Type, byte Flags, int Stream, byte[] Payload)?> ReadAsync()
    {
        try
        {
            var head = new byte[9];
            await _stream.ReadExactlyAsync(head, GatewayWorld.Cancel);
            var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await _stream.ReadExactlyAsync(payload, GatewayWorld.Cancel);
            return (head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), payload);
        }
        catch (IOException)   // also the end of the stream
        {
            return null;
        }
    }

    /// <summary>What <see cref="ErrorAsync"/> gives when the server goes on as if nothing were wrong.</summary>
    internal const uint Tolerated = uint.MaxValue;

    private const uint NoError = 0;

    private static readonly byte[] s_question = "question"u8.ToArray();

    /// <summary>Reads to the first error that the server names, of the connection or of a stream: its code; null when the connection ends without one.</summary>
    /// <remarks>A ping behind what was sent tells the end: frames are judged in their order.</remarks>
    internal async Task<uint?> ErrorAsync()
    {
        await SendAsync(Frame(Ping, 0, 0, s_question));
        while (await ReadAsync() is var (type, flags, _, payload))
        {
            if (type == Ping && flags == Acknowledge && payload.AsSpan().SequenceEqual(s_question))
                return Tolerated;
            var code = type switch
            {
                ResetStream => BinaryPrimitives.ReadUInt32BigEndian(payload),
                GoAway => BinaryPrimitives.ReadUInt32BigEndian(payload.AsSpan(4)),
                _ => NoError,
            };
            if (code != NoError)   // without one a stream ends whose answer was given before its body had come (RFC 9113, section 8.1)
                return code;
        }

        return null;
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private static void Text(MemoryStream block, string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        if (bytes.Length < 127)
        {
            block.WriteByte((byte)bytes.Length);
        }
        else
        {
            block.WriteByte(127);
            var rest = bytes.Length - 127;
            for (; rest >= 128; rest >>= 7)
                block.WriteByte((byte)((rest & 127) | 128));
            block.WriteByte((byte)rest);
        }

        block.Write(bytes);
    }
}
