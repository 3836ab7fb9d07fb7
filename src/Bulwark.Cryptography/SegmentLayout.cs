namespace Bulwark.Cryptography;

/// <summary>Where the segments of a <see cref="SegmentedMessage"/> lie: header | segment 0 | segment 1 | … All sizes in bytes.</summary>
/// <param name="HeaderSizeInBytes">Before segment 0.</param>
/// <param name="SegmentSizeInBytes">Of every segment but the first and the last, overhead included.</param>
/// <param name="FirstSegmentSizeInBytes">Of segment 0, overhead included, when it is not the last: the same, or less where the header is counted in it.</param>
/// <param name="PrefixSizeInBytes">What stands before a segment's ciphertext.</param>
/// <param name="TagSizeInBytes">What stands after it.</param>
/// <param name="FinalIsShort">True when the last segment is told by its length: it must be shorter than the others.</param>
/// <param name="MaximumSegments">Segments of one message, at most.</param>
public readonly record struct SegmentLayout(
    int HeaderSizeInBytes, int SegmentSizeInBytes, int FirstSegmentSizeInBytes, int PrefixSizeInBytes, int TagSizeInBytes, bool FinalIsShort, long MaximumSegments)
{
    /// <summary>What a segment adds to its plaintext.</summary>
    public int OverheadInBytes => PrefixSizeInBytes + TagSizeInBytes;

    /// <summary>Length of segment <paramref name="index"/> when it is not the last.</summary>
    public int SegmentSize(long index) => index == 0 ? FirstSegmentSizeInBytes : SegmentSizeInBytes;

    /// <summary>The most plaintext that segment <paramref name="index"/> holds.</summary>
    public int PlaintextSize(long index) => SegmentSize(index) - OverheadInBytes;

    /// <summary>Where segment <paramref name="index"/> begins, counted from the header's end.</summary>
    public long SegmentStart(long index) => index == 0 ? 0 : FirstSegmentSizeInBytes + (index - 1) * SegmentSizeInBytes;

    /// <summary>Where the plaintext of segment <paramref name="index"/> begins.</summary>
    public long PlaintextStart(long index) => SegmentStart(index) - index * OverheadInBytes;

    /// <summary>The segment that holds the plaintext byte at <paramref name="offset"/>.</summary>
    public long SegmentOf(long offset) => offset < PlaintextSize(0) ? 0 : 1 + (offset - PlaintextSize(0)) / PlaintextSize(1);

    /// <summary>How many segments a plaintext makes; at least one.</summary>
    /// <param name="plaintextLength">0 or more.</param>
    public long SegmentsOfPlaintext(long plaintextLength) =>
        plaintextLength == 0 || FinalIsShort ? SegmentOf(plaintextLength) + 1 : SegmentOf(plaintextLength - 1) + 1;

    /// <summary>Length of all segments of a plaintext, without the header.</summary>
    /// <param name="plaintextLength">0 or more.</param>
    public long BodyLength(long plaintextLength) => plaintextLength + SegmentsOfPlaintext(plaintextLength) * OverheadInBytes;

    /// <summary>What a body of <paramref name="bodyLength"/> bytes, without the header, holds; false when no message has that length.</summary>
    public bool TryMeasure(long bodyLength, out long segments, out long plaintextLength)
    {
        segments = bodyLength <= FirstSegmentSizeInBytes ? 1 : 1 + (bodyLength - FirstSegmentSizeInBytes + SegmentSizeInBytes - 1) / SegmentSizeInBytes;
        var last = bodyLength - SegmentStart(segments - 1);
        plaintextLength = bodyLength - segments * OverheadInBytes;
        return last >= OverheadInBytes && segments <= MaximumSegments && !(FinalIsShort && last == SegmentSize(segments - 1));
    }
}
