using System.Text.Json;
using System.Text.Json.Serialization;
using NSec.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>An Ed25519 public key, written <c>ed25519:</c> and the base64 of its 32 bytes.</summary>
/// <remarks>
/// Source: RFC 8032. Verification is libsodium's: it refuses a non-canonical S, a non-canonical key and points of small order.
/// </remarks>
[JsonConverter(typeof(VerificationKeyJsonConverter))]
public sealed class VerificationKey : IEquatable<VerificationKey>
{
    /// <summary>Length of a key in bytes.</summary>
    public const int SizeInBytes = 32;

    /// <summary>Length of a signature in bytes.</summary>
    public const int SignatureSizeInBytes = 64;

    private const string Prefix = "ed25519:";
    private readonly byte[] _bytes;
    private readonly PublicKey? _key;

    /// <summary>Takes the raw key.</summary>
    /// <param name="bytes">Exactly 32 bytes (RFC 8032 §5.1.5). Bytes that are no point on the curve make a key that verifies nothing.</param>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> has another length.</exception>
    public VerificationKey(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != SizeInBytes)
            throw new ArgumentException($"An Ed25519 public key has {SizeInBytes} bytes, not {bytes.Length}.", nameof(bytes));
        _bytes = bytes.ToArray();
        PublicKey.TryImport(SignatureAlgorithm.Ed25519, bytes, KeyBlobFormat.RawPublicKey, out _key);
        Fingerprint = Digest.Of(bytes);
    }

    /// <summary>The 32 bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>SHA-256 of <see cref="Bytes"/>.</summary>
    public Digest Fingerprint { get; }

    /// <summary>Reads <c>ed25519:</c> and base64.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is anything else.</exception>
    public static VerificationKey Parse(string text) => TryParse(text, out var key)
        ? key!
        : throw new FormatException($"'{text}' is no public key: expected ed25519: and the base64 of 32 bytes.");

    /// <summary>Reads <c>ed25519:</c> and base64; false on anything else.</summary>
    public static bool TryParse(string? text, out VerificationKey? key)
    {
        key = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal) || !StrictBase64.TryDecode(text[Prefix.Length..], out var bytes) || bytes.Length != SizeInBytes)
            return false;
        key = new VerificationKey(bytes);
        return true;
    }

    /// <summary>True when <paramref name="signature"/> is this key's signature of <paramref name="data"/>.</summary>
    /// <param name="data">Any bytes.</param>
    /// <param name="signature">64 bytes; any other length is false.</param>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        _key is not null && signature.Length == SignatureSizeInBytes && SignatureAlgorithm.Ed25519.Verify(_key, data, signature);

    /// <inheritdoc/>
    public override string ToString() => Prefix + Convert.ToBase64String(_bytes);

    /// <inheritdoc/>
    public bool Equals(VerificationKey? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as VerificationKey);

    /// <inheritdoc/>
    public override int GetHashCode() => Fingerprint.GetHashCode();
}

/// <summary>A <see cref="VerificationKey"/> in JSON is its string.</summary>
/// <remarks>Public so that source-generated contexts of other rooms can name it.</remarks>
public sealed class VerificationKeyJsonConverter : JsonConverter<VerificationKey>
{
    /// <inheritdoc/>
    public override VerificationKey Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        VerificationKey.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out var key)
            ? key!
            : throw new JsonException("Expected a public key: ed25519: and base64.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, VerificationKey value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
