using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Bulwark.Attestation.Tpm;

/// <summary>A key's public area (TPMT_PUBLIC): what it may do and where it comes from.</summary>
public sealed class TpmPublic
{
    private const ushort Rsa = 0x0001, Ecc = 0x0023, NullAlgorithm = 0x0010;

    private TpmPublic(ReadOnlySpan<byte> area)
    {
        var reader = new TpmReader(area);
        var type = reader.UInt16();
        var nameHash = (TpmHash)reader.UInt16();
        Attributes = reader.UInt32();
        reader.Buffer();
        if (reader.UInt16() is var symmetric && symmetric != NullAlgorithm)
            reader.Take(4);
        SubjectPublicKeyInfo = type switch
        {
            Rsa => ReadRsa(ref reader),
            Ecc => ReadEcc(ref reader),
            _ => throw new TpmFormatException($"Key type 0x{type:x} is not known."),
        };
        reader.ThrowIfNotAtEnd();
        IsRsa = type == Rsa;
        Name = NameOf(nameHash, area);
    }

    internal bool IsRsa { get; }

    /// <summary>Object attributes (part 2, 8.3).</summary>
    public uint Attributes { get; }
    /// <summary>The key as DER SubjectPublicKeyInfo.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; }
    /// <summary>The key's name: algorithm and digest of the public area.</summary>
    public ReadOnlyMemory<byte> Name { get; }

    /// <summary>The key signs only what the TPM itself made: a quote by it cannot be forged from outside.</summary>
    public bool IsRestrictedSigner => Has(0x1_0000) && Has(0x4_0000) && !Has(0x2_0000);
    /// <summary>The key was made in this TPM and cannot leave it.</summary>
    public bool IsFixed => Has(0x2) && Has(0x10) && Has(0x20);

    /// <summary>Reads a TPM2B_PUBLIC, or a bare TPMT_PUBLIC.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TpmPublic? key)
    {
        key = null;
        try
        {
            var isSized = bytes.Length > 2 && BinaryPrimitives.ReadUInt16BigEndian(bytes) == bytes.Length - 2;
            key = new TpmPublic(isSized ? bytes[2..] : bytes);
        }
        catch (Exception failure) when (failure is TpmFormatException || Certificates.KeyRefusal.Is(failure))
        {
            // the answer, not a failure: hostile bytes are expected here
        }

        return key is not null;
    }

    private bool Has(uint bit) => (Attributes & bit) != 0;

    private static void ReadScheme(ref TpmReader reader)
    {
        if (reader.UInt16() != NullAlgorithm)
            reader.UInt16();
    }

    private static byte[] ReadRsa(ref TpmReader reader)
    {
        ReadScheme(ref reader);
        var bits = reader.UInt16();
        var exponent = reader.UInt32();
        var modulus = reader.Buffer();
        if (modulus.Length * 8 != bits || bits < 1024 || modulus[0] < 0x80)
            throw new TpmFormatException("The modulus is not as long as the key says, or shorter than 1,024 bits.");
        Span<byte> exponentBytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(exponentBytes, exponent == 0 ? 65537 : exponent);
        using var rsa = RSA.Create(new RSAParameters { Modulus = modulus.ToArray(), Exponent = exponentBytes.TrimStart((byte)0).ToArray() });
        return rsa.ExportSubjectPublicKeyInfo();
    }

    private static byte[] ReadEcc(ref TpmReader reader)
    {
        ReadScheme(ref reader);
        var curve = reader.UInt16();
        ReadKdf(ref reader);
        var (named, size) = curve switch
        {
            0x0003 => (ECCurve.NamedCurves.nistP256, 32),
            0x0004 => (ECCurve.NamedCurves.nistP384, 48),
            _ => throw new TpmFormatException($"Curve 0x{curve:x} is not known."),
        };
        using var key = ECDsa.Create(new ECParameters { Curve = named, Q = new() { X = Padded(reader.Buffer(), size), Y = Padded(reader.Buffer(), size) } });
        return key.ExportSubjectPublicKeyInfo();
    }

    private static void ReadKdf(ref TpmReader reader) => ReadScheme(ref reader);

    internal static byte[] Padded(ReadOnlySpan<byte> number, int size)
    {
        if (number.Length > size)
            throw new TpmFormatException($"A coordinate has {number.Length} bytes, not {size}.");
        var padded = new byte[size];
        number.CopyTo(padded.AsSpan(size - number.Length));
        return padded;
    }

    private static byte[] NameOf(TpmHash hash, ReadOnlySpan<byte> area)
    {
        Span<byte> algorithm = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(algorithm, (ushort)hash);
        return [.. algorithm, .. hash.Hash(area)];
    }
}
