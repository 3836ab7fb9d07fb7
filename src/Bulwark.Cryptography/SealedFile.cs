using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Seals a stream of any length into one file, and opens it again: constant memory, random access, any changed byte of the content refused.</summary>
/// <remarks>
/// The payload is a complete FLOE or Cobblestone message under a data key of the file's own; the header keeps that key for each recipient.
/// docs/formats/sealed-file.md is the specification.
/// </remarks>
public static partial class SealedFile
{
    internal const int FloeSegmentSize = 1 << 20;

    /// <summary>Seals <paramref name="plaintext"/> from its current position to its end.</summary>
    /// <param name="plaintext">Read once, forward.</param>
    /// <param name="destination">Written once, forward. Write it by <see cref="AtomicFile"/>, so that no half of it is kept.</param>
    /// <param name="options">Recipients and facts.</param>
    /// <param name="progress">Told the plaintext bytes done so far.</param>
    /// <param name="cancel">Stops between segments.</param>
    /// <returns>The new header's facts.</returns>
    /// <exception cref="ArgumentException">The options have a fault.</exception>
    /// <exception cref="InvalidOperationException">A store has no such key, or the slots do not fit.</exception>
    /// <exception cref="IOException">The plaintext's length changed while it was read, a stream failed, or a key store could not be asked.</exception>
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
            RandomNumberGenerator.GetHexString(32, lowercase: true), options.Suite, options.MediaType, DateTimeOffset.UtcNow,
            plaintext.CanSeek ? plaintext.Length - plaintext.Position : null, options.Context);
        var header = await SealedFileHeader.CreateAsync(info, dataKey, options, cancel).ConfigureAwait(false);
        using var message = NewMessage(options.Suite, dataKey.Span, header.Binding);
        await destination.WriteAsync(header.Bytes, cancel).ConfigureAwait(false);
        await destination.WriteAsync(message.Header.ToArray(), cancel).ConfigureAwait(false);
        var sealedBytes = await SegmentPipeline.SealAsync(message, plaintext, destination, options.Threads, progress, cancel).ConfigureAwait(false);
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
        var header = ReadSeekable(source);
        using var dataKey = Unwrap(header, keys);
        return SealedStream.Open(source, header, dataKey.Span, readAhead: 0);
    }

    /// <summary>Opens a sealed file by its data key, for a worker that a key broker gave it to.</summary>
    /// <param name="source">As for <see cref="Open(Stream, KeyRing)"/>.</param>
    /// <param name="dataKey">32 bytes.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static SealedStream Open(Stream source, ReadOnlySpan<byte> dataKey)
    {
        var header = ReadSeekable(source);
        if (dataKey.Length != FloeMessage.KeySizeInBytes || !header.IsMacOf(dataKey))
            throw SegmentedMessage.Refused();
        return SealedStream.Open(source, header, dataKey, readAhead: 0);
    }

    /// <summary>Opens a sealed file with whichever identity it was sealed for.</summary>
    /// <param name="source">As for <see cref="Open(Stream, KeyRing)"/>.</param>
    /// <param name="identities">Tried on every slot.</param>
    /// <param name="readAhead">Segments that are decrypted beforehand on other threads when the file is read on.</param>
    /// <param name="cancel">Ends the wait for a key store.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    /// <exception cref="KeyProviderException">A key store could not be asked, and no other identity opens the file.</exception>
    public static async Task<SealedStream> OpenAsync(Stream source, IReadOnlyList<SealIdentity> identities, int readAhead = 0, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(identities);
        var header = ReadSeekable(source);
        var (dataKey, _, _) = await header.UnwrapAsync(identities, cancel).ConfigureAwait(false);
        using (dataKey)
            return SealedStream.Open(source, header, dataKey.Span, readAhead);
    }

    /// <summary>Opens a sealed file from a stream that need not seek, and writes its plaintext.</summary>
    /// <param name="source">Read once, forward, to its end.</param>
    /// <param name="destination">Gets only segments whose tag is right, in order. A file that was cut shows at its end: take what was written
    /// only when this returns, or write through <see cref="AtomicFile"/>.</param>
    /// <param name="identities">Tried on every slot.</param>
    /// <param name="threads">Threads that decrypt, at 2 MiB each; 0 for one a core.</param>
    /// <param name="progress">Told the plaintext bytes written so far.</param>
    /// <param name="cancel">Stops between segments.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    /// <exception cref="KeyProviderException">A key store could not be asked, and no other identity opens the file.</exception>
    public static async Task<SealedFileInfo> OpenToAsync(
        Stream source, Stream destination, IReadOnlyList<SealIdentity> identities, int threads = 0, IProgress<long>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(identities);
        var header = ReadHeader(source);
        var (dataKey, _, _) = await header.UnwrapAsync(identities, cancel).ConfigureAwait(false);
        using var held = dataKey;
        using var message = SealedStream.OpenMessage(source, header, dataKey.Span);
        var opened = await SegmentPipeline.OpenAsync(message, source, destination, threads, progress, cancel).ConfigureAwait(false);
        return header.Info.PlaintextBytes is { } stated && stated != opened ? throw SegmentedMessage.Refused() : header.Info;
    }

    /// <summary>The file's data key, for a key broker that decides who gets it.</summary>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static SecretBytes UnwrapDataKey(Stream source, KeyRing keys) => Unwrap(ReadHeader(source), keys);

    /// <summary>The file's data key, by whichever identity it was sealed for.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public static async Task<SecretBytes> UnwrapDataKeyAsync(Stream source, IReadOnlyList<SealIdentity> identities, CancellationToken cancel = default) =>
        (await ReadHeader(source).UnwrapAsync(identities, cancel).ConfigureAwait(false)).DataKey;

    /// <summary>As <see cref="UnwrapDataKeyAsync"/>, with the slot that opened and what the file says of itself, proved.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public static async Task<(SecretBytes DataKey, KeySlot OpenedBy, SealedFileInfo Info)> ProveDataKeyAsync(Stream source, IReadOnlyList<SealIdentity> identities, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(identities);
        var header = ReadHeader(source);
        var (dataKey, _, slot) = await header.UnwrapAsync(identities, cancel).ConfigureAwait(false);
        return (dataKey, slot, header.Info);
    }

    /// <summary>The key and the associated data of the payload: with them any implementation of the suite opens the bytes after the header.</summary>
    /// <param name="source">At the file's beginning; left at the payload's.</param>
    /// <param name="dataKey">The file's data key.</param>
    /// <exception cref="CryptographicException">It is another file's.</exception>
    public static (SecretBytes Key, byte[] AssociatedData, long PayloadOffset) ExportPayloadKey(Stream source, ReadOnlySpan<byte> dataKey)
    {
        var header = ReadHeader(source);
        return header.IsMacOf(dataKey) ? (SealedFileHeader.PayloadKey(header.Info.Suite, dataKey), header.Binding, header.Bytes.Length) : throw SegmentedMessage.Refused();
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

    private static SegmentedMessage NewMessage(SealSuite suite, ReadOnlySpan<byte> dataKey, ReadOnlySpan<byte> binding)
    {
        using var key = SealedFileHeader.PayloadKey(suite, dataKey);
        return suite == SealSuite.Floe ? FloeMessage.Create(key.Span, binding, FloeSegmentSize) : CobblestoneMessage.Create(key.Span, binding);
    }

    /// <summary>A keyring answers at once, so nothing is waited for.</summary>
    private static SecretBytes Unwrap(SealedFileHeader header, KeyRing keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return header.UnwrapAsync([SealIdentity.Keys(keys)], CancellationToken.None).AsTask().GetAwaiter().GetResult().DataKey;
    }

    private static SealedFileHeader ReadSeekable(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return source.CanSeek
            ? ReadHeader(source)
            : throw new ArgumentException("Opening needs a seekable source: the end is checked before the beginning is given out.", nameof(source));
    }

    private static SealedFileHeader ReadHeader(Stream source)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            return SealedFileHeader.Read(source);
        }
        catch (InvalidDataException)
        {
            throw SegmentedMessage.Refused();
        }
    }
}
