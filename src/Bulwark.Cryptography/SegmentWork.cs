namespace Bulwark.Cryptography;

/// <summary>Some segments in a row: from which on, how many bytes of input, and whether the input ends with them.</summary>
internal readonly record struct SegmentBatch(long Index, int Count, bool Last);

/// <summary>Encrypts or decrypts a batch of segments of about 1 MiB: one long segment in place, or many short ones from one buffer to another.</summary>
internal static class SegmentWork
{
    internal static int PerBatch(SegmentLayout layout) => Math.Max(1, SegmentBuffer.UsualSize / layout.SegmentSizeInBytes);

    /// <summary>Where input lies in the buffer: plaintext that is encrypted in place leaves room for the prefix.</summary>
    internal static int InputStart(SegmentLayout layout, bool seals) => PerBatch(layout) == 1 && seals ? layout.PrefixSizeInBytes : 0;

    /// <param name="message">Its key; one a thread.</param>
    /// <param name="batch">What lies in the first buffer, from <see cref="InputStart"/> on.</param>
    /// <param name="seals">True to encrypt.</param>
    /// <param name="first">The input; also the output where one segment is a batch.</param>
    /// <param name="second">The output otherwise.</param>
    /// <returns>The output, and how much plaintext there was.</returns>
    internal static (ReadOnlyMemory<byte> Output, int Plaintext) Transform(SegmentedMessage message, SegmentBatch batch, bool seals, SegmentBuffer first, SegmentBuffer second)
    {
        var layout = message.Layout;
        var perBatch = PerBatch(layout);
        var (inPlace, start) = (perBatch == 1, InputStart(layout, seals));
        var input = first.Take(start + batch.Count)[start..];
        var output = inPlace ? first.Take(layout.SegmentSizeInBytes) : second.Take(perBatch * layout.SegmentSizeInBytes);
        if (inPlace && !seals)
            output = output[layout.PrefixSizeInBytes..];
        int taken = 0, made = 0;
        bool final;
        for (var index = batch.Index; ; index++)
        {
            var size = seals ? layout.PlaintextSize(index) : layout.SegmentSize(index);
            var part = input.Span.Slice(taken, Math.Min(size, batch.Count - taken));
            taken += part.Length;
            final = batch.Last && taken == batch.Count && !(layout.FinalIsShort && part.Length == size);
            if (seals)
            {
                message.EncryptSegment(index, part, final, output.Span.Slice(made, part.Length + layout.OverheadInBytes));
                made += part.Length + layout.OverheadInBytes;
            }
            else
            {
                if (part.Length < layout.OverheadInBytes)
                    throw SegmentedMessage.Refused();
                message.DecryptSegment(index, part, final, output.Span.Slice(made, part.Length - layout.OverheadInBytes));
                made += part.Length - layout.OverheadInBytes;
            }

            if (final || (!batch.Last && taken == batch.Count))
                return (output[..made], seals ? taken : made);
        }
    }
}
