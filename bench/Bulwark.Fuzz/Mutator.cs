using System.Buffers.Binary;

namespace Bulwark.Fuzz;

/// <summary>Breaks an input a little: bits, bytes, lengths, copies, cuts, splices with another input.</summary>
internal sealed class Mutator(Random random)
{
    private const int LongestInput = 256 * 1024;
    private static readonly long[] s_interesting =
        [0, 1, -1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, long.MaxValue, long.MinValue];

    internal byte[] Mutate(byte[] input, byte[] other)
    {
        var bytes = new List<byte>(input);
        for (var count = 1 << random.Next(5); count > 0; count--)
            Step(bytes, other);
        return [.. bytes.Count > LongestInput ? bytes.Take(LongestInput) : bytes];
    }

    private void Step(List<byte> bytes, byte[] other)
    {
        if (bytes.Count == 0)
        {
            bytes.Add((byte)random.Next(256));
            return;
        }

        var at = random.Next(bytes.Count);
        switch (random.Next(9))
        {
            case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 1: bytes[at] = (byte)random.Next(256); break;
            case 2: bytes[at] = (byte)(bytes[at] + random.Next(-4, 5)); break;
            case 3: bytes.RemoveRange(at, Math.Min(bytes.Count - at, Length())); break;
            case 4: bytes.InsertRange(at, Noise(Length())); break;
            case 5: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, Length()))); break;   // say it twice
            case 6: bytes.RemoveRange(at, bytes.Count - at); break;
            case 7: Number(bytes, at); break;
            default: Splice(bytes, at, other); break;
        }
    }

    /// <summary>Lengths and counts live in integers; their edges are where parsers fail.</summary>
    private void Number(List<byte> bytes, int at)
    {
        Span<byte> number = stackalloc byte[8];
        var value = s_interesting[random.Next(s_interesting.Length)];
        if (random.Next(2) == 0)
            BinaryPrimitives.WriteInt64BigEndian(number, value);
        else
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
        var width = 1 << random.Next(4);
        var part = BitConverter.IsLittleEndian && random.Next(2) == 0 ? number[..width] : number[^width..];
        for (var i = 0; i < width && at + i < bytes.Count; i++)
            bytes[at + i] = part[i];
    }

    private void Splice(List<byte> bytes, int at, byte[] other)
    {
        if (other.Length == 0)
            return;
        var from = random.Next(other.Length);
        var piece = other.AsSpan(from, Math.Min(other.Length - from, Length())).ToArray();
        if (random.Next(2) == 0)
            bytes.RemoveRange(at, Math.Min(bytes.Count - at, piece.Length));
        bytes.InsertRange(at, piece);
    }

    private int Length() => 1 + random.Next(1 << random.Next(1, 10));

    private byte[] Noise(int length)
    {
        var noise = new byte[length];
        if (random.Next(2) == 0)
            random.NextBytes(noise);
        else
            noise.AsSpan().Fill((byte)random.Next(256));
        return noise;
    }
}
