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
    public static Task<OpenedModel> OpenAsync(Stream package, SecretBytes dataKey, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(dataKey);
        return OpenAsync(package, payload => Task.FromResult(SealedFile.Open(payload, dataKey.Span)), trusted, cancel);
    }

    /// <summary>As <see cref="OpenAsync(Stream, SecretBytes, IReadOnlyCollection{VerificationKey}, CancellationToken)"/>, with the key store that the package was sealed under.</summary>
    /// <inheritdoc cref="OpenAsync(Stream, SecretBytes, IReadOnlyCollection{VerificationKey}, CancellationToken)"/>
    public static Task<OpenedModel> OpenAsync(Stream package, IKeyProvider keys, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return OpenAsync(package, async payload =>
        {
            var start = payload.Position;
            using var dataKey = await PackageKeys.UnwrapAsync(payload, BesideOf(package), keys, cancel).ConfigureAwait(false);
            payload.Position = start;
            return SealedFile.Open(payload, dataKey.Span);
        }, trusted, cancel);
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
        var (verification, payload) = await TrustedPayloadAsync(package, trusted, cancel).ConfigureAwait(false);
        return (await PackageKeys.UnwrapAsync(payload, beside, keys, cancel).ConfigureAwait(false), verification);
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
        if (package.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || PackageHead.Read(head, out var envelope) != SealVerdict.Unverified)
            return false;
        package.Seek(envelope, SeekOrigin.Current);
        return true;
    }

    private static PackageKeys? BesideOf(Stream package) => package is FileStream file ? PackageKeys.Beside(file.Name) : null;

    private static async Task<OpenedModel> OpenAsync(Stream package, Func<Stream, Task<SealedStream>> open, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel)
    {
        var (verification, payload) = await TrustedPayloadAsync(package, trusted, cancel).ConfigureAwait(false);
        return await OpenPayloadAsync(verification, await open(payload).ConfigureAwait(false), cancel).ConfigureAwait(false);
    }

    /// <summary>Verifies a package, for opening it later without verifying it again.</summary>
    /// <param name="package">Seekable; read from its current position to its end; it stays open until the model is opened.</param>
    /// <param name="trusted">Keys whose signature is accepted.</param>
    /// <param name="cancel">Stops the reading.</param>
    /// <exception cref="CryptographicException">The package is not trusted; the message names the verdict.</exception>
    public static async Task<VerifiedPackage> RequireAsync(Stream package, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel = default)
    {
        var (verification, payload) = await TrustedPayloadAsync(package, trusted, cancel).ConfigureAwait(false);
        return new(package, verification, payload.Position);
    }

    /// <summary>The files of a verified payload; closes it.</summary>
    internal static async Task<OpenedModel> OpenPayloadAsync(SealVerification verification, SealedStream opened, CancellationToken cancel)
    {
        await using var plain = opened;
        var sink = new PayloadSink(verification.Manifest!.Files);
        try
        {
            if (sink.Expected != plain.Length)
                throw new CryptographicException("The model package is refused: it holds more or less than the manifest names.");
            await plain.CopyAllAsync(sink, cancel: cancel).ConfigureAwait(false);
            return sink.Differing() is { } file
                ? throw new CryptographicException($"The model package is refused: '{file}' is not the file that the manifest names.")
                : new OpenedModel(verification, sink.Files, sink.Weights);
        }
        catch
        {
            foreach (var bytes in sink.Files.Values)
                CryptographicOperations.ZeroMemory(bytes);
            sink.Weights?.Dispose();
            throw;
        }
    }

    private static async Task<(SealVerification Verification, Stream Payload)> TrustedPayloadAsync(
        Stream package, IReadOnlyCollection<VerificationKey> trusted, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(package);
        if (!package.CanSeek)
            throw new ArgumentException("Opening needs a seekable stream: all of it is verified before any of it is opened.", nameof(package));
        var start = package.Position;
        var (verification, offset) = await CheckAsync(package, trusted, cancel).ConfigureAwait(false);
        if (!verification.IsTrusted)
            throw new CryptographicException($"The model package is refused ({verification.Verdict}): {verification.Reason}");
        package.Position = start + offset;
        return (verification, package);
    }
}
