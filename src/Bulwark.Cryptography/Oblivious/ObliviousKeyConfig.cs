using System.Buffers.Binary;

namespace Bulwark.Cryptography;

/// <summary>A key that requests are sealed to, and with what (RFC 9458 §3.1).</summary>
/// <param name="Id">The key's number, which requests carry.</param>
/// <param name="Kem">RFC 9180 §7.1: 0x0010 P-256, 0x0020 X25519.</param>
/// <param name="PublicKey">65 or 32 bytes.</param>
/// <param name="Suites">KDF and AEAD, best first.</param>
internal sealed record ObliviousKeyConfig(byte Id, ushort Kem, byte[] PublicKey, IReadOnlyList<(ushort Kdf, ushort Aead)> Suites)
{
    /// <summary>The media type of a list of them.</summary>
    internal const string MediaType = "application/ohttp-keys";

    internal byte[] ToBytes()
    {
        var bytes = new byte[5 + PublicKey.Length + 4 * Suites.Count];
        bytes[0] = Id;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(1), Kem);
        PublicKey.CopyTo(bytes, 3);
        var rest = bytes.AsSpan(3 + PublicKey.Length);
        BinaryPrimitives.WriteUInt16BigEndian(rest, checked((ushort)(4 * Suites.Count)));
        for (var i = 0; i < Suites.Count; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(rest[(2 + 4 * i)..], Suites[i].Kdf);
            BinaryPrimitives.WriteUInt16BigEndian(rest[(4 + 4 * i)..], Suites[i].Aead);
        }

        return bytes;
    }

    /// <exception cref="InvalidDataException">It is no key configuration of a KEM that is built.</exception>
    internal static ObliviousKeyConfig Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 5)
            throw new InvalidDataException("A key configuration has at least 5 bytes.");
        var kem = BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
        var size = KeySize(kem);
        if (bytes.Length < 5 + size)
            throw new InvalidDataException("The key configuration breaks off.");
        var suites = bytes[(5 + size)..];
        if (BinaryPrimitives.ReadUInt16BigEndian(bytes[(3 + size)..]) != suites.Length || suites.Length == 0 || suites.Length % 4 != 0)
            throw new InvalidDataException("The key configuration's list of suites has a wrong length.");
        var known = new List<(ushort, ushort)>();
        for (; !suites.IsEmpty; suites = suites[4..])
            known.Add((BinaryPrimitives.ReadUInt16BigEndian(suites), BinaryPrimitives.ReadUInt16BigEndian(suites[2..])));
        return new(bytes[0], kem, bytes.Slice(3, size).ToArray(), known);
    }

    /// <summary>Reads <see cref="MediaType"/> (RFC 9458 §3.2): each after its 16-bit length; those of another KEM are passed over.</summary>
    /// <exception cref="InvalidDataException">It is no such list.</exception>
    internal static IReadOnlyList<ObliviousKeyConfig> ParseList(ReadOnlySpan<byte> bytes)
    {
        var configs = new List<ObliviousKeyConfig>();
        while (!bytes.IsEmpty)
        {
            if (bytes.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(bytes) is var size && bytes.Length - 2 < size)
                throw new InvalidDataException("The list of key configurations breaks off.");
            var one = bytes.Slice(2, size);
            if (one.Length >= 3 && BinaryPrimitives.ReadUInt16BigEndian(one[1..]) is 0x0010 or 0x0020)
                configs.Add(Parse(one));
            bytes = bytes[(2 + size)..];
        }

        return configs;
    }

    /// <summary>Length of a public key and of an encapsulated key, in bytes.</summary>
    /// <exception cref="InvalidDataException">The KEM is not built.</exception>
    internal static int KeySize(ushort kem) => kem switch
    {
        0x0010 => HpkeKeyPair.PublicKeySizeInBytes,
        0x0020 => X25519PublicKey.SizeInBytes,
        _ => throw new InvalidDataException($"KEM 0x{kem:x4} is not built; 0x0010 and 0x0020 are."),
    };

    internal IKemKeyPair Ephemeral() => Kem == 0x0010 ? HpkeKeyPair.Generate() : X25519KeyPair.Generate();
}
