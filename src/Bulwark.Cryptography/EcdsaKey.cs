using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>An ECDSA public key on P-256, P-384 or P-521, with the hash that belongs to its curve: SHA-256, SHA-384, SHA-512.</summary>
/// <remarks>Source: FIPS 186-5. For formats that ask for ECDSA (OpenSSF Model Signing, hardware tokens); elsewhere Bulwark signs with Ed25519. Thread-safe.</remarks>
public sealed class EcdsaKey : IEquatable<EcdsaKey>
{
    private readonly byte[] _spki;
    private readonly ECParameters _point;

    private EcdsaKey(ECDsa key)
    {
        _point = key.ExportParameters(includePrivateParameters: false);
        (HashAlgorithm, HashSizeInBytes) = key.KeySize switch
        {
            256 when Is(ECCurve.NamedCurves.nistP256) => (HashAlgorithmName.SHA256, 32),
            384 when Is(ECCurve.NamedCurves.nistP384) => (HashAlgorithmName.SHA384, 48),
            521 when Is(ECCurve.NamedCurves.nistP521) => (HashAlgorithmName.SHA512, 64),
            _ => throw new CryptographicException("Only the curves P-256, P-384 and P-521 are taken."),
        };
        KeySizeInBits = key.KeySize;
        _spki = key.ExportSubjectPublicKeyInfo();
        Fingerprint = Digest.Of(_spki);
    }

    /// <summary>256, 384 or 521.</summary>
    public int KeySizeInBits { get; }

    /// <summary>The hash of what is signed.</summary>
    public HashAlgorithmName HashAlgorithm { get; }

    /// <summary>Length of that hash.</summary>
    public int HashSizeInBytes { get; }

    /// <summary>Length of one half of a signature: the field's size in bytes.</summary>
    public int FieldSizeInBytes => (KeySizeInBits + 7) / 8;

    /// <summary>The key as SubjectPublicKeyInfo, DER.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo => _spki;

    /// <summary>SHA-256 of <see cref="SubjectPublicKeyInfo"/>.</summary>
    public Digest Fingerprint { get; }

    /// <summary>The key as PEM text: lines of 64, line feeds, one at the end.</summary>
    public string ToPem()
    {
        var text = new StringBuilder("-----BEGIN PUBLIC KEY-----\n");
        foreach (var line in Convert.ToBase64String(_spki).Chunk(64))
            text.Append(line).Append('\n');
        return text.Append("-----END PUBLIC KEY-----\n").ToString();
    }

    /// <summary>Reads a PEM file: a public key, a certificate (its key), or a private key (its public half).</summary>
    /// <exception cref="CryptographicException">There is no such key in it, or it is on another curve.</exception>
    public static EcdsaKey FromPem(string pem)
    {
        ArgumentNullException.ThrowIfNull(pem);
        try
        {
            if (pem.Contains("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal))
            {
                using var certificate = X509Certificate2.CreateFromPem(pem);
                return FromCertificate(certificate);
            }

            using var key = ECDsa.Create();
            key.ImportFromPem(pem);
            return new EcdsaKey(key);
        }
        catch (ArgumentException failure)
        {
            throw new CryptographicException("This is no PEM file with one ECDSA key.", failure);
        }
    }

    /// <summary>The key of a certificate.</summary>
    /// <exception cref="CryptographicException">It is no ECDSA key, or on another curve.</exception>
    public static EcdsaKey FromCertificate(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        using var key = certificate.GetECDsaPublicKey() ?? throw new CryptographicException("The certificate's key is no ECDSA key.");
        return new EcdsaKey(key);
    }

    /// <summary>Reads SubjectPublicKeyInfo, DER.</summary>
    /// <exception cref="CryptographicException">It is no ECDSA key on one of the three curves, or bytes follow it.</exception>
    public static EcdsaKey FromSubjectPublicKeyInfo(ReadOnlySpan<byte> der)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(der, out var read);
        return read == der.Length ? new EcdsaKey(key) : throw new CryptographicException("Bytes follow the key.");
    }

    /// <summary>The public half of a key.</summary>
    public static EcdsaKey Of(ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new EcdsaKey(key);
    }

    /// <summary>True when <paramref name="signature"/> is this key's signature of <paramref name="data"/>.</summary>
    /// <param name="data">Any bytes; hashed with <see cref="HashAlgorithm"/>.</param>
    /// <param name="signature">Any bytes; what does not parse is false.</param>
    /// <param name="format">DER (RFC 3279) or r and s, one after the other (IEEE P1363).</param>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, DSASignatureFormat format = DSASignatureFormat.Rfc3279DerSequence)
    {
        using var key = ECDsa.Create(_point);
        try
        {
            return (format != DSASignatureFormat.Rfc3279DerSequence || IsTwoPositiveIntegers(signature)) && key.VerifyData(data, signature, HashAlgorithm, format);
        }
        catch (Exception failure) when (failure is CryptographicException or AsnContentException)
        {
            return false;
        }
    }

    /// <summary>The base library takes a negative integer for a positive one that lacks its leading zero; a signature has one spelling only.</summary>
    private static bool IsTwoPositiveIntegers(ReadOnlySpan<byte> signature)
    {
        AsnDecoder.ReadSequence(signature, AsnEncodingRules.DER, out var start, out var length, out var consumed);
        var body = signature.Slice(start, length);
        var r = AsnDecoder.ReadIntegerBytes(body, AsnEncodingRules.DER, out var first);
        var s = AsnDecoder.ReadIntegerBytes(body[first..], AsnEncodingRules.DER, out var second);
        return consumed == signature.Length && first + second == length && r[0] < 0x80 && s[0] < 0x80;
    }

    /// <summary>The hash of <paramref name="data"/> that belongs to the curve.</summary>
    public byte[] Hash(ReadOnlySpan<byte> data) => CryptographicOperations.HashData(HashAlgorithm, data);

    /// <inheritdoc/>
    public override string ToString() => $"ecdsa-p{KeySizeInBits}:{Fingerprint.ToHex()}";

    /// <inheritdoc/>
    public bool Equals(EcdsaKey? other) => other is not null && _spki.AsSpan().SequenceEqual(other._spki);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as EcdsaKey);

    /// <inheritdoc/>
    public override int GetHashCode() => Fingerprint.GetHashCode();

    private bool Is(ECCurve curve) => _point.Curve.Oid?.Value == curve.Oid.Value;
}
