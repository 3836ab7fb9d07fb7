using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>What stands before the payload of a sealed file; docs/formats/sealed-file.md is its specification.</summary>
/// <remarks>
/// magic 8 | version u16 | flags u16 | immutable length u32 | slot capacity u32 | immutable part (CBOR) | slots (CBOR, zero-padded) | slot MAC 32 | zeros to a multiple of 512.
/// Slots stand outside of what the payload is bound to, so that a new key-encryption key rewrites no payload byte.
/// </remarks>
internal sealed class SealedFileHeader
{
    internal static ReadOnlySpan<byte> Magic => "BWKSEAL\x1a"u8;
    internal const int FloeSuite = 1, SegmentSize = 1 << 20, DefaultSlotCapacity = 2048;
    private const int Version = 1, FixedSize = 20, MacSize = 32, Alignment = 512, MaximumPart = 64 * 1024;

    private SealedFileHeader(byte[] bytes, int immutableLength, int slotCapacity)
    {
        Bytes = bytes;
        ImmutablePart = bytes.AsMemory(0, FixedSize + immutableLength);
        MacInput = bytes.AsMemory(0, FixedSize + immutableLength + slotCapacity);
        Mac = bytes.AsMemory(MacInput.Length, MacSize);
        Info = SealedFileCbor.ReadImmutable(bytes.AsMemory(FixedSize, immutableLength));
        Slots = SealedFileCbor.ReadSlots(bytes.AsMemory(FixedSize + immutableLength, slotCapacity));
        Info = Info with { Slots = [.. Slots.Select(slot => slot.Kek)] };
    }

    internal byte[] Bytes { get; }
    internal SealedFileInfo Info { get; }
    internal IReadOnlyList<WrappedKey> Slots { get; }
    private ReadOnlyMemory<byte> ImmutablePart { get; }
    private ReadOnlyMemory<byte> MacInput { get; }
    private ReadOnlyMemory<byte> Mac { get; }

    /// <summary>What payload and slots are bound to: SHA-256 of everything from the magic to the end of the immutable part.</summary>
    internal byte[] Binding => SHA256.HashData(ImmutablePart.Span);

    internal static SealedFileHeader Create(SealedFileInfo info, SecretBytes dataKey, KeyRing keys, string kek)
    {
        var immutable = SealedFileCbor.WriteImmutable(info);
        var bytes = new byte[TotalSize(immutable.Length, DefaultSlotCapacity)];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(12), (uint)immutable.Length);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(16), DefaultSlotCapacity);
        immutable.CopyTo(bytes, FixedSize);
        var binding = SHA256.HashData(bytes.AsSpan(0, FixedSize + immutable.Length));
        var slots = SealedFileCbor.WriteSlots([keys.Wrap(kek, dataKey.Span, binding)]);
        slots.CopyTo(bytes, FixedSize + immutable.Length);
        var header = new SealedFileHeader(bytes, immutable.Length, DefaultSlotCapacity);
        header.ComputeMac(dataKey.Span).CopyTo(bytes.AsSpan(header.MacInput.Length));
        return header;
    }

    /// <summary>Reads a header and leaves the stream at the payload's first byte.</summary>
    /// <exception cref="InvalidDataException">The bytes are no header.</exception>
    internal static SealedFileHeader Read(Stream source)
    {
        try
        {
            var head = new byte[FixedSize];
            source.ReadExactly(head);
            if (!head.AsSpan(0, 8).SequenceEqual(Magic))
                throw new InvalidDataException("This is no sealed file: it does not begin as one.");
            if (BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(8)) != Version || BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(10)) != 0)
                throw new InvalidDataException("This sealed file is of a version or kind that this program does not know.");
            var immutable = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(12));
            var slots = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(16));
            if (immutable is 0 or > MaximumPart || slots is < 512 or > MaximumPart)
                throw new InvalidDataException("This sealed file's header states impossible lengths.");
            var bytes = new byte[TotalSize((int)immutable, (int)slots)];
            head.CopyTo(bytes, 0);
            source.ReadExactly(bytes.AsSpan(FixedSize));
            if (bytes.AsSpan(FixedSize + (int)immutable + (int)slots + MacSize).ContainsAnyExcept((byte)0))
                throw new InvalidDataException("This sealed file's header has bytes where it must have none.");
            return new SealedFileHeader(bytes, (int)immutable, (int)slots);
        }
        catch (EndOfStreamException failure)
        {
            throw new InvalidDataException("This sealed file ends inside its header.", failure);
        }
    }

    /// <summary>The data key, by whichever slot the ring can open.</summary>
    /// <exception cref="CryptographicException">None opens, or the slots were changed.</exception>
    internal SecretBytes Unwrap(KeyRing keys)
    {
        foreach (var slot in Slots)
        {
            SecretBytes dataKey;
            try
            {
                dataKey = keys.Unwrap(slot, Binding);
            }
            catch (CryptographicException)
            {
                continue;   // another slot may be ours
            }

            if (dataKey.Length == FloeMessage.KeySizeInBytes && IsMacOf(dataKey.Span))
                return dataKey;
            dataKey.Dispose();
        }

        throw FloeMessage.Refused();
    }

    internal bool IsMacOf(ReadOnlySpan<byte> dataKey) => CryptographicOperations.FixedTimeEquals(ComputeMac(dataKey), Mac.Span);

    internal static SecretBytes PayloadKey(ReadOnlySpan<byte> dataKey) => SecretBytes.Create(32, dataKey, static (source, target) =>
        HKDF.Expand(HashAlgorithmName.SHA256, source, target, [.. "bulwark.dev/sealed-file/payload/v1"u8, FloeSuite]));

    private byte[] ComputeMac(ReadOnlySpan<byte> dataKey)
    {
        using var key = SecretBytes.Create(32, dataKey, static (source, target) =>
            HKDF.Expand(HashAlgorithmName.SHA256, source, target, "bulwark.dev/sealed-file/slots/v1"u8));
        return HMACSHA256.HashData(key.Span, MacInput.Span);
    }

    private static int TotalSize(int immutable, int slots) =>
        (FixedSize + immutable + slots + MacSize + Alignment - 1) / Alignment * Alignment;
}
