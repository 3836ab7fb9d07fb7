using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Attestation.Tpm;

/// <summary>TPM2_MakeCredential in software: a secret that only a TPM which holds both keys can read (TPM 2.0 Library part 1, 24; part 1, annex B.10.4 and C.6.4).</summary>
/// <remarks>Endorsement keys of the common templates: RSA 2048 and P-256, name algorithm SHA-256, AES-128 in CFB.</remarks>
internal sealed record TpmCredential(byte[] Secret, byte[] Blob, byte[] EncryptedSecret)
{
    private const int HashSize = 32, KeySize = 16, SecretSize = 32;

    /// <summary>Makes a credential; null when a key cannot be read or is of another template.</summary>
    internal static TpmCredential? TryMake(ReadOnlySpan<byte> endorsementKey, ReadOnlySpan<byte> attestationKey)
    {
        if (!TpmPublic.TryRead(endorsementKey, out var endorsement) || !TpmPublic.TryRead(attestationKey, out var attestation))
            return null;
        try
        {
            var (seed, encrypted) = Seed(endorsement);
            var name = attestation.Name.Span;
            var secret = RandomNumberGenerator.GetBytes(SecretSize);
            using var aes = Aes.Create();
            aes.Key = Kdfa(seed, "STORAGE", name, KeySize);
            var sized = Sized(secret);
            var identity = aes.EncryptCfb(sized, new byte[16], PaddingMode.Zeros, feedbackSizeInBits: 128)[..sized.Length];   // a stream mode: the padding's part is cut off again
            var integrity = HMACSHA256.HashData(Kdfa(seed, "INTEGRITY", [], HashSize), (ReadOnlySpan<byte>)[.. identity, .. name]);
            return new(secret, Sized([.. Sized(integrity), .. identity]), Sized(encrypted));
        }
        catch (Exception failure) when (Certificates.KeyRefusal.Is(failure))
        {
            return null;   // the answer, not a failure: nobody can be sealed to by this key
        }
    }

    private static (byte[] Seed, byte[] Encrypted) Seed(TpmPublic endorsement)
    {
        var key = endorsement.SubjectPublicKeyInfo.Span;
        if (endorsement.IsRsa)
        {
            using var rsa = RSA.Create();
            rsa.ImportSubjectPublicKeyInfo(key, out _);
            return Oaep(rsa);
        }

        using var ecdh = ECDiffieHellman.Create();
        ecdh.ImportSubjectPublicKeyInfo(key, out _);
        using var ephemeral = ECDiffieHellman.Create(ecdh.ExportParameters(false).Curve);
        using var other = ecdh.PublicKey;
        var shared = ephemeral.DeriveRawSecretAgreement(other);
        var (mine, theirs) = (ephemeral.ExportParameters(false).Q, ecdh.ExportParameters(false).Q);
        // KDFe (part 1, 11.4.10.3): H(counter | Z | label | ephemeral x | static x).
        var seed = SHA256.HashData([0, 0, 0, 1, .. shared, .. Encoding.ASCII.GetBytes("IDENTITY\0"), .. mine.X!, .. theirs.X!]);
        return (seed, [.. Sized(mine.X!), .. Sized(mine.Y!)]);
    }

    /// <summary>RSAES-OAEP with SHA-256 and the label "IDENTITY" (part 1, B.4); the platform's has no label, so the encoding of RFC 8017 §7.1.1 stands here.</summary>
    private static (byte[] Seed, byte[] Encrypted) Oaep(RSA rsa)
    {
        var size = rsa.KeySize / 8;
        var seed = RandomNumberGenerator.GetBytes(HashSize);
        var block = new byte[size];
        var (mask, data) = (RandomNumberGenerator.GetBytes(HashSize), new byte[size - HashSize - 1]);
        SHA256.HashData("IDENTITY\0"u8, data);
        data[^(seed.Length + 1)] = 1;
        seed.CopyTo(data, data.Length - seed.Length);
        Xor(data, Mgf1(mask, data.Length));
        Xor(mask, Mgf1(data, mask.Length));
        mask.CopyTo(block, 1);
        data.CopyTo(block, 1 + HashSize);
        var parameters = rsa.ExportParameters(false);
        var number = System.Numerics.BigInteger.ModPow(Number(block), Number(parameters.Exponent!), Number(parameters.Modulus!));
        var encrypted = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return (seed, [.. new byte[size - encrypted.Length], .. encrypted]);
    }

    /// <summary>KDFa (part 1, 11.4.10.2) with HMAC-SHA-256; at most one block is asked for.</summary>
    private static byte[] Kdfa(byte[] key, string label, ReadOnlySpan<byte> context, int size)
    {
        var bits = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bits, (uint)size * 8);
        return HMACSHA256.HashData(key, (ReadOnlySpan<byte>)[0, 0, 0, 1, .. Encoding.ASCII.GetBytes(label), 0, .. context, .. bits])[..size];
    }

    private static byte[] Mgf1(byte[] seed, int length)
    {
        var mask = new List<byte>();
        for (var counter = 0; mask.Count < length; counter++)
            mask.AddRange(SHA256.HashData([.. seed, 0, 0, 0, (byte)counter]));
        return [.. mask.Take(length)];
    }

    private static void Xor(byte[] target, byte[] mask)
    {
        for (var index = 0; index < target.Length; index++)
            target[index] ^= mask[index];
    }

    private static System.Numerics.BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static byte[] Sized(byte[] bytes) => [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];
}
