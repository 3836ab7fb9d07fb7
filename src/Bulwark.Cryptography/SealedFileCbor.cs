using System.Formats.Cbor;

namespace Bulwark.Cryptography;

/// <summary>The two CBOR parts of a sealed file's header, deterministic (RFC 8949 §4.2.1): one spelling, anything else is refused.</summary>
internal static class SealedFileCbor
{
    private const int Suite = 1, FileId = 2, MediaType = 3, Created = 4, Length = 5, Context = 6;
    private const int Wrapped = 1, X25519 = 2, Passphrase = 3, MostPassphrases = 4, WrappedDataKey = 60, SealedDataKey = 48;

    internal static byte[] WriteImmutable(SealedFileInfo info)
    {
        var writer = new CborWriter(CborConformanceMode.Canonical);
        writer.WriteStartMap(6);
        writer.WriteInt32(Suite);
        writer.WriteInt32((int)info.Suite);
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
        var suite = (SealSuite)reader.ReadInt32();
        if (!Enum.IsDefined(suite))
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
        return new SealedFileInfo(Convert.ToHexStringLower(fileId), suite, mediaType, DateTimeOffset.FromUnixTimeSeconds(created), length < 0 ? null : length, context);
    });

    internal static byte[] WriteSlots(IReadOnlyList<KeySlot> slots)
    {
        var writer = new CborWriter(CborConformanceMode.Canonical);
        writer.WriteStartArray(slots.Count);
        foreach (var slot in slots)
            WriteSlot(writer, slot);
        writer.WriteEndArray();
        return writer.Encode();
    }

    internal static IReadOnlyList<KeySlot> ReadSlots(ReadOnlyMemory<byte> bytes) => Reading(() =>
    {
        var reader = new CborReader(bytes, CborConformanceMode.Canonical, allowMultipleRootLevelValues: true);
        var count = reader.ReadStartArray() ?? 0;
        if (count is < 1 or > SealedFileHeader.MaximumSlots)
            throw new CborContentException("slot count");
        var slots = new List<KeySlot>();
        for (var i = 0; i < count; i++)
            slots.Add(ReadSlot(reader));
        reader.ReadEndArray();
        if (bytes.Span[^reader.BytesRemaining..].ContainsAnyExcept((byte)0))
            throw new CborContentException("padding");
        return slots.OfType<PassphraseSlot>().Count() > MostPassphrases ? throw new CborContentException("passphrases") : slots;
    });

    private static void WriteSlot(CborWriter writer, KeySlot slot)
    {
        switch (slot)
        {
            case WrappedSlot { Wrapped: var wrapped }:
                writer.WriteStartArray(3);
                writer.WriteInt32(Wrapped);
                writer.WriteTextString(wrapped.Kek.ToString());
                writer.WriteByteString(wrapped.Bytes);
                break;
            case X25519Slot sealedTo:
                writer.WriteStartArray(4);
                writer.WriteInt32(X25519);
                writer.WriteByteString(sealedTo.PublicKey.Bytes);
                writer.WriteByteString(sealedTo.Encapsulated.Span);
                writer.WriteByteString(sealedTo.Ciphertext.Span);
                break;
            case PassphraseSlot phrase:
                writer.WriteStartArray(6);
                writer.WriteInt32(Passphrase);
                writer.WriteInt32(phrase.Derivation.Kind);
                writer.WriteInt32(phrase.Derivation.Cost);
                writer.WriteInt32(phrase.Derivation.Passes);
                writer.WriteByteString(phrase.Salt.Span);
                writer.WriteByteString(phrase.Wrapped.Span);
                break;
            default:
                throw new ArgumentException($"{slot.GetType().Name} is no slot of this format.", nameof(slot));
        }

        writer.WriteEndArray();
    }

    private static KeySlot ReadSlot(CborReader reader)
    {
        var members = reader.ReadStartArray();
        KeySlot slot = (reader.ReadInt32(), members) switch
        {
            (Wrapped, 3) => new WrappedSlot(new WrappedKey(KeyUri.Parse(reader.ReadTextString()), reader.ReadByteString())),
            (X25519, 4) => new X25519Slot(new X25519PublicKey(reader.ReadByteString()), Exactly(reader, X25519PublicKey.SizeInBytes), Exactly(reader, SealedDataKey)),
            (Passphrase, 6) => new PassphraseSlot(
                PassphraseDerivation.Of(reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32()) ?? throw new CborContentException("passphrase cost"),
                Exactly(reader, PassphraseDerivation.SaltSize), Exactly(reader, WrappedDataKey)),
            _ => throw new CborContentException("slot kind"),
        };
        reader.ReadEndArray();
        return slot;
    }

    private static byte[] Exactly(CborReader reader, int length) =>
        reader.ReadByteString() is var bytes && bytes.Length == length ? bytes : throw new CborContentException("length");

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
