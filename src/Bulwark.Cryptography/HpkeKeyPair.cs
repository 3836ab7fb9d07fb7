using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>A P-256 key pair that opens what <see cref="Hpke"/> seals to its public half.</summary>
public sealed class HpkeKeyPair : IKemKeyPair, IDisposable
{
    /// <summary>Length of a public key: an uncompressed point, 04 | x | y.</summary>
    public const int PublicKeySizeInBytes = 65;

    /// <summary>The order of P-256's group (FIPS 186-5).</summary>
    private static readonly byte[] Order = Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");

    private readonly ECDiffieHellman _key;
    private readonly byte[] _publicKey;

    private HpkeKeyPair(ECDiffieHellman key)
    {
        _key = key;
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        _publicKey = [4, .. point.X!, .. point.Y!];
    }

    /// <summary>The public half, to be given to sealers: 65 bytes.</summary>
    public ReadOnlySpan<byte> PublicKey => _publicKey;

    ushort IKemKeyPair.Kem => 0x0010;

    ReadOnlySpan<byte> IKemKeyPair.PublicBytes => _publicKey;

    /// <summary>A fresh key pair that lives only in memory.</summary>
    public static HpkeKeyPair Generate() => new(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Wipes the private half.</summary>
    public void Dispose() => _key.Dispose();

    internal static HpkeKeyPair Import(byte[] privateKey, ReadOnlySpan<byte> publicKey) => new(ECDiffieHellman.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        D = privateKey,
        Q = new ECPoint { X = publicKey[1..33].ToArray(), Y = publicKey[33..].ToArray() },
    }));

    /// <summary>A key pair from keying material (RFC 9180 §7.1.3): the first candidate below the group's order.</summary>
    internal static HpkeKeyPair Derive(ReadOnlySpan<byte> inputKey)
    {
        var suite = HpkeKdf.KemSuite(0x0010);
        var pseudoRandom = HpkeKdf.Extract(suite, [], "dkp_prk", inputKey);
        for (byte counter = 0; counter < byte.MaxValue; counter++)
        {
            var candidate = HpkeKdf.Expand(suite, pseudoRandom, "candidate", [counter], 32);
            if (candidate.AsSpan().SequenceCompareTo(Order) < 0 && candidate.AsSpan().ContainsAnyExcept((byte)0))
                return Import(candidate);
        }

        throw new CryptographicException("No key could be derived.");
    }

    /// <summary>A key pair of a private key; the public half is computed.</summary>
    internal static HpkeKeyPair Import(byte[] privateKey) => new(ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = privateKey }));

    /// <summary>The private half, 32 bytes; the caller wipes it.</summary>
    internal byte[] ExportPrivateKey() => _key.ExportParameters(includePrivateParameters: true).D!;

    byte[] IKemKeyPair.Agree(ReadOnlySpan<byte> publicKey) => Agree(publicKey);

    /// <summary>The shared x coordinate (RFC 9180 §7.1.1). A point that is not on the curve is refused when it is imported.</summary>
    internal byte[] Agree(ReadOnlySpan<byte> publicKey)
    {
        if (publicKey.Length != PublicKeySizeInBytes || publicKey[0] != 4)
            throw new ArgumentException($"A P-256 public key has {PublicKeySizeInBytes} bytes and begins with 04.", nameof(publicKey));
        try
        {
            using var other = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = publicKey[1..33].ToArray(), Y = publicKey[33..].ToArray() },
            });
            return _key.DeriveRawSecretAgreement(other.PublicKey);
        }
        catch (CryptographicException failure)
        {
            throw new ArgumentException("The public key is no point on P-256.", nameof(publicKey), failure);
        }
    }
}
