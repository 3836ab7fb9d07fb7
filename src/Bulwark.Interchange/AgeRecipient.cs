using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>Someone who will be able to open an age file: the holder of an X25519 key, or whoever knows a passphrase.</summary>
public abstract class AgeRecipient
{
    private const string Prefix = "age";

    private protected AgeRecipient()
    {
    }

    internal static ReadOnlySpan<byte> X25519Info => "age-encryption.org/v1/X25519"u8;

    internal static ReadOnlySpan<byte> ScryptLabel => "age-encryption.org/v1/scrypt"u8;

    /// <summary>True for a passphrase, which must be the only recipient.</summary>
    internal virtual bool IsAlone => false;

    /// <summary>The holder of an X25519 private key.</summary>
    public static AgeRecipient X25519(X25519PublicKey publicKey) => new X25519Recipient(publicKey ?? throw new ArgumentNullException(nameof(publicKey)));

    /// <summary>Whoever knows a passphrase.</summary>
    /// <param name="passphrase">Not empty.</param>
    /// <param name="logCost">Binary logarithm of scrypt's N: 10 to 20. 18 takes 256 MiB and about a second.</param>
    public static AgeRecipient Passphrase(string passphrase, int logCost = 18)
    {
        ArgumentException.ThrowIfNullOrEmpty(passphrase);
        ArgumentOutOfRangeException.ThrowIfLessThan(logCost, 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(logCost, AgeIdentity.HighestLogCost);
        return new ScryptRecipient(passphrase, logCost);
    }

    /// <summary>An X25519 public key in age's form.</summary>
    /// <returns><c>age1…</c></returns>
    public static string Format(X25519PublicKey publicKey) => Bech32.Encode(Prefix, (publicKey ?? throw new ArgumentNullException(nameof(publicKey))).Bytes);

    /// <summary>Reads <c>age1…</c>.</summary>
    /// <exception cref="FormatException">It is no X25519 recipient of age.</exception>
    public static X25519PublicKey Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Bech32.Decode(Prefix, text) is { Length: X25519PublicKey.SizeInBytes } bytes && text.StartsWith("age1", StringComparison.Ordinal)
            ? new X25519PublicKey(bytes)
            : throw new FormatException($"'{text}' is no age recipient: expected age1 and 58 characters.");
    }

    internal abstract AgeStanza Wrap(SecretBytes fileKey);

    /// <summary>ChaCha20-Poly1305 with a nonce of zeros: each wrapping key encrypts one file key.</summary>
    internal static byte[] Encrypt(SecretBytes wrapping, SecretBytes fileKey)
    {
        var body = new byte[fileKey.Length + 16];
        using var cipher = new ChaCha20Poly1305(wrapping.Span);
        cipher.Encrypt(stackalloc byte[12], fileKey.Span, body.AsSpan(0, fileKey.Length), body.AsSpan(fileKey.Length));
        return body;
    }

    internal static SecretBytes X25519Wrapping(SecretBytes shared, ReadOnlySpan<byte> ephemeral, ReadOnlySpan<byte> recipient)
    {
        byte[] salt = [.. ephemeral, .. recipient];
        return SecretBytes.Create(32, shared.Span, (source, target) => HKDF.DeriveKey(HashAlgorithmName.SHA256, source, target, salt, X25519Info));
    }

    internal static SecretBytes ScryptWrapping(string passphrase, ReadOnlySpan<byte> salt, int logCost)
    {
        var phrase = Encoding.UTF8.GetBytes(passphrase);
        try
        {
            return Scrypt.DeriveKey(phrase, [.. ScryptLabel, .. salt], logCost);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(phrase);
        }
    }

    private sealed class X25519Recipient(X25519PublicKey publicKey) : AgeRecipient
    {
        internal override AgeStanza Wrap(SecretBytes fileKey)
        {
            using var ephemeral = X25519KeyPair.Generate();
            using var shared = ephemeral.Agree(publicKey);
            using var wrapping = X25519Wrapping(shared, ephemeral.PublicKey.Bytes, publicKey.Bytes);
            return new AgeStanza("X25519", [AgeHeader.Base64(ephemeral.PublicKey.Bytes)], Encrypt(wrapping, fileKey));
        }
    }

    private sealed class ScryptRecipient(string passphrase, int logCost) : AgeRecipient
    {
        internal override bool IsAlone => true;

        internal override AgeStanza Wrap(SecretBytes fileKey)
        {
            var salt = RandomNumberGenerator.GetBytes(16);
            using var wrapping = ScryptWrapping(passphrase, salt, logCost);
            return new AgeStanza("scrypt", [AgeHeader.Base64(salt), logCost.ToString(CultureInfo.InvariantCulture)], Encrypt(wrapping, fileKey));
        }
    }
}
