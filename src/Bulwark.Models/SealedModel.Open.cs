using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Models.Package;

namespace Bulwark.Models;

public static partial class SealedModel
{
    /// <summary>Verifies a package and opens it in memory with its data key, for a worker to which a key broker gave it.</summary>
    /// <param name="package">Seekable; read from its current position to its end; closed once the model is open.</param>
    /// <param name="dataKey">The package's data key.</param>
    /// <param name="trusted">Keys whose signature is accepted.</param>
    /// <param name="cancel">Stops the reading.</param>
    /// <exception cref="CryptographicException">The package is not trusted (the message names the verdict), or the key does not open it (always the same message).</exception>
    public static async Task<OpenedModel> OpenAsync(Stream package, SecretBytes dataKey, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(dataKey);
        var facts = await TrustedFactsAsync(package, trusted, cancel).ConfigureAwait(false);
        return await OpenAsync(package, facts, verified: null, expected: null, payload => Task.FromResult(SealedFile.Open(payload, dataKey.Span)), cancel).ConfigureAwait(false);
    }

    /// <summary>As <see cref="OpenAsync(Stream, SecretBytes, IReadOnlyCollection{VerificationKey}, CancellationToken)"/>, with the key store that the package was sealed under.</summary>
    /// <remarks>All of the package is verified before the key store is asked about any of it.</remarks>
    /// <inheritdoc cref="OpenAsync(Stream, SecretBytes, IReadOnlyCollection{VerificationKey}, CancellationToken)"/>
    public static async Task<OpenedModel> OpenAsync(Stream package, IKeyProvider keys, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var (verified, facts) = await TrustedAsync(package, trusted, cancel).ConfigureAwait(false);
        return await OpenAsync(package, facts, verified, expected: null, async payload =>
        {
            var start = payload.Position;
            using var dataKey = await PackageKeys.UnwrapAsync(payload, BesideOf(package), keys, cancel).ConfigureAwait(false);
            payload.Position = start;
            return SealedFile.Open(payload, dataKey.Span);
        }, cancel).ConfigureAwait(false);
    }

    /// <summary>Verifies a package and returns its data key, for a key broker that decides who gets it.</summary>
    /// <inheritdoc cref="OpenAsync(Stream, SecretBytes, IReadOnlyCollection{VerificationKey}, CancellationToken)"/>
    public static Task<(SecretBytes DataKey, SealVerification Verification)> UnwrapDataKeyAsync(
        Stream package, IKeyProvider keys, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel = default) =>
        UnwrapDataKeyAsync(package, BesideOf(package), keys, trusted, cancel);

    /// <summary>As <see cref="UnwrapDataKeyAsync(Stream, IKeyProvider, IReadOnlyCollection{VerificationKey}, CancellationToken)"/>, for a package in memory whose keys beside it were read.</summary>
    /// <inheritdoc cref="OpenAsync(Stream, SecretBytes, IReadOnlyCollection{VerificationKey}, CancellationToken)"/>
    public static async Task<(SecretBytes DataKey, SealVerification Verification)> UnwrapDataKeyAsync(
        Stream package, PackageKeys? beside, IKeyProvider keys, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel = default)
    {
        var (verification, facts) = await TrustedAsync(package, trusted, cancel).ConfigureAwait(false);
        return (await PackageKeys.UnwrapAsync(PackagePayload.Of(package, facts, hash: null), beside, keys, cancel).ConfigureAwait(false), verification);
    }

    /// <summary>What a package's sealed payload says of itself, its recipients above all; nothing of it is proved.</summary>
    /// <param name="package">At the package's beginning.</param>
    /// <exception cref="InvalidDataException">This is no package.</exception>
    public static SealedFileInfo ReadPayloadInfo(Stream package)
    {
        ArgumentNullException.ThrowIfNull(package);
        return SeekPayload(package) ? SealedFile.ReadInfo(package) : throw new InvalidDataException("This is no model package of a version that this program knows.");
    }

    /// <summary>Goes from the package's beginning to its payload; false when this is no package.</summary>
    internal static bool SeekPayload(Stream package)
    {
        var head = new byte[PackageHead.SizeInBytes];
        if (package.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || PackageHead.Read(head, out var read) != SealVerdict.Unverified)
            return false;
        package.Seek(read.PayloadStart - head.Length, SeekOrigin.Current);
        return true;
    }

    private static PackageKeys? BesideOf(Stream package) => package is FileStream file ? PackageKeys.Beside(file.Name) : null;

    /// <summary>Verifies a package, for opening it later.</summary>
    /// <param name="package">Seekable; read from its current position to its end; it stays open until the model is opened.</param>
    /// <param name="trusted">Keys whose signature is accepted.</param>
    /// <param name="expected">
    /// The package's digest, where it was stated: then signature and signer are verified now, and every byte while it is opened, in one reading. Null: all of it is verified now.
    /// </param>
    /// <param name="cancel">Stops the reading.</param>
    /// <exception cref="CryptographicException">The package is not trusted; the message names the verdict.</exception>
    public static async Task<VerifiedPackage> RequireAsync(
        Stream package, IReadOnlyCollection<VerificationKey> trusted, Digest? expected = null, CancellationToken cancel = default)
    {
        if (expected is { } digest)
            return new(package, await TrustedFactsAsync(package, trusted, cancel).ConfigureAwait(false), null, digest);
        var (verification, facts) = await TrustedAsync(package, trusted, cancel).ConfigureAwait(false);
        return new(package, facts, verification, verification.PackageDigest);
    }

    /// <summary>
    /// Opens a payload and closes the package. What was not verified before is hashed as it is read, while other threads decrypt what was read before;
    /// nothing is given out before all of it is right.
    /// </summary>
    internal static async Task<OpenedModel> OpenAsync(
        Stream package, PackageFacts facts, SealVerification? verified, Digest? expected, Func<Stream, Task<SealedStream>> open, CancellationToken cancel)
    {
        using var hash = verified is null ? PackageHash.Of(facts) : null;
        var payload = PackagePayload.Of(package, facts, hash);
        PayloadSink? sink = null;
        try
        {
            ExceptionDispatchInfo? refused = null;
            try
            {
                await using var plain = await open(payload).ConfigureAwait(false);
                var files = facts.Envelope.Predicate.Manifest.Files;
                if (files.Sum(file => file.Bytes) != plain.Length)
                    throw new CryptographicException("The model package is refused: it holds more or less than the manifest names.");
                sink = new(files);
                await plain.CopyAllAsync(sink, cancel: cancel).ConfigureAwait(false);
            }
            catch (CryptographicException failure)
            {
                refused = ExceptionDispatchInfo.Capture(failure);
            }

            if (hash is not null)
            {
                await payload.HashRestAsync(cancel).ConfigureAwait(false);   // after a failure, too: a package that was changed is told from a wrong key
                verified = Require(Judge(facts, hash, [facts.Envelope.Predicate.Signer]));
                if (expected is { } stated && stated != verified.PackageDigest)
                    throw new CryptographicException($"The model package is refused: it is {verified.PackageDigest}, and {stated} was stated; it was replaced.");
            }

            refused?.Throw();
            if (sink!.Differing() is { } file)
                throw new CryptographicException($"The model package is refused: '{file}' is not the file that the manifest names.");
            await package.DisposeAsync().ConfigureAwait(false);
            return new OpenedModel(verified!, sink.Files, sink.Weights);
        }
        catch
        {
            sink?.Wipe();
            throw;
        }
    }

    /// <summary>The signed part alone: of the payload's bytes nothing is known yet.</summary>
    private static async Task<PackageFacts> TrustedFactsAsync(Stream package, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(trusted);
        RequireSeekable(package);
        var (facts, refusal) = await PackageFacts.ReadAsync(package, cancel).ConfigureAwait(false);
        if (facts is null)
            Require(refusal);
        var (verdict, reason) = Judge(facts!.Envelope, facts.Envelope.Signed, trusted);
        Require(new(verdict, reason, default));
        return facts;
    }

    private static async Task<(SealVerification Verification, PackageFacts Facts)> TrustedAsync(Stream package, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel)
    {
        var (verification, facts) = await CheckAsync(package, trusted, cancel).ConfigureAwait(false);
        return (Require(verification), facts!);
    }

    private static SealVerification Require(SealVerification verification) => verification.IsTrusted
        ? verification : throw new CryptographicException($"The model package is refused ({verification.Verdict}): {verification.Reason}");
}
