using System.Buffers.Binary;

namespace Bulwark.Cryptography;

/// <summary>Integers of 1, 2, 4 or 8 bytes whose first two bits say which (RFC 9000 §16).</summary>
internal static class QuicInteger
{
    internal const int LargestSize = 8;

    internal static int Write(ulong value, Span<byte> target)
    {
        switch (value)
        {
            case < 1UL << 6:
                target[0] = (byte)value;
                return 1;
            case < 1UL << 14:
                BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)(value | 1 << 14));
                return 2;
            case < 1UL << 30:
                BinaryPrimitives.WriteUInt32BigEndian(target, (uint)(value | 2U << 30));
                return 4;
            case < 1UL << 62:
                BinaryPrimitives.WriteUInt64BigEndian(target, value | 3UL << 62);
                return 8;
            default:
                throw new ArgumentOutOfRangeException(nameof(value), value, "A QUIC integer has 62 bits.");
        }
    }

    /// <summary>How many bytes the integer at the front of <paramref name="source"/> has; 0 when they are not all there.</summary>
    internal static int Read(ReadOnlySpan<byte> source, out ulong value)
    {
        value = 0;
        if (source.IsEmpty)
            return 0;
        var size = 1 << (source[0] >> 6);
        if (source.Length < size)
            return 0;
        value = (ulong)(source[0] & 0x3f);
        for (var i = 1; i < size; i++)
            value = value << 8 | source[i];
        return size;
    }
}
