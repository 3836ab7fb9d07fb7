using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>The keys of one message that is encrypted in segments: encrypts or decrypts any segment, in any order.</summary>
/// <remarks>
/// The base of every streaming format: lengths are checked here once, a format adds its cipher and its header. Each segment is bound to its
/// place and to being the last. Not thread-safe: one object a thread, made by <see cref="Fork"/>.
/// </remarks>
public abstract class SegmentedMessage : IDisposable
{
    private const string Refusal = "The sealed bytes cannot be opened: wrong key, or they were changed.";

    /// <summary>A message whose segments lie so.</summary>
    protected SegmentedMessage(SegmentLayout layout) => Layout = layout;

    /// <summary>Where the segments lie.</summary>
    public SegmentLayout Layout { get; }

    /// <summary>What the message begins with.</summary>
    public abstract ReadOnlySpan<byte> Header { get; }

    /// <summary>The one thing that is said of bytes that cannot be opened, whatever is wrong with them.</summary>
    public static CryptographicException Refused() => new(Refusal);

    /// <summary>Another object with the same keys, for another thread.</summary>
    public abstract SegmentedMessage Fork();

    /// <summary>Encrypts one segment. <paramref name="plaintext"/> may lie where its ciphertext will: after the segment's prefix.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="plaintext">As much as the segment holds, or less (also none) when final.</param>
    /// <param name="final">True for the message's last segment, and only for it.</param>
    /// <param name="segment">Exactly as long as the plaintext and the overhead.</param>
    /// <exception cref="ArgumentException">A length or the index is out of range.</exception>
    public void EncryptSegment(long index, ReadOnlySpan<byte> plaintext, bool final, Span<byte> segment)
    {
        if (index < 0 || index >= Layout.MaximumSegments)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The message has room for {Layout.MaximumSegments} segments.");
        var room = Layout.PlaintextSize(index);
        if (plaintext.Length > room || (!final && plaintext.Length != room) || (final && Layout.FinalIsShort && plaintext.Length == room))
            throw new ArgumentException("Only the final segment may be shorter than the others.", nameof(plaintext));
        if (segment.Length != plaintext.Length + Layout.OverheadInBytes)
            throw new ArgumentException($"The segment's buffer must have {plaintext.Length + Layout.OverheadInBytes} bytes.", nameof(segment));
        EncryptCore(index, plaintext, final, segment);
    }

    /// <summary>Decrypts one segment; its plaintext stays only when its tag is right. <paramref name="plaintext"/> may lie where the ciphertext does.</summary>
    /// <param name="index">Its place in the message, from 0.</param>
    /// <param name="segment">The whole segment.</param>
    /// <param name="final">True when no byte of the message follows.</param>
    /// <param name="plaintext">Exactly as long as the segment without its overhead.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public void DecryptSegment(long index, ReadOnlySpan<byte> segment, bool final, Span<byte> plaintext)
    {
        if (index < 0 || index >= Layout.MaximumSegments || segment.Length < Layout.OverheadInBytes)
            throw Refused();
        var size = Layout.SegmentSize(index);
        if (segment.Length > size || (!final && segment.Length != size) || (final && Layout.FinalIsShort && segment.Length == size))
            throw Refused();
        if (plaintext.Length != segment.Length - Layout.OverheadInBytes)
            throw new ArgumentException($"The plaintext's buffer must have {segment.Length - Layout.OverheadInBytes} bytes.", nameof(plaintext));
        try
        {
            DecryptCore(index, segment, final, plaintext);
        }
        catch (CryptographicException)
        {
            CryptographicOperations.ZeroMemory(plaintext);
            throw Refused();
        }
    }

    /// <summary>Encrypts a whole plaintext in memory, on several threads.</summary>
    /// <param name="plaintext">Any bytes, also none.</param>
    /// <param name="body">Exactly <see cref="SegmentLayout.BodyLength"/> bytes; the header goes before it.</param>
    /// <param name="threads">1 or more.</param>
    public void Encrypt(ReadOnlyMemory<byte> plaintext, Memory<byte> body, int threads = 1)
    {
        var segments = Layout.SegmentsOfPlaintext(plaintext.Length);
        if (body.Length != Layout.BodyLength(plaintext.Length))
            throw new ArgumentException($"The body's buffer must have {Layout.BodyLength(plaintext.Length)} bytes.", nameof(body));
        EachSegment(segments, threads, (message, index) =>
        {
            var (part, segment) = Parts(index, plaintext.Length);
            message.EncryptSegment(index, plaintext.Span[part], index == segments - 1, body.Span[segment]);
        });
    }

    /// <summary>Decrypts a whole body in memory, on several threads; on a failure the plaintext's buffer is wiped.</summary>
    /// <param name="body">All segments, nothing after.</param>
    /// <param name="plaintext">Exactly as long as <see cref="SegmentLayout.TryMeasure"/> says.</param>
    /// <param name="threads">1 or more.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public void Decrypt(ReadOnlyMemory<byte> body, Memory<byte> plaintext, int threads = 1)
    {
        if (!Layout.TryMeasure(body.Length, out var segments, out var length))
            throw Refused();
        if (plaintext.Length != length)
            throw new ArgumentException($"The plaintext's buffer must have {length} bytes.", nameof(plaintext));
        try
        {
            EachSegment(segments, threads, (message, index) =>
            {
                var (part, segment) = Parts(index, plaintext.Length);
                message.DecryptSegment(index, body.Span[segment], index == segments - 1, plaintext.Span[part]);
            });
        }
        catch
        {
            CryptographicOperations.ZeroMemory(plaintext.Span);
            throw;
        }
    }

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Wipes the keys.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>Encrypts; every length is right.</summary>
    protected abstract void EncryptCore(long index, ReadOnlySpan<byte> plaintext, bool final, Span<byte> segment);

    /// <summary>Decrypts; every length is right. Throws <see cref="CryptographicException"/> where the segment is not what was encrypted there.</summary>
    protected abstract void DecryptCore(long index, ReadOnlySpan<byte> segment, bool final, Span<byte> plaintext);

    private (Range Plaintext, Range Segment) Parts(long index, int plaintextLength)
    {
        var start = (int)Layout.PlaintextStart(index);
        var length = Math.Min(Layout.PlaintextSize(index), plaintextLength - start);
        var segment = (int)Layout.SegmentStart(index);
        return (start..(start + length), segment..(segment + length + Layout.OverheadInBytes));
    }

    private void EachSegment(long segments, int threads, Action<SegmentedMessage, long> work)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        threads = (int)Math.Min(threads, segments);
        if (threads == 1)
        {
            for (long index = 0; index < segments; index++)
                work(this, index);
            return;
        }

        try
        {
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, thread =>
            {
                using var message = Fork();
                for (var index = segments * thread / threads; index < segments * (thread + 1) / threads; index++)
                    work(message, index);
            });
        }
        catch (AggregateException failures)
        {
            throw failures.InnerExceptions[0] is CryptographicException ? Refused() : failures.InnerExceptions[0];
        }
    }
}
