namespace Bulwark.Cryptography;

/// <summary>Whole FLOE messages in memory; for files there is <see cref="SealedFile"/>, for segments <see cref="FloeMessage"/>.</summary>
public static class Floe
{
    /// <summary>Encrypts all of <paramref name="plaintext"/>.</summary>
    /// <param name="key">32 bytes, uniformly random.</param>
    /// <param name="associatedData">What the message belongs to; the reader needs the same.</param>
    /// <param name="plaintext">Any bytes, also none.</param>
    /// <param name="segmentSizeInBytes">33 to 16 MiB, overhead included.</param>
    /// <returns>header | segments.</returns>
    public static byte[] Encrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext, int segmentSizeInBytes)
    {
        using var message = FloeMessage.Create(key, associatedData, segmentSizeInBytes);
        var step = message.PlaintextPerSegmentInBytes;
        var segments = Math.Max(1, (plaintext.Length + step - 1) / step);
        var result = new byte[FloeMessage.HeaderSizeInBytes + plaintext.Length + segments * FloeMessage.SegmentOverheadInBytes];
        message.Header.CopyTo(result);
        var target = result.AsSpan(FloeMessage.HeaderSizeInBytes);
        for (var index = 0; index < segments; index++)
        {
            var final = index == segments - 1;
            var part = final ? plaintext : plaintext[..step];
            var segment = target[..(part.Length + FloeMessage.SegmentOverheadInBytes)];
            message.EncryptSegment(index, part, final, segment);
            plaintext = plaintext[part.Length..];
            target = target[segment.Length..];
        }

        return result;
    }

    /// <summary>Decrypts a whole message; nothing is returned unless every segment is right and the last is there.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="associatedData">What the message was made for.</param>
    /// <param name="message">header | segments, nothing after.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">Always the same one, whatever is wrong.</exception>
    public static byte[] Decrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> message) =>
        Decrypt(key, associatedData, message, FloeMessage.DefaultRotationBits);

    internal static byte[] Decrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> message, int rotationBits)
    {
        if (message.Length < FloeMessage.HeaderSizeInBytes + FloeMessage.SegmentOverheadInBytes)
            throw FloeMessage.Refused();
        using var opened = FloeMessage.Open(key, associatedData, message[..FloeMessage.HeaderSizeInBytes], rotationBits);
        var source = message[FloeMessage.HeaderSizeInBytes..];
        var segments = (source.Length + opened.SegmentSizeInBytes - 1) / opened.SegmentSizeInBytes;
        if (source.Length - (segments - 1) * opened.SegmentSizeInBytes < FloeMessage.SegmentOverheadInBytes)
            throw FloeMessage.Refused();
        var plaintext = new byte[source.Length - segments * FloeMessage.SegmentOverheadInBytes];
        var target = plaintext.AsSpan();
        for (var index = 0; index < segments; index++)
        {
            var segment = source[..Math.Min(source.Length, opened.SegmentSizeInBytes)];
            var part = target[..(segment.Length - FloeMessage.SegmentOverheadInBytes)];
            opened.DecryptSegment(index, segment, final: index == segments - 1, part);
            source = source[segment.Length..];
            target = target[part.Length..];
        }

        return plaintext;
    }
}
