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
        return SegmentedBytes.Encrypt(message, plaintext);
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
        if (message.Length < FloeMessage.HeaderSizeInBytes)
            throw SegmentedMessage.Refused();
        using var opened = FloeMessage.Open(key, associatedData, message[..FloeMessage.HeaderSizeInBytes], rotationBits);
        return SegmentedBytes.Decrypt(opened, message[FloeMessage.HeaderSizeInBytes..]);
    }
}
