using System.Buffers.Binary;

namespace Bulwark.Models.Package;

/// <summary>What a package file begins with: magic 8 | version u16 | zero u16 | envelope length u32, big-endian; then the envelope, then the payload to the end.</summary>
internal static class PackageHead
{
    internal const int SizeInBytes = 16;
    internal const int LongestEnvelopeInBytes = 1024 * 1024;
    private const ushort Version = 1;

    internal static ReadOnlySpan<byte> Magic => "BWKMODL\x1a"u8;

    internal static byte[] Write(int envelopeLength)
    {
        var head = new byte[SizeInBytes];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(12), envelopeLength);
        return head;
    }

    /// <returns><see cref="SealVerdict.Unverified"/> when the head is right, else what refuses it.</returns>
    internal static SealVerdict Read(ReadOnlySpan<byte> head, out int envelopeLength)
    {
        envelopeLength = 0;
        if (!head.StartsWith(Magic))
            return SealVerdict.NotAPackage;
        if (head.Length < SizeInBytes)
            return SealVerdict.Malformed;
        if (BinaryPrimitives.ReadUInt16BigEndian(head[8..]) != Version)
            return SealVerdict.UnknownVersion;
        var length = BinaryPrimitives.ReadUInt32BigEndian(head[12..]);
        if (BinaryPrimitives.ReadUInt16BigEndian(head[10..]) != 0 || length is 0 or > LongestEnvelopeInBytes)
            return SealVerdict.Malformed;
        envelopeLength = (int)length;
        return SealVerdict.Unverified;
    }
}
