using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Lineage;

/// <summary>One batch as the journal holds it: a head with place, count and digest, and the entries as in a bundle.</summary>
/// <remarks>
/// Head, big-endian: <c>BWJ2</c> | payload length u32 | first place u64 | entries u32 | the first 8 bytes of SHA-256 of these 20 | SHA-256 of the 20 and of the
/// payload. The head has a sum of its own so that a length which was changed is not believed.
/// </remarks>
internal static class JournalRecord
{
    internal const int HeadBytes = FactBytes + SumBytes + SHA256.HashSizeInBytes;
    private const int FactBytes = 20, SumBytes = 8;

    internal static ReadOnlySpan<byte> Magic => "BWJ2"u8;

    internal static long SizeOf(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        long size = HeadBytes;
        for (var i = 0; i < entries.Count; i++)
            size += 2 + entries[i].Length;
        return size;
    }

    internal static void Write(Span<byte> target, long first, IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], (uint)(target.Length - HeadBytes));
        BinaryPrimitives.WriteInt64BigEndian(target[8..], first);
        BinaryPrimitives.WriteInt32BigEndian(target[16..], entries.Count);
        var rest = target[HeadBytes..];
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i].Span;
            BinaryPrimitives.WriteUInt16BigEndian(rest, (ushort)entry.Length);
            entry.CopyTo(rest[2..]);
            rest = rest[(2 + entry.Length)..];
        }

        Sum(target, target.Slice(FactBytes, SumBytes));
        Hash(target, target[HeadBytes..], target[(FactBytes + SumBytes)..HeadBytes]);
    }

    /// <summary>The record's length and place, or null when these bytes begin no record.</summary>
    internal static (int Payload, long First, int Count)? ReadHead(ReadOnlySpan<byte> head)
    {
        Span<byte> sum = stackalloc byte[SumBytes];
        if (head.Length < HeadBytes || !head.StartsWith(Magic))
            return null;
        Sum(head, sum);
        if (!sum.SequenceEqual(head.Slice(FactBytes, SumBytes)))
            return null;
        var (payload, first, count) = (BinaryPrimitives.ReadUInt32BigEndian(head[4..]), BinaryPrimitives.ReadInt64BigEndian(head[8..]), BinaryPrimitives.ReadInt32BigEndian(head[16..]));
        return payload <= Array.MaxLength - HeadBytes && first >= 0 && count > 0 ? ((int)payload, first, count) : null;
    }

    /// <summary>True when a whole record of this place or a later one stands anywhere in these bytes.</summary>
    internal static bool HoldsWhole(ReadOnlySpan<byte> bytes, long first)
    {
        for (int at; (at = bytes.IndexOf(Magic)) >= 0; bytes = bytes[(at + 1)..])
        {
            var rest = bytes[at..];
            if (ReadHead(rest) is { } head && head.First >= first && head.Payload <= rest.Length - HeadBytes && IsWhole(rest[..(HeadBytes + head.Payload)]))
                return true;
        }

        return false;
    }

    internal static bool IsWhole(ReadOnlySpan<byte> record)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(record, record[HeadBytes..], digest);
        return digest.SequenceEqual(record[(FactBytes + SumBytes)..HeadBytes]);
    }

    private static void Sum(ReadOnlySpan<byte> head, Span<byte> sum)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(head[..FactBytes], digest);
        digest[..SumBytes].CopyTo(sum);
    }

    private static void Hash(ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload, Span<byte> digest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head[..FactBytes]);
        hash.AppendData(payload);
        hash.GetHashAndReset(digest);
    }
}
