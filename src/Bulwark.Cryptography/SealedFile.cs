using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Seals a stream of any length into one file, and opens it again: constant memory, random access, any changed bit refused.</summary>
/// <remarks>
/// The payload is a complete FLOE message (see <see cref="FloeMessage"/>) with 1 MiB segments under a data key of the file's own; the header
/// wraps that key under a key of the ring. docs/formats/sealed-file.md is the specification.
/// </remarks>
public static class SealedFile
{
    private const int PlaintextPerSegment = SealedFileHeader.SegmentSize - FloeMessage.SegmentOverheadInBytes;

    /// <summary>Seals <paramref name="plaintext"/> from its current position to its end.</summary>
    /// <param name="plaintext">Read once, forward.</param>
    /// <param name="destination">Written once, forward. Write it by <see cref="AtomicFile"/>, so that no half of it is kept.</param>
    /// <param name="options">Keys and facts.</param>
    /// <param name="progress">Told the plaintext bytes done so far.</param>
    /// <param name="cancel">Stops between segments.</param>
    /// <returns>The new header's facts.</returns>
    /// <exception cref="ArgumentException">The options have a fault.</exception>
    /// <exception cref="InvalidOperationException">The ring has no such key.</exception>
    /// <exception cref="IOException">The plaintext's length changed while it was read, or a stream failed.</exception>
    public static async Task<SealedFileInfo> SealAsync(
        Stream plaintext, Stream destination, SealOptions options, IProgress<long>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(plaintext);
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Faults().ToArray() is { Length: > 0 } faults)
            throw new ArgumentException(string.Join(' ', faults), nameof(options));
        using var dataKey = SecretBytes.Random(FloeMessage.KeySizeInBytes);
        var info = new SealedFileInfo(
            RandomNumberGenerator.GetHexString(32, lowercase: true), options.MediaType, DateTimeOffset.UtcNow,
            plaintext.CanSeek ? plaintext.Length - plaintext.Position : null, options.Context, []);
        var header = SealedFileHeader.Create(info, dataKey, options.Keys, options.Kek);
        await destination.WriteAsync(header.Bytes, cancel).ConfigureAwait(false);
        using var payloadKey = SealedFileHeader.PayloadKey(dataKey.Span);
        using var message = FloeMessage.Create(payloadKey.Span, header.Binding, SealedFileHeader.SegmentSize);
        var sealedBytes = await SealPayloadAsync(plaintext, destination, message, progress, cancel).ConfigureAwait(false);
        if (info.PlaintextBytes is { } stated && stated != sealedBytes)
            throw new IOException($"The plaintext had {stated} bytes when sealing began and {sealedBytes} when it ended.");
        return header.Info;
    }

    /// <summary>Opens a sealed file from the stream's current position to its end.</summary>
    /// <param name="source">Seekable; stays open until the returned stream is closed, which closes it.</param>
    /// <param name="keys">Holds one of the keys that the file was sealed for.</param>
    /// <returns>The plaintext: a seekable stream that gives out only bytes whose tag is right.</returns>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static SealedStream Open(Stream source, KeyRing keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var header = ReadHeader(source);
        using var dataKey = header.Unwrap(keys);
        return Open(source, header, dataKey.Span);
    }

    /// <summary>Opens a sealed file by its data key, for a worker that a key broker gave it to.</summary>
    /// <param name="source">As for <see cref="Open(Stream, KeyRing)"/>.</param>
    /// <param name="dataKey">32 bytes.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static SealedStream Open(Stream source, ReadOnlySpan<byte> dataKey)
    {
        var header = ReadHeader(source);
        if (dataKey.Length != FloeMessage.KeySizeInBytes || !header.IsMacOf(dataKey))
            throw FloeMessage.Refused();
        return Open(source, header, dataKey);
    }

    /// <summary>The file's data key, for a key broker that decides who gets it.</summary>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static SecretBytes UnwrapDataKey(Stream source, KeyRing keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return ReadHeader(source).Unwrap(keys);
    }

    /// <summary>What the file says of itself; unproved until it is opened.</summary>
    /// <exception cref="InvalidDataException">This is no sealed file.</exception>
    public static SealedFileInfo ReadInfo(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return SealedFileHeader.Read(source).Info;
    }

    /// <summary>True when a file that begins with <paramref name="head"/> claims to be a sealed file.</summary>
    /// <param name="head">8 bytes or more.</param>
    public static bool IsMatch(ReadOnlySpan<byte> head) => head.StartsWith(SealedFileHeader.Magic);

    private static SealedFileHeader ReadHeader(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (!source.CanSeek)
            throw new ArgumentException("Opening needs a seekable source: the end is checked before the beginning is given out.", nameof(source));
        try
        {
            return SealedFileHeader.Read(source);
        }
        catch (InvalidDataException)
        {
            throw FloeMessage.Refused();
        }
    }

    private static SealedStream Open(Stream source, SealedFileHeader header, ReadOnlySpan<byte> dataKey)
    {
        using var payloadKey = SealedFileHeader.PayloadKey(dataKey);
        return SealedStream.Open(source, header, payloadKey.Span);
    }

    private static async Task<long> SealPayloadAsync(
        Stream plaintext, Stream destination, FloeMessage message, IProgress<long>? progress, CancellationToken cancel)
    {
        await destination.WriteAsync(message.Header.ToArray(), cancel).ConfigureAwait(false);
        var current = GC.AllocateUninitializedArray<byte>(PlaintextPerSegment, pinned: true);
        var next = GC.AllocateUninitializedArray<byte>(PlaintextPerSegment, pinned: true);
        var segment = GC.AllocateUninitializedArray<byte>(SealedFileHeader.SegmentSize);
        try
        {
            var count = await plaintext.ReadAtLeastAsync(current, current.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
            for (long index = 0, done = 0; ; index++)
            {
                var following = count < current.Length ? 0 : await plaintext.ReadAtLeastAsync(next, next.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
                var size = count + FloeMessage.SegmentOverheadInBytes;
                message.EncryptSegment(index, current.AsSpan(0, count), final: following == 0, segment.AsSpan(0, size));
                await destination.WriteAsync(segment.AsMemory(0, size), cancel).ConfigureAwait(false);
                done += count;
                progress?.Report(done);
                if (following == 0)
                    return done;
                (current, next, count) = (next, current, following);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(current);
            CryptographicOperations.ZeroMemory(next);
        }
    }
}
