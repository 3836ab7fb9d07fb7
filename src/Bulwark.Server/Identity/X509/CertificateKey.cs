using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Bulwark.Server;

/// <summary>A certificate's public key, and the check of a signature with it.</summary>
internal sealed class CertificateKey
{
    private const string RsaOid = "1.2.840.113549.1.1.1";
    private const string EcOid = "1.2.840.10045.2.1";
    private static readonly HashSet<string> Curves = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];   // P-256, P-384, P-521

    private static readonly Dictionary<string, (bool IsRsa, HashAlgorithmName Hash)> Algorithms = new(StringComparer.Ordinal)
    {
        ["1.2.840.113549.1.1.11"] = (true, HashAlgorithmName.SHA256),
        ["1.2.840.113549.1.1.12"] = (true, HashAlgorithmName.SHA384),
        ["1.2.840.113549.1.1.13"] = (true, HashAlgorithmName.SHA512),
        ["1.2.840.10045.4.3.2"] = (false, HashAlgorithmName.SHA256),
        ["1.2.840.10045.4.3.3"] = (false, HashAlgorithmName.SHA384),
        ["1.2.840.10045.4.3.4"] = (false, HashAlgorithmName.SHA512),
    };

    private CertificateKey(ReadOnlyMemory<byte> encoded) => Encoded = encoded;

    /// <summary>SubjectPublicKeyInfo.</summary>
    internal ReadOnlyMemory<byte> Encoded { get; }

    internal bool IsRsa { get; private init; }

    /// <summary>What makes the key too weak or unknown; null when it is sound.</summary>
    internal string? Weakness { get; private init; }

    internal int RsaBits { get; private init; }

    internal static CertificateKey Parse(ReadOnlyMemory<byte> encoded)
    {
        var outer = new AsnReader(encoded, AsnEncodingRules.DER);
        var info = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var algorithm = info.ReadSequence();
        var oid = algorithm.ReadObjectIdentifier();
        var key = info.ReadBitString(out _);
        info.ThrowIfNotEmpty();
        if (oid == EcOid)
        {
            var named = algorithm.HasData && algorithm.PeekTag().HasSameClassAndValue(Asn1Tag.ObjectIdentifier);
            return new(encoded) { Weakness = named && Curves.Contains(algorithm.ReadObjectIdentifier()) ? null : "its curve is none of P-256, P-384 and P-521" };
        }

        if (oid != RsaOid)
            return new(encoded) { Weakness = $"its key type {oid} is neither ECDSA nor RSA" };
        var rsa = new AsnReader(key, AsnEncodingRules.DER).ReadSequence();
        var (modulus, exponent) = (rsa.ReadIntegerBytes(), rsa.ReadIntegerBytes());
        rsa.ThrowIfNotEmpty();
        return new(encoded)
        {
            IsRsa = true,
            RsaBits = (int)new System.Numerics.BigInteger(modulus.Span, isBigEndian: true).GetBitLength(),
            Weakness = RsaKeyStrength.Fault(modulus.Span, exponent.Span) is { } fault ? $"its {fault}" : null,
        };
    }

    /// <summary>The hash of a known, strong signature algorithm that fits this key; null otherwise.</summary>
    internal HashAlgorithmName? HashOf(ReadOnlyMemory<byte> signatureAlgorithm)
    {
        var algorithm = new AsnReader(signatureAlgorithm, AsnEncodingRules.DER).ReadSequence();
        if (!Algorithms.TryGetValue(algorithm.ReadObjectIdentifier(), out var known) || known.IsRsa != IsRsa)
            return null;
        if (IsRsa && algorithm.HasData)
            algorithm.ReadNull();
        return algorithm.HasData ? null : known.Hash;
    }

    internal bool Verify(ReadOnlyMemory<byte> data, ReadOnlyMemory<byte> signatureAlgorithm, ReadOnlyMemory<byte> signature)
    {
        try
        {
            if (Weakness is not null || HashOf(signatureAlgorithm) is not { } hash)
                return false;
            if (IsRsa)
            {
                using var rsa = RSA.Create();
                rsa.ImportSubjectPublicKeyInfo(Encoded.Span, out _);
                return rsa.VerifyData(data.Span, signature.Span, hash, RSASignaturePadding.Pkcs1);
            }

            using var ec = ECDsa.Create();
            ec.ImportSubjectPublicKeyInfo(Encoded.Span, out _);
            return ec.VerifyData(data.Span, signature.Span, hash, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (Exception fault) when (fault is CryptographicException or AsnContentException)
        {
            return false;   // a key or signature that the platform will not look at verifies nothing
        }
    }
}
