using Bulwark.Cryptography;
using Bulwark.Models.Package;

namespace Bulwark.Models;

/// <summary>What sealing made.</summary>
/// <param name="Manifest">The manifest as signed, with the files.</param>
/// <param name="PackageDigest">Digest of the whole file.</param>
/// <param name="PlainBytes">Bytes of the files before sealing.</param>
/// <param name="PackageBytes">Bytes of the package.</param>
/// <param name="Signer">The key that signed.</param>
public sealed record SealedModelInfo(ModelManifest Manifest, Digest PackageDigest, long PlainBytes, long PackageBytes, VerificationKey Signer);

/// <summary>A model in one file: a signed manifest that everyone can read and verify, and the files encrypted under a key of the package's own.</summary>
/// <remarks>
/// docs/formats/model-package.md is the specification. The signature covers the manifest and the digest of every payload byte, so that verifying needs no
/// secret and a changed, missing or added bit anywhere is refused. The payload is a <see cref="SealedFile"/> of the files one after the other.
/// </remarks>
public static partial class SealedModel
{
    /// <summary>Media type of the sealed payload.</summary>
    public const string PayloadMediaType = "application/vnd.bulwark.model-files";

    /// <summary>Seals <paramref name="folder"/> into one file, which appears whole or not at all.</summary>
    /// <param name="folder">The model's files.</param>
    /// <param name="manifest">What to state; its files are replaced by those of the folder.</param>
    /// <param name="keys">The key store; holds <paramref name="kek"/>.</param>
    /// <param name="kek">Name of the key that wraps the package's own data key.</param>
    /// <param name="signer">Signs the manifest.</param>
    /// <param name="output">The package's path.</param>
    /// <param name="cancel">Stops the work; nothing is left behind.</param>
    /// <exception cref="ArgumentException">The manifest has faults.</exception>
    /// <exception cref="InvalidOperationException">The store has no such key.</exception>
    public static async Task<SealedModelInfo> SealAsync(
        ModelFolder folder, ModelManifest manifest, IKeyProvider keys, string kek, Signer signer, string output, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(signer);
        manifest = manifest with { Files = await ListAsync(folder, cancel).ConfigureAwait(false) };
        if (manifest.Faults().ToList() is { Count: > 0 } faults)
            throw new ArgumentException(string.Join(" ", faults), nameof(manifest));

        // The envelope's length does not hang on the digest and the signature in it, so the head can state it beforehand.
        var predicate = new SealPredicate(manifest, signer.PublicKey);
        var head = new PackageHead(PackageHead.Newest, SealEnvelope.Sign(predicate, default, signer, PackageHead.Newest).Length);
        if (head.EnvelopeLength > PackageHead.LongestEnvelopeInBytes)
            throw new ArgumentException($"The manifest is too long: {head.EnvelopeLength} bytes once signed, at most {PackageHead.LongestEnvelopeInBytes}.", nameof(manifest));
        var context = new Dictionary<string, string> { ["model"] = manifest.Name, ["version"] = manifest.Version };
        var plainBytes = manifest.Files.Sum(file => file.Bytes);
        var (whole, bytes) = (default(Digest), 0L);
        await AtomicFile.WriteAsync(output, async stream =>
        {
            await stream.WriteAsync(head.Write(), cancel).ConfigureAwait(false);
            using (var plain = new FolderStream(folder, manifest.Files))
                await SealedFile.SealAsync(plain, stream, new SealOptions { Recipients = [SealRecipient.Key(keys, kek)], MediaType = PayloadMediaType, Context = context }, null, cancel).ConfigureAwait(false);
            using var hash = new PackageHash(head);
            await new PackagePayload(stream, PackageHead.SizeInBytes, stream.Length, hash).HashRestAsync(cancel).ConfigureAwait(false);
            var envelope = SealEnvelope.Sign(predicate, hash.Signed(), signer, head.Version);
            if (envelope.Length != head.EnvelopeLength)
                throw new InvalidOperationException("The envelope is not as long as it was foreseen to be.");
            stream.Position = stream.Length;
            await stream.WriteAsync(envelope, cancel).ConfigureAwait(false);
            (whole, bytes) = (hash.Whole(envelope), stream.Length);
        }, cancel).ConfigureAwait(false);
        return new SealedModelInfo(manifest, whole, plainBytes, bytes, signer.PublicKey);
    }

    /// <summary>The folder's files in ordinal order of their names, with their digests.</summary>
    private static async Task<IReadOnlyList<ModelFile>> ListAsync(ModelFolder folder, CancellationToken cancel)
    {
        var files = folder.Files.Select(file => new ModelFile(file.Key, file.Value.Length, Digest.Of(file.Value.Span))).ToList();
        if (folder.Weights is not null)
        {
            await using var weights = File.OpenRead(folder.Weights);
            files.Add(new(ModelFolder.WeightsName, weights.Length, await Digest.OfAsync(weights, cancel).ConfigureAwait(false)));
        }

        return [.. files.OrderBy(file => file.Name, StringComparer.Ordinal)];
    }
}
