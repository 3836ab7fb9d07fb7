using System.Security.Cryptography;
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
        manifest = manifest with { Files = [.. folder.Files.Select(file => new ModelFile(file.Key, file.Value.Length, Digest.Of(file.Value.Span)))] };
        if (manifest.Faults().ToList() is { Count: > 0 } faults)
            throw new ArgumentException(string.Join(" ", faults), nameof(manifest));

        using var payload = new MemoryStream();
        using var plain = Concatenate(folder);
        var context = new Dictionary<string, string> { ["model"] = manifest.Name, ["version"] = manifest.Version };
        await SealedFile.SealAsync(plain, payload, new SealOptions { Recipients = [SealRecipient.Key(keys, kek)], MediaType = PayloadMediaType, Context = context }, null, cancel).ConfigureAwait(false);
        var body = payload.GetBuffer().AsMemory(0, (int)payload.Length);

        var envelope = SealEnvelope.Sign(new SealPredicate(manifest, signer.PublicKey), Digest.Of(body.Span), signer);
        if (envelope.Length > PackageHead.LongestEnvelopeInBytes)
            throw new ArgumentException($"The manifest is too long: {envelope.Length} bytes once signed, at most {PackageHead.LongestEnvelopeInBytes}.", nameof(manifest));
        byte[] head = [.. PackageHead.Write(envelope.Length), .. envelope];
        await AtomicFile.WriteAsync(output, async stream =>
        {
            await stream.WriteAsync(head, cancel).ConfigureAwait(false);
            await stream.WriteAsync(body, cancel).ConfigureAwait(false);
        }, cancel).ConfigureAwait(false);

        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        whole.AppendData(head);
        whole.AppendData(body.Span);
        return new SealedModelInfo(manifest, new Digest(whole.GetHashAndReset()), plain.Length, head.Length + body.Length, signer.PublicKey);
    }

    private static MemoryStream Concatenate(ModelFolder folder)
    {
        var plain = new MemoryStream();
        foreach (var bytes in folder.Files.Values)
            plain.Write(bytes.Span);
        plain.Position = 0;
        return plain;
    }
}
