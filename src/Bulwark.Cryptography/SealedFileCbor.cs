using System.Formats.Cbor;

namespace Bulwark.Cryptography;

/// <summary>The two CBOR parts of a sealed file's header, deterministic (RFC 8949 §4.2.1): one spelling, anything else is refused.</summary>
internal static class SealedFileCbor
{
    private const int Suite = 1, FileId = 2, MediaType = 3, Created = 4, Length = 5, Context = 6;
    private const int RingSlot = 1, MaximumSlots = 64;

    internal static byte[] WriteImmutable(SealedFileInfo info)
    {
        var writer = new CborWriter(CborConformanceMode.Canonical);
        writer.WriteStartMap(6);
        writer.WriteInt32(Suite);
        writer.WriteInt32(SealedFileHeader.FloeSuite);
        writer.WriteInt32(FileId);
        writer.WriteByteString(Convert.FromHexString(info.FileId));
        writer.WriteInt32(MediaType);
        writer.WriteTextString(info.MediaType);
        writer.WriteInt32(Created);
        writer.WriteInt64(info.Created.ToUnixTimeSeconds());
        writer.WriteInt32(Length);
        writer.WriteInt64(info.PlaintextBytes ?? -1);
        writer.WriteInt32(Context);
        writer.WriteStartMap(info.Context.Count);
        foreach (var (name, value) in info.Context)
        {
            writer.WriteTextString(name);
            writer.WriteTextString(value);
        }

        writer.WriteEndMap();
        writer.WriteEndMap();
        return writer.Encode();
    }

    internal static SealedFileInfo ReadImmutable(ReadOnlyMemory<byte> bytes) => Reading(() =>
    {
        var reader = new CborReader(bytes, CborConformanceMode.Canonical);
        if (reader.ReadStartMap() != 6)
            throw new CborContentException("member count");
        Expect(reader, Suite);
        if (reader.ReadInt32() != SealedFileHeader.FloeSuite)
            throw new CborContentException("suite");
        Expect(reader, FileId);
        var fileId = reader.ReadByteString();
        Expect(reader, MediaType);
        var mediaType = reader.ReadTextString();
        Expect(reader, Created);
        var created = reader.ReadInt64();
        Expect(reader, Length);
        var length = reader.ReadInt64();
        Expect(reader, Context);
        var context = ReadContext(reader);
        reader.ReadEndMap();
        if (reader.BytesRemaining != 0 || fileId.Length != 16 || length < -1)
            throw new CborContentException("range");
        return new SealedFileInfo(Convert.ToHexStringLower(fileId), mediaType, DateTimeOffset.FromUnixTimeSeconds(created), length < 0 ? null : length, context, []);
    });

    internal static byte[] WriteSlots(IReadOnlyList<WrappedKey> slots)
    {
        var writer = new CborWriter(CborConformanceMode.Canonical);
        writer.WriteStartArray(slots.Count);
        foreach (var slot in slots)
        {
            writer.WriteStartArray(3);
            writer.WriteInt32(RingSlot);
            writer.WriteTextString(slot.Kek.ToString());
            writer.WriteByteString(slot.Bytes);
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
        return writer.Encode();
    }

    internal static IReadOnlyList<WrappedKey> ReadSlots(ReadOnlyMemory<byte> bytes) => Reading(() =>
    {
        var reader = new CborReader(bytes, CborConformanceMode.Canonical, allowMultipleRootLevelValues: true);
        var count = reader.ReadStartArray() ?? 0;
        if (count is < 1 or > MaximumSlots)
            throw new CborContentException("slot count");
        var slots = new List<WrappedKey>();
        for (var i = 0; i < count; i++)
        {
            if (reader.ReadStartArray() != 3 || reader.ReadInt32() != RingSlot)
                throw new CborContentException("slot kind");
            slots.Add(new WrappedKey(KeyUri.Parse(reader.ReadTextString()), reader.ReadByteString()));
            reader.ReadEndArray();
        }

        reader.ReadEndArray();
        if (bytes.Span[^reader.BytesRemaining..].ContainsAnyExcept((byte)0))
            throw new CborContentException("padding");
        return slots;
    });

    private static Dictionary<string, string> ReadContext(CborReader reader)
    {
        var count = reader.ReadStartMap() ?? 0;
        var context = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
            context.Add(reader.ReadTextString(), reader.ReadTextString());
        reader.ReadEndMap();
        return context;
    }

    private static void Expect(CborReader reader, int member)
    {
        if (reader.ReadInt32() != member)
            throw new CborContentException("member order");
    }

    private static T Reading<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is CborContentException or InvalidOperationException or ArgumentException or OverflowException or FormatException)
        {
            throw new InvalidDataException("This sealed file's header is malformed.", failure);
        }
    }
}
