using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>What a key's signature under a note says.</summary>
public enum NoteKeyKind
{
    /// <summary>Nothing known.</summary>
    None = 0,

    /// <summary>Type 01: the text is the signer's, as a log's checkpoint is.</summary>
    Signature = 1,

    /// <summary>Type 04, cosignature/v1: at that time this was the largest tree that the signer had seen of the log, and it was consistent.</summary>
    Cosignature = 4,
}

/// <summary>Who may sign notes: a name and an Ed25519 key, written as a vkey: <c>name+hash+base64</c>.</summary>
/// <remarks>Source: C2SP signed-note v1.0.0, tlog-cosignature v1.0.0. The hash is the first 4 bytes of SHA-256(name | 0A | type | key).</remarks>
public sealed record NoteKey
{
    /// <summary>Names a key.</summary>
    /// <exception cref="ArgumentException">The name is empty or has a space or '+'.</exception>
    public NoteKey(string name, VerificationKey key, NoteKeyKind kind = NoteKeyKind.Signature)
    {
        ArgumentNullException.ThrowIfNull(key);
        Name = IsName(name) ? name : throw new ArgumentException($"'{name}' is no signer's name: not empty, no space, no '+'.", nameof(name));
        Kind = kind is NoteKeyKind.Signature or NoteKeyKind.Cosignature ? kind : throw new ArgumentException($"{kind} is no kind of key.", nameof(kind));
        Key = key;
        Hash = SHA256.HashData([.. Encoding.UTF8.GetBytes(name), 0x0a, (byte)kind, .. key.Bytes])[..4];
    }

    /// <summary>The signer's name.</summary>
    public string Name { get; }

    /// <summary>The signer's key.</summary>
    public VerificationKey Key { get; }

    /// <summary>What its signatures say.</summary>
    public NoteKeyKind Kind { get; }

    internal byte[] Hash { get; }

    /// <summary>Reads the vkey of a log or of another author of notes (type 01).</summary>
    /// <exception cref="FormatException">It is malformed, of another type, or its hash is wrong.</exception>
    public static NoteKey Parse(string vkey) => TryParse(vkey) is { Kind: NoteKeyKind.Signature } key ? key
        : throw new FormatException($"'{vkey}' is no verification key of a log: expected name+hash+base64 of type 01 (Ed25519) with a right hash.");

    /// <summary>Reads the vkey of a witness (type 04).</summary>
    /// <exception cref="FormatException">It is malformed, of another type, or its hash is wrong.</exception>
    public static NoteKey ParseCosigner(string vkey) => TryParse(vkey) is { Kind: NoteKeyKind.Cosignature } key ? key
        : throw new FormatException($"'{vkey}' is no verification key of a witness: expected name+hash+base64 of type 04 (Ed25519 cosignature/v1) with a right hash.");

    /// <summary>Reads a vkey of either type; null when it is none.</summary>
    public static NoteKey? TryParse(string vkey)
    {
        ArgumentNullException.ThrowIfNull(vkey);
        var parts = vkey.Split('+', 3);
        if (parts.Length != 3 || !IsName(parts[0]) || !StrictBase64.TryDecode(parts[2], out var bytes) || bytes.Length != 1 + VerificationKey.SizeInBytes
            || (NoteKeyKind)bytes[0] is not (NoteKeyKind.Signature or NoteKeyKind.Cosignature))
            return null;
        var key = new NoteKey(parts[0], new VerificationKey(bytes.AsSpan(1)), (NoteKeyKind)bytes[0]);
        return Convert.ToHexStringLower(key.Hash) == parts[1] ? key : null;
    }

    /// <inheritdoc/>
    public bool Equals(NoteKey? other) => other is not null && Name == other.Name && Kind == other.Kind && Key.Equals(other.Key);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Kind, Key);

    /// <summary>The vkey.</summary>
    public override string ToString() => $"{Name}+{Convert.ToHexStringLower(Hash)}+{Convert.ToBase64String([(byte)Kind, .. Key.Bytes])}";

    internal static bool IsName(string? name) => !string.IsNullOrEmpty(name) && !name.Any(c => char.IsWhiteSpace(c) || c is '+' or '\ufffd' || char.IsControl(c));

    /// <summary>True when <paramref name="signature"/>, what follows the key's hash in a signature line, is this key's under <paramref name="text"/>.</summary>
    internal bool Verify(string text, ReadOnlySpan<byte> signature)
    {
        if (Kind == NoteKeyKind.Signature)
            return Key.Verify(Encoding.UTF8.GetBytes(text), signature);
        return signature.Length == sizeof(ulong) + VerificationKey.SignatureSizeInBytes
            && BinaryPrimitives.ReadUInt64BigEndian(signature) is <= long.MaxValue and var time
            && Key.Verify(CosignedMessage(text, (long)time), signature[sizeof(ulong)..]);
    }

    /// <summary>What a cosigner signs.</summary>
    internal static byte[] CosignedMessage(string text, long time) => Encoding.UTF8.GetBytes($"cosignature/v1\ntime {time.ToString(System.Globalization.CultureInfo.InvariantCulture)}\n{text}");
}
