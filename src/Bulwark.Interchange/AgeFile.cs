using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>Files of age v1: written for and read from everyone who uses age. X25519 and passphrase recipients, binary or armored.</summary>
/// <remarks>Source: C2SP age v1.1.0. Not here: ssh keys, plugins, and the post-quantum hybrid recipients.</remarks>
public static class AgeFile
{
    private const int FileKeySize = 16;

    /// <summary>True when a file that begins with <paramref name="head"/> claims to be an age file, binary or armored.</summary>
    /// <param name="head">As many first bytes as there are, up to 1100: white space may come before armor.</param>
    public static bool IsMatch(ReadOnlySpan<byte> head) => head.StartsWith("age-encryption.org/v1\n"u8) || IsArmored(head);

    /// <summary>True when the file is armored.</summary>
    /// <param name="head">As many first bytes as there are, up to 1100: white space may come first.</param>
    public static bool IsArmored(ReadOnlySpan<byte> head) => head.TrimStart(" \t\r\n"u8).StartsWith("-----"u8);

    /// <summary>Encrypts <paramref name="plaintext"/> to its end.</summary>
    /// <param name="plaintext">Read once, forward.</param>
    /// <param name="destination">Written once, forward.</param>
    /// <param name="recipients">One or more; a passphrase only alone.</param>
    /// <param name="armored">Base64 text instead of bytes: a third longer.</param>
    /// <param name="threads">1 or more; 0 for one a core.</param>
    /// <param name="progress">Told the plaintext bytes done so far.</param>
    /// <param name="cancel">Stops between chunks.</param>
    /// <returns>Bytes of plaintext.</returns>
    /// <exception cref="ArgumentException">There is no recipient, or a passphrase among others.</exception>
    public static async Task<long> SealAsync(
        Stream plaintext, Stream destination, IReadOnlyList<AgeRecipient> recipients, bool armored = false, int threads = 0, IProgress<long>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(recipients);
        if (recipients.Count == 0 || (recipients.Count > 1 && recipients.Any(one => one.IsAlone)))
            throw new ArgumentException("An age file has at least one recipient; a passphrase must be the only one.", nameof(recipients));
        using var fileKey = SecretBytes.Random(FileKeySize);
        using var payload = AgePayload.Create(fileKey);
        var armor = armored ? new AgeArmorWriter(destination) : null;
        var target = armor ?? destination;
        await target.WriteAsync(AgeHeader.Write([.. recipients.Select(one => one.Wrap(fileKey))], fileKey), cancel).ConfigureAwait(false);
        await target.WriteAsync(payload.Header.ToArray(), cancel).ConfigureAwait(false);
        var bytes = await SegmentPipeline.SealAsync(payload, plaintext, target, threads, progress, cancel).ConfigureAwait(false);
        armor?.Finish();
        return bytes;
    }

    /// <summary>Opens a file for reading anywhere. The last chunk is checked at once, so a cut file is refused here.</summary>
    /// <param name="source">Seekable and binary, not armored; belongs to the returned stream.</param>
    /// <param name="identities">Tried in turn.</param>
    /// <exception cref="AgeException">It cannot be opened, and why.</exception>
    /// <exception cref="CryptographicException">Its content was changed or cut.</exception>
    public static SegmentedStream Open(Stream source, IReadOnlyList<AgeIdentity> identities)
    {
        ArgumentNullException.ThrowIfNull(source);
        var payload = OpenPayload(source, identities);
        try
        {
            var stream = new SegmentedStream(source, payload);
            stream.CheckEnd();
            return stream;
        }
        catch
        {
            payload.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file, binary or armored, from a stream that need not seek, and writes its plaintext: only verified chunks, in order.</summary>
    /// <param name="source">Read once, forward, to its end.</param>
    /// <param name="destination">Written once, forward.</param>
    /// <param name="identities">Tried in turn.</param>
    /// <param name="threads">1 or more; 0 for one a core.</param>
    /// <param name="progress">Told the plaintext bytes written so far.</param>
    /// <param name="cancel">Stops between chunks.</param>
    /// <returns>Bytes of plaintext.</returns>
    /// <exception cref="AgeException">It cannot be opened, and why.</exception>
    /// <exception cref="CryptographicException">Its content was changed or cut; what was written is right.</exception>
    public static async Task<long> OpenToAsync(
        Stream source, Stream destination, IReadOnlyList<AgeIdentity> identities, int threads = 0, IProgress<long>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        var start = new BufferedStart(source);
        Stream content = IsArmored(start.Head) ? new AgeArmorReader(start) : start;
        using var payload = OpenPayload(content, identities);
        return await SegmentPipeline.OpenAsync(payload, content, destination, threads, progress, cancel).ConfigureAwait(false);
    }

    private static AgePayload OpenPayload(Stream source, IReadOnlyList<AgeIdentity> identities)
    {
        ArgumentNullException.ThrowIfNull(identities);
        var header = AgeHeader.Read(source);
        if (header.Stanzas.Count > 1 && header.Stanzas.Any(stanza => stanza.Type == "scrypt"))
            throw AgeException.Header("a passphrase is not its only recipient");
        using var fileKey = identities.Select(identity => identity.Unwrap(header.Stanzas)).FirstOrDefault(key => key is not null)
            ?? throw new AgeException(AgeFault.NoMatch, "The age file cannot be opened: it is for other recipients, or the passphrase is wrong.");
        if (!header.IsMacOf(fileKey))
            throw new AgeException(AgeFault.Authentication, "The age file cannot be opened: its header was changed.");
        var nonce = new byte[AgePayload.NonceSizeInBytes];
        return source.ReadAtLeast(nonce, nonce.Length, throwOnEndOfStream: false) == nonce.Length
            ? AgePayload.Open(fileKey, nonce)
            : throw AgeException.Header("the payload's nonce is missing");
    }
}
