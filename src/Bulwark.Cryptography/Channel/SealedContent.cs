using System.Buffers.Binary;

namespace Bulwark.Cryptography;

/// <summary>What a sealed answer holds: the status (16 bits, big-endian), the receipt's salt (32 bytes), the body.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Salt">The receipt's salt.</param>
/// <param name="Body">The answer's JSON.</param>
public sealed record SealedContent(int Status, ReadOnlyMemory<byte> Salt, ReadOnlyMemory<byte> Body)
{
    private const int SaltSize = 32, FrontSize = 2 + SaltSize;

    /// <summary>The bytes to seal.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[FrontSize + Body.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, checked((ushort)Status));
        Salt.Span.CopyTo(bytes.AsSpan(2));
        Body.Span.CopyTo(bytes.AsSpan(FrontSize));
        return bytes;
    }

    /// <summary>Reads what was sealed.</summary>
    /// <exception cref="SealedRequestException">It is too short.</exception>
    public static SealedContent Parse(ReadOnlyMemory<byte> bytes) => bytes.Length >= FrontSize
        ? new(BinaryPrimitives.ReadUInt16BigEndian(bytes.Span), bytes.Slice(2, SaltSize), bytes[FrontSize..])
        : throw new SealedRequestException(SealedRefusal.Malformed, "The sealed answer is too short.");
}
