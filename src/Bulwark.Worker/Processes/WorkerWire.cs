using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Monitoring;

namespace Bulwark.Worker.Processes;

/// <summary>What a frame between gateway and worker is.</summary>
internal enum WorkerMessage : byte
{
    Failed = 0,
    Start,
    AskChallenge,
    AskEvidence,
    AskRelease,
    Reply,
    Ready,
    Score,
    Sealed,
    Package,
    Walls,
    LeaseEnded,
}

/// <summary>Frames over a local socket: length (32 bits, big-endian), kind, fields. Each field is a length and bytes. One conversation at a time.</summary>
internal sealed class WorkerWire(Socket socket) : IDisposable
{
    internal const int PieceBytes = 4 << 20;
    private const int LargestFrame = int.MaxValue - 64;
    private readonly NetworkStream _stream = new(socket, ownsSocket: true);

    /// <summary>Sends one frame.</summary>
    internal void Send(WorkerMessage kind, params ReadOnlySpan<ReadOnlyMemory<byte>> fields)
    {
        long length = 1;
        foreach (var field in fields)
            length += 4 + (long)field.Length;
        if (length > LargestFrame)
            throw new IOException($"A message of {length} bytes is too long for one frame.");
        var head = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(head, (int)length);
        head[4] = (byte)kind;
        _stream.Write(head);
        foreach (var field in fields)
        {
            BinaryPrimitives.WriteInt32BigEndian(head, field.Length);
            _stream.Write(head.AsSpan(0, 4));
            _stream.Write(field.Span);
        }
    }

    /// <summary>Waits for a frame; null when the other side has gone between two.</summary>
    /// <exception cref="IOException">It went in the middle, or sends no frames.</exception>
    internal (WorkerMessage Kind, List<byte[]> Fields)? Receive()
    {
        var head = new byte[5];
        var read = _stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (read == 0)
            return null;
        if (read < head.Length || BinaryPrimitives.ReadInt32BigEndian(head) is < 1 or > LargestFrame)
            throw new IOException("The other side broke off or sends no frames.");
        var kind = (WorkerMessage)head[4];
        var left = BinaryPrimitives.ReadInt32BigEndian(head) - 1;
        var fields = new List<byte[]>();
        while (left > 0)
        {
            if (left < 4)
                throw new IOException("A frame's fields are longer than the frame.");
            _stream.ReadExactly(head, 0, 4);
            var length = BinaryPrimitives.ReadInt32BigEndian(head);
            if (length < 0 || length > left - 4)
                throw new IOException("A frame's fields are longer than the frame.");
            var field = new byte[length];
            _stream.ReadExactly(field);
            fields.Add(field);
            left -= 4 + length;
        }

        return (kind, fields);
    }

    public void Dispose() => _stream.Dispose();

    internal static ReadOnlyMemory<byte> Text(string text) => Encoding.UTF8.GetBytes(text);

    internal static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    internal static ReadOnlyMemory<byte> Number(long number)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        return bytes;
    }

    internal static int Number(byte[] bytes) => checked((int)LongNumber(bytes));

    internal static long LongNumber(byte[] bytes) => bytes.Length == 8 ? BinaryPrimitives.ReadInt64BigEndian(bytes) : throw new IOException("A number has 8 bytes.");

    internal static ReadOnlyMemory<byte> Floats(ReadOnlyMemory<float> values) => System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.Span).ToArray();

    internal static float[] Floats(byte[] bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray();

    internal static ReadOnlyMemory<byte> Hash(Digest digest) => digest.ToArray();

    internal static ReadOnlyMemory<byte> Verdict(ScreenVerdict verdict) => (byte[])[(byte)verdict.Outcome, .. Number(verdict.Field).Span, .. Floats(new[] { verdict.Distance }).Span];

    internal static ScreenVerdict Verdict(byte[] bytes) => bytes.Length == 13
        ? new((ScreenOutcome)bytes[0], Number(bytes[1..9]), Floats(bytes[9..])[0]) : throw new IOException("A verdict has 13 bytes.");
}
