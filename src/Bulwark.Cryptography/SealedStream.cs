namespace Bulwark.Cryptography;

/// <summary>The plaintext of a sealed file; see <see cref="SegmentedStream"/>.</summary>
public sealed class SealedStream : SegmentedStream
{
    private SealedStream(Stream source, SegmentedMessage message, SealedFileInfo info, int readAhead)
        : base(source, message, readAhead) => Info = info;

    /// <summary>The header's facts, proved by the tag that opened it.</summary>
    public SealedFileInfo Info { get; }

    /// <summary>Opens the payload; where the length is not in the header, the last segment is opened at once, so that a cut file is refused here.</summary>
    internal static SealedStream Open(Stream source, SealedFileHeader header, ReadOnlySpan<byte> dataKey, int readAhead)
    {
        var message = OpenMessage(source, header, dataKey);
        try
        {
            var stream = new SealedStream(source, message, header.Info, readAhead);
            if (header.Info.PlaintextBytes is { } stated && stated != stream.Length)
                throw SegmentedMessage.Refused();
            if (header.Info.PlaintextBytes is null || stream.EndsInEmptySegment)
                stream.CheckEnd();   // reading would never come to a segment that holds nothing
            return stream;
        }
        catch
        {
            message.Dispose();
            throw;
        }
    }

    /// <summary>Reads the payload's own header and leaves the source at its first segment.</summary>
    internal static SegmentedMessage OpenMessage(Stream source, SealedFileHeader header, ReadOnlySpan<byte> dataKey)
    {
        var suite = header.Info.Suite;
        Span<byte> head = stackalloc byte[suite == SealSuite.Floe ? FloeMessage.HeaderSizeInBytes : CobblestoneMessage.HeaderSizeInBytes];
        if (source.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) != head.Length)
            throw SegmentedMessage.Refused();
        using var key = SealedFileHeader.PayloadKey(suite, dataKey);
        if (suite == SealSuite.Cobblestone)
            return CobblestoneMessage.Open(key.Span, header.Binding, head);
        var message = FloeMessage.Open(key.Span, header.Binding, head);
        if (message.SegmentSizeInBytes == SealedFile.FloeSegmentSize)
            return message;
        message.Dispose();
        throw SegmentedMessage.Refused();
    }
}
