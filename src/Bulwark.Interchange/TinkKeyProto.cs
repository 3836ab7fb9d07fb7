using System.Security.Cryptography;

namespace Bulwark.Interchange;

/// <summary>Tink's AesGcmHkdfStreamingKey in protobuf: { uint32 version 1; { uint32 segment 1; uint32 derived 2; enum hash 3 } params 2; bytes key 3 }.</summary>
internal static class TinkKeyProto
{
    private static readonly (uint Code, HashAlgorithmName Name)[] s_hashes = [(1, HashAlgorithmName.SHA1), (3, HashAlgorithmName.SHA256), (4, HashAlgorithmName.SHA512)];

    internal static TinkStreamingKey Read(ReadOnlyMemory<byte> message)
    {
        uint version = 0, segment = 0, derived = 0, hash = 0;
        ReadOnlyMemory<byte> key = default;
        while (!message.IsEmpty)
        {
            Field(ref message, out var field, out var number, out var bytes);
            if (field == 1)
                version = number;
            else if (field == 3)
                key = bytes;
            for (var parameters = field == 2 ? bytes : default; !parameters.IsEmpty;)
            {
                Field(ref parameters, out var inner, out var value, out _);
                (segment, derived, hash) = inner switch { 1 => (value, derived, hash), 2 => (segment, value, hash), 3 => (segment, derived, value), _ => (segment, derived, hash) };
            }
        }

        if (version != 0)
            throw new FormatException("The key is of a later version.");
        var name = Array.Find(s_hashes, known => known.Code == hash).Name;
        return new TinkStreamingKey(key.Span, checked((int)segment), checked((int)derived), name);
    }

    internal static byte[] Write(TinkStreamingKey key)
    {
        byte[] parameters = [0x08, .. Number((uint)key.SegmentSizeInBytes), 0x10, .. Number((uint)key.DerivedKeySizeInBytes), 0x18, .. Number(Array.Find(s_hashes, known => known.Name == key.Hash).Code)];
        return [0x12, .. Number((uint)parameters.Length), .. parameters, 0x1a, .. Number((uint)key.Key.Length), .. key.Key];
    }

    /// <summary>A field's number, and its integer or its bytes.</summary>
    private static void Field(ref ReadOnlyMemory<byte> message, out uint field, out uint number, out ReadOnlyMemory<byte> bytes)
    {
        var tag = Number(ref message);
        field = tag >> 3;
        number = Number(ref message);
        bytes = default;
        if ((tag & 7) == 0)
            return;
        if ((tag & 7) != 2 || number > (uint)message.Length)
            throw new FormatException("The key is malformed.");
        bytes = message[..(int)number];
        message = message[(int)number..];
    }

    private static uint Number(ref ReadOnlyMemory<byte> message)
    {
        uint number = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            if (message.IsEmpty)
                throw new FormatException("The key is cut.");
            var part = message.Span[0];
            message = message[1..];
            number |= unchecked((uint)(part & 0x7f) << shift);
            if (part < 0x80)
                return number;
        }

        throw new FormatException("The key has a number that is too long.");
    }

    private static byte[] Number(uint value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value & 0x7f | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
