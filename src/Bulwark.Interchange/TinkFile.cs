using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>Files in Tink's AES-GCM-HKDF streaming format: written for and read from programs that use Tink.</summary>
public static class TinkFile
{
    /// <summary>Encrypts <paramref name="plaintext"/> to its end under the keyset's primary key.</summary>
    /// <param name="plaintext">Read once, forward.</param>
    /// <param name="destination">Written once, forward.</param>
    /// <param name="keyset">The keys.</param>
    /// <param name="associatedData">What the file belongs to; the reader needs the same.</param>
    /// <param name="threads">1 or more; 0 for one a core.</param>
    /// <param name="progress">Told the plaintext bytes done so far.</param>
    /// <param name="cancel">Stops between segments.</param>
    /// <returns>Bytes of plaintext.</returns>
    public static async Task<long> SealAsync(
        Stream plaintext, Stream destination, TinkKeyset keyset, ReadOnlyMemory<byte> associatedData = default, int threads = 0, IProgress<long>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(keyset);
        using var message = TinkMessage.Create(keyset.Primary, associatedData.Span);
        await destination.WriteAsync(message.Header.ToArray(), cancel).ConfigureAwait(false);
        return await SegmentPipeline.SealAsync(message, plaintext, destination, threads, progress, cancel).ConfigureAwait(false);
    }

    /// <summary>Opens a file for reading anywhere, with whichever key of the keyset made it.</summary>
    /// <param name="source">Seekable; belongs to the returned stream.</param>
    /// <param name="keyset">The keys.</param>
    /// <param name="associatedData">What the file was made for.</param>
    /// <exception cref="CryptographicException">No key opens it. The last segment is checked at once, so a cut file is refused here.</exception>
    public static SegmentedStream Open(Stream source, TinkKeyset keyset, ReadOnlyMemory<byte> associatedData = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(keyset);
        var start = source.Position;
        foreach (var key in keyset.Keys)
        {
            source.Position = start;
            var header = new byte[TinkMessage.HeaderSize(key)];
            if (source.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) != header.Length)
                continue;
            TinkMessage? message = null;
            try
            {
                message = TinkMessage.Open(key, associatedData.Span, header);
                var stream = new SegmentedStream(source, message);
                stream.CheckEnd();
                return stream;
            }
            catch (CryptographicException)
            {
                message?.Dispose();   // another key may have made it
            }
        }

        throw SegmentedMessage.Refused();
    }

    /// <summary>Opens a file from a stream that need not seek, and writes its plaintext: only segments whose tag is right, in order.</summary>
    /// <param name="source">Read once, forward, to its end.</param>
    /// <param name="destination">Written once, forward.</param>
    /// <param name="key">The key that made it.</param>
    /// <param name="associatedData">What the file was made for.</param>
    /// <param name="threads">1 or more; 0 for one a core.</param>
    /// <param name="progress">Told the plaintext bytes written so far.</param>
    /// <param name="cancel">Stops between segments.</param>
    /// <exception cref="CryptographicException">The key does not open it, or it was changed or cut; what was written is right.</exception>
    public static async Task<long> OpenToAsync(
        Stream source, Stream destination, TinkStreamingKey key, ReadOnlyMemory<byte> associatedData = default, int threads = 0, IProgress<long>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        var header = new byte[TinkMessage.HeaderSize(key)];
        if (await source.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false) != header.Length)
            throw SegmentedMessage.Refused();
        using var message = TinkMessage.Open(key, associatedData.Span, header);
        return await SegmentPipeline.OpenAsync(message, source, destination, threads, progress, cancel).ConfigureAwait(false);
    }
}
