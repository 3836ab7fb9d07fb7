namespace Bulwark.Cryptography;

/// <summary>Seals or opens a stream on several threads: they read in turn, work at once, and write in turn, or from file to file each where it is. At most 2 MiB a thread.</summary>
/// <remarks>Only whole verified segments are written; the output ends before the first that is wrong.</remarks>
public static class SegmentPipeline
{
    /// <summary>Encrypts <paramref name="plaintext"/> from where it stands to its end; writes the segments, not the header.</summary>
    /// <param name="message">A message just begun.</param>
    /// <param name="plaintext">Read once, forward.</param>
    /// <param name="destination">Written once, forward.</param>
    /// <param name="threads">1 or more; 0 for one a core.</param>
    /// <param name="progress">Told the plaintext bytes done so far.</param>
    /// <param name="cancel">Stops between segments.</param>
    /// <returns>Bytes of plaintext.</returns>
    public static Task<long> SealAsync(
        SegmentedMessage message, Stream plaintext, Stream destination, int threads = 0, IProgress<long>? progress = null, CancellationToken cancel = default) =>
        RunAsync(message, plaintext, destination, seals: true, threads, progress, cancel);

    /// <summary>Decrypts segments from where <paramref name="source"/> stands to its end.</summary>
    /// <param name="message">Opened by the header that stood before.</param>
    /// <param name="source">Read once, forward.</param>
    /// <param name="destination">Written once, forward: each segment once its tag is right.</param>
    /// <param name="threads">1 or more; 0 for one a core.</param>
    /// <param name="progress">Told the plaintext bytes written so far.</param>
    /// <param name="cancel">Stops between segments.</param>
    /// <returns>Bytes of plaintext.</returns>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A segment is wrong or the end is missing; what was written before is right.</exception>
    public static Task<long> OpenAsync(
        SegmentedMessage message, Stream source, Stream destination, int threads = 0, IProgress<long>? progress = null, CancellationToken cancel = default) =>
        RunAsync(message, source, destination, seals: false, threads, progress, cancel);

    private static async Task<long> RunAsync(
        SegmentedMessage message, Stream source, Stream destination, bool seals, int threads, IProgress<long>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        using var run = new SegmentRun(message.Layout, source, destination, seals, progress, cancel);
        threads = threads == 0 ? Environment.ProcessorCount : threads;
        if (source.CanSeek)
            threads = (int)Math.Clamp((source.Length - source.Position) / SegmentBuffer.UsualSize, 1, threads);
        if (threads == 1)
        {
            await run.WorkAsync(message).ConfigureAwait(false);
            return run.PlaintextBytes;
        }

        if (PlacedRun.Of(message.Layout, source, destination, seals, progress, cancel) is { } placed)
        {
            try
            {
                await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
                {
                    using var own = message.Fork();
                    placed.Work(own);
                }, CancellationToken.None))).ConfigureAwait(false);
            }
            finally
            {
                placed.End();
            }

            return placed.PlaintextBytes;
        }

        await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(async () =>
        {
            using var own = message.Fork();
            await run.WorkAsync(own).ConfigureAwait(false);
        }, CancellationToken.None))).ConfigureAwait(false);
        return run.PlaintextBytes;
    }
}
