namespace Bulwark.Cryptography;

/// <summary>Whole segmented messages in one array, on the caller's thread.</summary>
internal static class SegmentedBytes
{
    /// <returns>header | segments.</returns>
    internal static byte[] Encrypt(SegmentedMessage message, ReadOnlySpan<byte> plaintext)
    {
        var layout = message.Layout;
        var segments = layout.SegmentsOfPlaintext(plaintext.Length);
        var result = new byte[layout.HeaderSizeInBytes + layout.BodyLength(plaintext.Length)];
        message.Header.CopyTo(result);
        var target = result.AsSpan(layout.HeaderSizeInBytes);
        for (var index = 0; index < segments; index++)
        {
            var part = plaintext[..Math.Min(plaintext.Length, layout.PlaintextSize(index))];
            var segment = target[..(part.Length + layout.OverheadInBytes)];
            message.EncryptSegment(index, part, final: index == segments - 1, segment);
            plaintext = plaintext[part.Length..];
            target = target[segment.Length..];
        }

        return result;
    }

    /// <param name="message">Opened by its header.</param>
    /// <param name="body">What follows the header.</param>
    internal static byte[] Decrypt(SegmentedMessage message, ReadOnlySpan<byte> body)
    {
        var layout = message.Layout;
        if (!layout.TryMeasure(body.Length, out var segments, out var length))
            throw SegmentedMessage.Refused();
        var plaintext = new byte[length];
        var target = plaintext.AsSpan();
        for (var index = 0; index < segments; index++)
        {
            var segment = body[..Math.Min(body.Length, layout.SegmentSize(index))];
            var part = target[..(segment.Length - layout.OverheadInBytes)];
            message.DecryptSegment(index, segment, final: index == segments - 1, part);
            body = body[segment.Length..];
            target = target[part.Length..];
        }

        return plaintext;
    }
}
