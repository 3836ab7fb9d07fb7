using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Bulwark.Attestation.Certificates;

/// <summary>A DER structure of X.509 kind: what is signed, how, and the signature (RFC 5280 §4.1.1 and §5.1.1).</summary>
/// <param name="ToBeSigned">The signed bytes as they stand; never written anew.</param>
/// <param name="Algorithm">The signature's AlgorithmIdentifier, whole.</param>
/// <param name="Signature">The signature.</param>
internal sealed record DerSigned(ReadOnlyMemory<byte> ToBeSigned, ReadOnlyMemory<byte> Algorithm, ReadOnlyMemory<byte> Signature)
{
    private const string RsaPss = "1.2.840.113549.1.1.10";

    /// <summary>Reads one structure that fills <paramref name="der"/>.</summary>
    /// <exception cref="AsnContentException">It is not DER of this form.</exception>
    internal static DerSigned Read(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var sequence = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var signed = new DerSigned(sequence.ReadEncodedValue(), sequence.ReadEncodedValue(), sequence.ReadBitString(out var unused));
        sequence.ThrowIfNotEmpty();
        return unused == 0 ? signed : throw new AsnContentException("The signature's last byte is not whole.");
    }

    /// <summary>True when the key of this SubjectPublicKeyInfo made the signature. An algorithm that is not built is false.</summary>
    internal bool IsSignedBy(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        try
        {
            return Algorithms.Identifier(Algorithm) switch
            {
                RsaPss => Algorithms.PssHash(Algorithm) is { } hash && VerifyRsa(subjectPublicKeyInfo, hash, RSASignaturePadding.Pss),
                "1.2.840.113549.1.1.11" => VerifyRsa(subjectPublicKeyInfo, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                "1.2.840.113549.1.1.12" => VerifyRsa(subjectPublicKeyInfo, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1),
                "1.2.840.10045.4.3.2" => VerifyEcdsa(subjectPublicKeyInfo, HashAlgorithmName.SHA256),
                "1.2.840.10045.4.3.3" => VerifyEcdsa(subjectPublicKeyInfo, HashAlgorithmName.SHA384),
                "1.2.840.10045.4.3.4" => VerifyEcdsa(subjectPublicKeyInfo, HashAlgorithmName.SHA512),
                _ => false,
            };
        }
        catch (Exception failure) when (KeyRefusal.Is(failure))
        {
            return false;   // the answer: a key or a signature that cannot be read verifies nothing
        }
    }

    private bool VerifyRsa(ReadOnlySpan<byte> key, HashAlgorithmName hash, RSASignaturePadding padding)
    {
        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(key, out var read);
        return read == key.Length && rsa.KeySize >= 2048 && rsa.VerifyData(ToBeSigned.Span, Signature.Span, hash, padding);
    }

    private bool VerifyEcdsa(ReadOnlySpan<byte> key, HashAlgorithmName hash)
    {
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(key, out var read);
        return read == key.Length && ecdsa.VerifyData(ToBeSigned.Span, Signature.Span, hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    private static class Algorithms
    {
        internal static string Identifier(ReadOnlyMemory<byte> algorithm) => new AsnReader(algorithm, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier();

        /// <summary>The hash of RSASSA-PSS parameters (RFC 4055 §3.1) when mask and salt go with it, which is all that the platform verifies; else null.</summary>
        internal static HashAlgorithmName? PssHash(ReadOnlyMemory<byte> algorithm)
        {
            var sequence = new AsnReader(algorithm, AsnEncodingRules.DER).ReadSequence();
            sequence.ReadObjectIdentifier();
            var parameters = sequence.ReadSequence();
            var (hash, mask, salt) = ("1.3.14.3.2.26", "1.3.14.3.2.26", 20);
            while (parameters.HasData)
            {
                var tag = parameters.PeekTag();
                var explicitValue = parameters.ReadSequence(tag);
                switch (tag.TagValue)
                {
                    case 0: hash = explicitValue.ReadSequence().ReadObjectIdentifier(); break;
                    case 1:
                        var generator = explicitValue.ReadSequence();
                        if (generator.ReadObjectIdentifier() != "1.2.840.113549.1.1.8")
                            return null;
                        mask = generator.ReadSequence().ReadObjectIdentifier();
                        break;
                    case 2: salt = explicitValue.TryReadInt32(out var length) ? length : -1; break;
                    case 3: break;
                    default: return null;
                }
            }

            return (hash == mask, hash, salt) switch
            {
                (true, "2.16.840.1.101.3.4.2.1", 32) => HashAlgorithmName.SHA256,
                (true, "2.16.840.1.101.3.4.2.2", 48) => HashAlgorithmName.SHA384,
                (true, "2.16.840.1.101.3.4.2.3", 64) => HashAlgorithmName.SHA512,
                _ => null,
            };
        }
    }
}
