using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>What stands before the payload of a sealed file; docs/formats/sealed-file.md is its specification.</summary>
/// <remarks>
/// magic 8 | version u16 | flags u16 | immutable length u32 | slot capacity u32 | immutable part (CBOR)
/// | slots (CBOR, zero-padded) | slot MAC 32 | the same once more | zeros to a multiple of 512.
/// Slots stand outside of what the payload is bound to, so that a new key-encryption key rewrites no payload byte; twice, so that one copy is
/// whole whatever stops the writing of the other.
/// </remarks>
internal sealed partial class SealedFileHeader
{
    internal static ReadOnlySpan<byte> Magic => "BWKSEAL\x1a"u8;
    internal const int MaximumSlots = 64, SmallestSlotCapacity = 512, MaximumPart = 64 * 1024;
    private const int Version = 2, FixedSize = 20, MacSize = 32, Alignment = 512, UsualSlotCapacity = 1024;

    private readonly int _immutableEnd;
    private readonly int _slotCapacity;

    private SealedFileHeader(byte[] bytes, int immutableLength, int slotCapacity)
    {
        (Bytes, _immutableEnd, _slotCapacity) = (bytes, FixedSize + immutableLength, slotCapacity);
        Binding = SHA256.HashData(bytes.AsSpan(0, _immutableEnd));
        Info = SealedFileCbor.ReadImmutable(bytes.AsMemory(FixedSize, immutableLength));
    }

    internal byte[] Bytes { get; }

    /// <summary>Where the header begins in the stream that it was read from.</summary>
    internal long Start { get; private init; }

    /// <summary>The facts. Until a data key proved one copy, the slots are those that either copy names; then they are that copy's.</summary>
    internal SealedFileInfo Info { get; private set; }

    /// <summary>What payload and slots are bound to: SHA-256 of everything from the magic to the end of the immutable part.</summary>
    internal byte[] Binding { get; }

    internal KeyContext Context => new(Binding) { Item = Info.FileId };

    internal static async ValueTask<SealedFileHeader> CreateAsync(SealedFileInfo info, SecretBytes dataKey, SealOptions options, CancellationToken cancel)
    {
        var immutable = SealedFileCbor.WriteImmutable(info);
        // Slots are bound to their capacity, and how much they need is known only when they are made: those of the first try tell.
        var capacity = options.SlotCapacityInBytes ?? UsualSlotCapacity;
        while (true)
        {
            var header = Begin(immutable, capacity);
            var slots = new List<KeySlot>();
            foreach (var recipient in options.Recipients)
                slots.Add(await recipient.WrapAsync(dataKey, header.Context, cancel).ConfigureAwait(false));
            var needed = SealedFileCbor.WriteSlots(slots).Length;
            var enough = 2 * needed <= capacity || options.SlotCapacityInBytes is not null || capacity == MaximumPart;
            if (!enough)
            {
                capacity = (int)Math.Min(BitOperationsCeiling(2 * needed), MaximumPart);
                continue;
            }

            var region = header.SlotRegion(slots, dataKey.Span);
            region.CopyTo(header.Region(0));
            region.CopyTo(header.Region(1));
            header.Info = header.Info with { Slots = slots };
            return header;
        }
    }

    /// <summary>Reads a header and leaves the stream at the payload's first byte.</summary>
    /// <exception cref="InvalidDataException">The bytes are no header.</exception>
    internal static SealedFileHeader Read(Stream source)
    {
        try
        {
            var start = source.CanSeek ? source.Position : 0;
            var head = new byte[FixedSize];
            source.ReadExactly(head);
            if (!head.AsSpan(0, 8).SequenceEqual(Magic))
                throw new InvalidDataException("This is no sealed file: it does not begin as one.");
            if (BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(8)) != Version || BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(10)) != 0)
                throw new InvalidDataException("This sealed file is of a version or kind that this program does not know.");
            var immutable = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(12));
            var slots = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(16));
            if (immutable is 0 or > MaximumPart || slots is < SmallestSlotCapacity or > MaximumPart)
                throw new InvalidDataException("This sealed file's header states impossible lengths.");
            var bytes = new byte[TotalSize((int)immutable, (int)slots)];
            head.CopyTo(bytes, 0);
            source.ReadExactly(bytes.AsSpan(FixedSize));
            var header = new SealedFileHeader(bytes, (int)immutable, (int)slots) { Start = start };
            if (bytes.AsSpan(header.RegionStart(2)).ContainsAnyExcept((byte)0))
                throw new InvalidDataException("This sealed file's header has bytes where it must have none.");
            var stated = header.StatedSlots();
            header.Info = header.Info with { Slots = stated.Count > 0 ? stated : SealedFileCbor.ReadSlots(header.SlotBytes(0)), NeedsMending = !header.CopiesAgree };
            return header;
        }
        catch (EndOfStreamException failure)
        {
            throw new InvalidDataException("This sealed file ends inside its header.", failure);
        }
    }

    internal static SecretBytes PayloadKey(SealSuite suite, ReadOnlySpan<byte> dataKey) => SecretBytes.Create(32, dataKey, (source, target) =>
        HKDF.Expand(HashAlgorithmName.SHA256, source, target, [.. "bulwark.dev/sealed-file/payload/v1"u8, (byte)suite]));

    private static SealedFileHeader Begin(byte[] immutable, int capacity)
    {
        var bytes = new byte[TotalSize(immutable.Length, capacity)];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(12), (uint)immutable.Length);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(16), (uint)capacity);
        immutable.CopyTo(bytes, FixedSize);
        return new SealedFileHeader(bytes, immutable.Length, capacity);
    }

    private static uint BitOperationsCeiling(int value) => System.Numerics.BitOperations.RoundUpToPowerOf2((uint)value);

    private static int TotalSize(int immutable, int slots) =>
        (FixedSize + immutable + 2 * (slots + MacSize) + Alignment - 1) / Alignment * Alignment;
}
