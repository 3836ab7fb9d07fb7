using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Tests.Cryptography;

/// <summary>Decodes a sealed file's payload by its specification alone, with the base library and nothing of ours: what `seal export-key` is for.</summary>
internal static class ReferenceDecoder
{
    /// <summary>SHA-256 of everything from the magic to the end of the immutable part; and where the payload begins.</summary>
    internal static (byte[] Binding, int PayloadOffset) Header(byte[] file)
    {
        int immutable = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(12)), slots = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(16));
        return (SHA256.HashData(file.AsSpan(0, 20 + immutable)), (20 + immutable + 2 * (slots + 32) + 511) / 512 * 512);
    }

    internal static byte[] Floe(byte[] key, byte[] aad, byte[] message)
    {
        byte[] Kdf(byte[] k, byte[] purpose, int length) => HMACSHA384.HashData(k, (byte[])[.. message.AsSpan(0, 42), .. purpose, .. aad, 1])[..length];
        if (!Kdf(key, "HEADER_TAG:"u8.ToArray(), 32).AsSpan().SequenceEqual(message.AsSpan(42, 32)))
            throw new CryptographicException("header tag");
        var messageKey = Kdf(key, "MESSAGE_KEY:"u8.ToArray(), 48);
        var size = BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(2));
        var plaintext = new List<byte>();
        for (long i = 0, at = 74; ; i++, at += size)
        {
            var final = at + size >= message.Length;
            var segment = message[(int)at..(final ? message.Length : (int)at + size)];
            if (BinaryPrimitives.ReadUInt32BigEndian(segment) != (final ? (uint)segment.Length : uint.MaxValue))
                throw new CryptographicException("segment length");
            byte[] position = [.. BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(i)), final ? (byte)1 : (byte)0];
            using var aes = new AesGcm(Kdf(messageKey, [.. "DEK:"u8, .. BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(i >> 20 << 20))], 32), 16);
            plaintext.AddRange(Open(aes, segment[4..16], segment[16..], position));
            if (final)
                return [.. plaintext];
        }
    }

    internal static byte[] Cobblestone(byte[] key, byte[] context, byte[] message)
    {
        byte[] info = [.. Encoding.ASCII.GetBytes("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"), .. message.AsSpan(0, 24), .. context];
        var first = HMACSHA512.HashData(key, (byte[])[.. info, 1]);
        byte[] derived = [.. first, .. HMACSHA512.HashData(key, (byte[])[.. first, .. info, 2])];
        if (!derived.AsSpan(44, 32).SequenceEqual(message.AsSpan(24, 32)))
            throw new CryptographicException("commitment");
        using var aes = new AesGcm(derived[..32], 16);
        var plaintext = new List<byte>();
        for (long i = 0, at = 56; ; i++, at += 16400)
        {
            var final = message.Length - at < 16400;
            var nonce = derived[32..44];
            BinaryPrimitives.WriteInt64BigEndian(nonce.AsSpan(4), BinaryPrimitives.ReadInt64BigEndian(nonce.AsSpan(4)) ^ i);
            plaintext.AddRange(Open(aes, nonce, message[(int)at..(final ? message.Length : (int)at + 16400)], []));
            if (final)
                return [.. plaintext];
        }
    }

    private static byte[] Open(AesGcm aes, byte[] nonce, byte[] ciphertext, byte[] aad)
    {
        var plaintext = new byte[ciphertext.Length - 16];
        aes.Decrypt(nonce, ciphertext[..^16], ciphertext[^16..], plaintext, aad);
        return plaintext;
    }
}
