using System.Buffers.Binary;

namespace Bulwark.Models.Package;

/// <summary>What a package file begins with: magic 8 | version u16 | zero u16 | envelope length u32, big-endian.</summary>
/// <param name="Version">1: the envelope follows, then the payload to the end. 2: the payload follows, then the envelope to the end.</param>
/// <param name="EnvelopeLength">In bytes.</param>
internal readonly record struct PackageHead(int Version, int EnvelopeLength)
{
    internal const int SizeInBytes = 16;
    internal const int LongestEnvelopeInBytes = 1024 * 1024;
    internal const int Newest = 2;

    internal static ReadOnlySpan<byte> Magic => "BWKMODL\x1a"u8;

    /// <summary>Where the payload begins, from the package's first byte on.</summary>
    internal int PayloadStart => Version == 1 ? SizeInBytes + EnvelopeLength : SizeInBytes;

    internal byte[] Write()
    {
        var head = new byte[SizeInBytes];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(8), (ushort)Version);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(12), EnvelopeLength);
        return head;
    }

    /// <returns><see cref="SealVerdict.Unverified"/> when the head is right, else what refuses it.</returns>
    internal static SealVerdict Read(ReadOnlySpan<byte> bytes, out PackageHead head)
    {
        head = default;
        if (!bytes.StartsWith(Magic))
            return SealVerdict.NotAPackage;
        if (bytes.Length < SizeInBytes)
            return SealVerdict.Malformed;
        var version = BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]);
        if (version is not (1 or Newest))
            return SealVerdict.UnknownVersion;
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]);
        if (BinaryPrimitives.ReadUInt16BigEndian(bytes[10..]) != 0 || length is 0 or > LongestEnvelopeInBytes)
            return SealVerdict.Malformed;
        head = new(version, (int)length);
        return SealVerdict.Unverified;
    }
}
