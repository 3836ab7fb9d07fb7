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

        // The front's length does not hang on the digest and the signature in it, so it is written last, before bytes that are long on the disk.
        var room = PackageHead.SizeInBytes + SealEnvelope.Sign(new SealPredicate(manifest, signer.PublicKey), default, signer).Length;
        if (room - PackageHead.SizeInBytes > PackageHead.LongestEnvelopeInBytes)
            throw new ArgumentException($"The manifest is too long: {room} bytes once signed, at most {PackageHead.LongestEnvelopeInBytes}.", nameof(manifest));
        var context = new Dictionary<string, string> { ["model"] = manifest.Name, ["version"] = manifest.Version };
        var plainBytes = manifest.Files.Sum(file => file.Bytes);
        var (whole, bytes) = (default(Digest), 0L);
        await AtomicFile.WriteAsync(output, async stream =>
        {
            stream.SetLength(room);
            stream.Position = room;
            using (var plain = new FolderStream(folder, manifest.Files))
                await SealedFile.SealAsync(plain, stream, new SealOptions { Recipients = [SealRecipient.Key(keys, kek)], MediaType = PayloadMediaType, Context = context }, null, cancel).ConfigureAwait(false);
            stream.Position = room;
            var (payload, _, _) = await TwoDigests.OfAsync([], stream, cancel).ConfigureAwait(false);
            var envelope = SealEnvelope.Sign(new SealPredicate(manifest, signer.PublicKey), payload, signer);
            byte[] front = [.. PackageHead.Write(envelope.Length), .. envelope];
            if (front.Length != room)
                throw new InvalidOperationException("The signed front is not as long as it was foreseen to be.");
            stream.Position = 0;
            await stream.WriteAsync(front, cancel).ConfigureAwait(false);
            (_, whole, bytes) = await TwoDigests.OfAsync(front, stream, cancel).ConfigureAwait(false);
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
