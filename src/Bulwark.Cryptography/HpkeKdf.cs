using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>The labelled HKDF-SHA256 of RFC 9180 §4: every derived value names the protocol, the suite and its purpose.</summary>
internal static class HpkeKdf
{
    internal const int HashSize = 32;
    internal const ushort Id = 0x0001;   // RFC 9180 §7.2

    internal static byte[] KemSuite(ushort kem) => [.. "KEM"u8, (byte)(kem >> 8), (byte)kem];

    internal static byte[] Suite(ushort kem, ushort aead) => [.. "HPKE"u8, (byte)(kem >> 8), (byte)kem, 0, (byte)Id, (byte)(aead >> 8), (byte)aead];

    internal static byte[] Extract(byte[] suite, ReadOnlySpan<byte> salt, string label, ReadOnlySpan<byte> inputKey)
    {
        var pseudoRandom = new byte[HashSize];
        byte[] labeled = [.. "HPKE-v1"u8, .. suite, .. Encoding.ASCII.GetBytes(label), .. inputKey];
        HKDF.Extract(HashAlgorithmName.SHA256, labeled, salt, pseudoRandom);
        CryptographicOperations.ZeroMemory(labeled);
        return pseudoRandom;
    }

    internal static byte[] Expand(byte[] suite, ReadOnlySpan<byte> pseudoRandom, string label, ReadOnlySpan<byte> info, int length)
    {
        var output = new byte[length];
        HKDF.Expand(HashAlgorithmName.SHA256, pseudoRandom, output, [(byte)(length >> 8), (byte)length, .. "HPKE-v1"u8, .. suite, .. Encoding.ASCII.GetBytes(label), .. info]);
        return output;
    }
}
