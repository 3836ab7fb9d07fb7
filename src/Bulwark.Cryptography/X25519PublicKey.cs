using NSec.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>An X25519 public key (RFC 7748), written <c>x25519:</c> and the base64 of its 32 bytes: who may open what is sealed to it.</summary>
public sealed class X25519PublicKey : IEquatable<X25519PublicKey>
{
    /// <summary>Length of a key in bytes.</summary>
    public const int SizeInBytes = 32;

    private const string Prefix = "x25519:";
    private readonly byte[] _bytes;

    /// <summary>Takes the raw key.</summary>
    /// <param name="bytes">Exactly 32 bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> has another length.</exception>
    public X25519PublicKey(ReadOnlySpan<byte> bytes) => _bytes = bytes.Length == SizeInBytes
        ? bytes.ToArray()
        : throw new ArgumentException($"An X25519 public key has {SizeInBytes} bytes, not {bytes.Length}.", nameof(bytes));

    /// <summary>The 32 bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Reads <c>x25519:</c> and base64.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is anything else.</exception>
    public static X25519PublicKey Parse(string text) => TryParse(text, out var key)
        ? key!
        : throw new FormatException($"'{text}' is no X25519 public key: expected x25519: and the base64 of 32 bytes.");

    /// <summary>Reads <c>x25519:</c> and base64; false on anything else.</summary>
    public static bool TryParse(string? text, out X25519PublicKey? key)
    {
        key = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal) || !StrictBase64.TryDecode(text[Prefix.Length..], out var bytes) || bytes.Length != SizeInBytes)
            return false;
        key = new X25519PublicKey(bytes);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(X25519PublicKey? other) => other is not null && Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as X25519PublicKey);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    /// <inheritdoc/>
    public override string ToString() => Prefix + Convert.ToBase64String(_bytes);

    /// <summary>For the agreement; null for a point that contributes nothing.</summary>
    internal PublicKey? Import() => PublicKey.TryImport(KeyAgreementAlgorithm.X25519, _bytes, KeyBlobFormat.RawPublicKey, out var key) ? key : null;
}
