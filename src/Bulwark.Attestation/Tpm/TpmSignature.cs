using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Bulwark.Attestation.Tpm;

/// <summary>A TPMT_SIGNATURE (part 2, 11.3.4): RSASSA, RSAPSS with a salt as long as the hash, or ECDSA.</summary>
internal sealed class TpmSignature
{
    private const ushort RsaSsa = 0x0014, RsaPss = 0x0016, Ecdsa = 0x0018;
    private readonly ushort _scheme;
    private readonly byte[] _first, _second = [];

    private TpmSignature(ReadOnlySpan<byte> bytes)
    {
        var reader = new TpmReader(bytes);
        _scheme = reader.UInt16();
        Hash = (TpmHash)reader.UInt16();
        _first = reader.Buffer().ToArray();
        if (_scheme == Ecdsa)
            _second = reader.Buffer().ToArray();
        reader.ThrowIfNotAtEnd();
    }

    private TpmSignature(TpmHash hash, byte[] rsa) => (_scheme, Hash, _first) = (RsaSsa, hash, rsa);

    /// <summary>The scheme's hash, which also digests the quoted registers.</summary>
    internal TpmHash Hash { get; }

    /// <summary>A bare RSASSA signature with SHA-256, as Azure's guests keep it.</summary>
    internal static TpmSignature OfBareRsa(ReadOnlySpan<byte> signature) => new(TpmHash.Sha256, signature.ToArray());

    internal static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TpmSignature? signature)
    {
        try
        {
            signature = new TpmSignature(bytes);
        }
        catch (TpmFormatException)
        {
            signature = null;   // the answer, not a failure: hostile bytes are expected here
        }

        return signature is not null;
    }

    /// <summary>True when this key made the signature over the data. SHA-1 verifies nothing.</summary>
    internal bool Verifies(ReadOnlySpan<byte> subjectPublicKeyInfo, ReadOnlySpan<byte> data)
    {
        if (Hash is TpmHash.Sha1 || Hash.Name() is not { } hash)
            return false;
        try
        {
            return _scheme switch
            {
                RsaSsa => VerifyRsa(subjectPublicKeyInfo, data, hash, RSASignaturePadding.Pkcs1),
                RsaPss => VerifyRsa(subjectPublicKeyInfo, data, hash, RSASignaturePadding.Pss),
                Ecdsa => VerifyEcdsa(subjectPublicKeyInfo, data, hash),
                _ => false,
            };
        }
        catch (Exception failure) when (failure is TpmFormatException || Certificates.KeyRefusal.Is(failure))
        {
            return false;   // the answer: this key or signature verifies nothing
        }
    }

    private bool VerifyRsa(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, HashAlgorithmName hash, RSASignaturePadding padding)
    {
        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(key, out _);
        return rsa.KeySize >= 2048 && rsa.VerifyData(data, _first, hash, padding);
    }

    private bool VerifyEcdsa(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, HashAlgorithmName hash)
    {
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(key, out _);
        var size = ecdsa.KeySize / 8;
        return ecdsa.VerifyData(data, [.. TpmPublic.Padded(_first, size), .. TpmPublic.Padded(_second, size)], hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
