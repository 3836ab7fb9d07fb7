using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Signs with one ECDSA key, wherever it lives: in a PEM file (<see cref="EcdsaPemSigner"/>), on a PKCS#11 token, in a KMS.</summary>
/// <remarks>One method, because that is all that a token can be asked for. <see cref="EcdsaSignature"/> hashes and spells for it.</remarks>
public interface IEcdsaSigner : IDisposable
{
    /// <summary>What others verify with; says which hash is to be signed.</summary>
    EcdsaKey PublicKey { get; }

    /// <summary>Signs a hash.</summary>
    /// <param name="hash">Exactly <see cref="EcdsaKey.HashSizeInBytes"/> bytes of <see cref="EcdsaKey.HashAlgorithm"/>.</param>
    /// <param name="cancel">Stops the asking.</param>
    /// <returns>r and s, one after the other, each <see cref="EcdsaKey.FieldSizeInBytes"/> bytes, big-endian (IEEE P1363; what CKM_ECDSA gives).</returns>
    /// <exception cref="CryptographicException">The key's keeper refused.</exception>
    ValueTask<byte[]> SignHashAsync(ReadOnlyMemory<byte> hash, CancellationToken cancel = default);
}

/// <summary>An ECDSA key from a PEM file; held in memory until disposed.</summary>
public sealed class EcdsaPemSigner : IEcdsaSigner
{
    private readonly ECDsa _key;

    private EcdsaPemSigner(ECDsa key) => (_key, PublicKey) = (key, EcdsaKey.Of(key));

    /// <inheritdoc/>
    public EcdsaKey PublicKey { get; }

    /// <summary>A fresh key that lives only in memory.</summary>
    /// <param name="bits">256, 384 or 521.</param>
    public static EcdsaPemSigner Generate(int bits = 256) => new(ECDsa.Create(bits switch
    {
        256 => ECCurve.NamedCurves.nistP256,
        384 => ECCurve.NamedCurves.nistP384,
        521 => ECCurve.NamedCurves.nistP521,
        _ => throw new ArgumentOutOfRangeException(nameof(bits), bits, "The curves have 256, 384 or 521 bits."),
    }));

    /// <summary>Reads a private key: PKCS#8 or SEC 1, plain or encrypted.</summary>
    /// <param name="pem">The file's text.</param>
    /// <param name="passphrase">Opens an encrypted key; null for a plain one.</param>
    /// <exception cref="CryptographicException">There is no private ECDSA key in it, the passphrase is wrong, or the curve is another.</exception>
    public static EcdsaPemSigner FromPem(string pem, string? passphrase = null)
    {
        ArgumentNullException.ThrowIfNull(pem);
        var key = ECDsa.Create();
        try
        {
            if (passphrase is null)
                key.ImportFromPem(pem);
            else
                key.ImportFromEncryptedPem(pem, passphrase);
            key.SignHash(new byte[32]);   // a public key would load, too
            return new EcdsaPemSigner(key);
        }
        catch (Exception failure) when (failure is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new CryptographicException("This PEM file holds no private ECDSA key that opens: a plain or encrypted key on P-256, P-384 or P-521 is wanted.", failure);
        }
    }

    /// <summary>The private key as PKCS#8 PEM text, not encrypted: for a file with mode 0600.</summary>
    public string ToPem() => _key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <inheritdoc/>
    public ValueTask<byte[]> SignHashAsync(ReadOnlyMemory<byte> hash, CancellationToken cancel = default) => hash.Length == PublicKey.HashSizeInBytes
        ? ValueTask.FromResult(_key.SignHash(hash.Span, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))
        : throw new ArgumentException($"The key signs hashes of {PublicKey.HashSizeInBytes} bytes, not {hash.Length}.", nameof(hash));

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}

/// <summary>Signs data with any <see cref="IEcdsaSigner"/>, and turns the two halves of a signature into DER.</summary>
public static class EcdsaSignature
{
    /// <summary>The DER signature of <paramref name="data"/>.</summary>
    /// <exception cref="CryptographicException">The key's keeper refused, or gave what is no signature of its key.</exception>
    public static async ValueTask<byte[]> SignAsync(IEcdsaSigner signer, ReadOnlyMemory<byte> data, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(signer);
        var halves = await signer.SignHashAsync(signer.PublicKey.Hash(data.Span), cancel).ConfigureAwait(false);
        var der = ToDer(halves);
        return signer.PublicKey.Verify(data.Span, der)   // a token can be misconfigured: better no signature than a wrong one
            ? der
            : throw new CryptographicException($"What the key's keeper returned is no signature of {signer.PublicKey}.");
    }

    /// <summary>r and s, one after the other, as a DER sequence of two integers.</summary>
    /// <exception cref="CryptographicException">The halves are not of one length.</exception>
    public static byte[] ToDer(ReadOnlySpan<byte> halves)
    {
        if (halves.IsEmpty || halves.Length % 2 != 0)
            throw new CryptographicException($"{halves.Length} bytes are no two halves of a signature.");
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(new BigInteger(halves[..(halves.Length / 2)], isUnsigned: true, isBigEndian: true));
            writer.WriteInteger(new BigInteger(halves[(halves.Length / 2)..], isUnsigned: true, isBigEndian: true));
        }

        return writer.Encode();
    }
}
