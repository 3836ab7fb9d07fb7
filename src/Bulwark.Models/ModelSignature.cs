using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Models.Signing;

namespace Bulwark.Models;

/// <summary>What checking the signature of a model folder came to.</summary>
public enum ModelSignatureVerdict
{
    /// <summary>Nothing was checked.</summary>
    Unverified = 0,

    /// <summary>A trusted signer signed exactly these files.</summary>
    Trusted,

    /// <summary>The signature file is none of this format.</summary>
    Malformed,

    /// <summary>It is of a kind that Bulwark does not check: keyless, or a hash that is not here.</summary>
    Unsupported,

    /// <summary>It names a signer who is not trusted.</summary>
    UntrustedSigner,

    /// <summary>The signature is not the signer's of this statement.</summary>
    WrongSignature,

    /// <summary>The signature is right, but what was signed is no statement about a model.</summary>
    WrongStatement,

    /// <summary>The files are not those that were signed.</summary>
    ModelAltered,
}

/// <summary>How to sign.</summary>
public sealed record ModelSignatureOptions
{
    /// <summary>Paths to leave out, beside what git keeps and the signature itself.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>Whether links to files are followed; links to folders never are.</summary>
    public bool AllowLinks { get; init; }

    /// <summary>How files are hashed.</summary>
    public ContentHashKind Hash { get; init; } = ContentHashKind.Sha256;

    /// <summary>Length of a shard in bytes: large files are hashed in parts, by all cores. Null hashes each file as a whole.</summary>
    public long? ShardBytes { get; init; }

    /// <summary>Where digests are remembered, so that signing again reads only what changed; null remembers nothing.</summary>
    public string? CachePath { get; init; }
}

/// <summary>What signing made.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Root">SHA-256 of all digests: stands for the model.</param>
/// <param name="Resources">Files, or shards of files.</param>
/// <param name="Bytes">Bytes of the model.</param>
/// <param name="HashedBytes">Bytes that were read; the rest was known.</param>
public sealed record ModelSignatureInfo(string Model, Digest Root, int Resources, long Bytes, long HashedBytes);

/// <summary>What checking found.</summary>
/// <param name="Verdict">Believe the rest only when this is <see cref="ModelSignatureVerdict.Trusted"/>.</param>
/// <param name="Detail">In words.</param>
/// <param name="Signer">Who signed, once that is known.</param>
/// <param name="Model">The model's name, as signed.</param>
/// <param name="Root">SHA-256 of all digests, as signed; none when there is no statement.</param>
/// <param name="Resources">Files, or shards of files, as signed.</param>
/// <param name="Changed">Resources that differ.</param>
/// <param name="Missing">Resources that are not there.</param>
/// <param name="Unsigned">Files that nobody signed.</param>
public sealed record ModelSignatureReport(
    ModelSignatureVerdict Verdict, string Detail, string? Signer = null, string? Model = null, Digest Root = default, int Resources = 0,
    IReadOnlyList<string>? Changed = null, IReadOnlyList<string>? Missing = null, IReadOnlyList<string>? Unsigned = null)
{
    /// <summary>Paths that are there and that the signer chose not to sign: nothing vouches for them.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    /// <summary>True when a trusted signer signed exactly these files, but for <see cref="Ignored"/>.</summary>
    public bool IsTrusted => Verdict == ModelSignatureVerdict.Trusted;
}

/// <summary>Signatures over model folders and files that the OpenSSF's tools read, and theirs that we read.</summary>
/// <remarks>
/// Source: OpenSSF Model Signing v1.0. ECDSA on P-256, P-384 or P-521 by a key or by certificates; the key may live on a token (<see cref="IEcdsaSigner"/>).
/// Keyless signatures of Sigstore are recognised and not checked. The signature file, and .git, .github, .gitattributes, .gitignore at the top, are never part of a model.
/// </remarks>
public static partial class ModelSignature
{
    /// <summary>The customary name of the signature file.</summary>
    public const string FileName = "model.sig";

    private const int LargestBundle = 64 << 20;

    /// <summary>Signs a model.</summary>
    /// <param name="model">A folder or a file.</param>
    /// <param name="signature">Where the signature goes; inside the folder or elsewhere.</param>
    /// <param name="signer">Signs.</param>
    /// <param name="chain">The signer's certificate and those above it, without the root; empty signs by key.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Fraction of the bytes hashed.</param>
    /// <param name="cancel">Stops the work; nothing is written.</param>
    /// <exception cref="InvalidDataException">The model is empty, holds what cannot be signed, or changed meanwhile.</exception>
    /// <exception cref="CryptographicException">The key's keeper refused, or the certificate is not the key's.</exception>
    public static async Task<ModelSignatureInfo> SignAsync(
        string model, string signature, IEcdsaSigner signer, IReadOnlyList<X509Certificate2>? chain = null, ModelSignatureOptions? options = null,
        IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(signer);
        options ??= new ModelSignatureOptions();
        if (options.ShardBytes is < 1)
            throw new ArgumentOutOfRangeException(nameof(options), options.ShardBytes, "A shard has a byte or more.");
        if (chain is { Count: > 0 } && !EcdsaKey.FromCertificate(chain[0]).Equals(signer.PublicKey))
            throw new CryptographicException("The first certificate is not that of the signing key.");
        var serialization = new OmsSerialization(options.Hash, options.AllowLinks, Ignored(model, signature, options.Ignore), options.ShardBytes);
        var cache = options.CachePath is { } path && FileStat.Of(Path.GetTempPath()) is not null ? DigestCache.Open(path) : null;
        var hasher = new ModelHasher(serialization, cache, progress);
        var files = ModelTree.Read(model, serialization.Ignored, serialization.AllowLinks);
        if (files.Count == 0)
            throw new InvalidDataException($"{model} holds no file to sign.");
        var resources = await Task.Run(() => hasher.Hash(files, cancel), cancel).ConfigureAwait(false);
        var statement = OmsStatement.Of(NameOf(model), resources, serialization);
        var material = chain is { Count: > 0 }
            ? new OmsMaterial(OmsMethod.Certificates, null, [.. chain.Select(certificate => certificate.RawData)])
            : new OmsMaterial(OmsMethod.Key, SignatureTrust.HintOf(signer.PublicKey), []);
        var bundle = new OmsBundle(material, statement.ToBytes(), []);
        bundle = bundle with { Signature = await EcdsaSignature.SignAsync(signer, bundle.Signed, cancel).ConfigureAwait(false) };
        AtomicFile.Write(signature, bundle.ToBytes());
        cache?.Save();
        return new ModelSignatureInfo(statement.Model, statement.Root, resources.Length, files.Sum(file => file.Bytes), hasher.HashedBytes);
    }

    /// <summary>True for bytes that claim to be a bundle of this kind or a similar one.</summary>
    public static bool IsMatch(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return OmsBundle.IsMatch(document.RootElement);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)   // the latter for text that is no UTF-8
        {
            return false;
        }
    }

    private static string NameOf(string model) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(model))) is { Length: > 0 } name ? name : "model";

    private static List<string> Ignored(string model, string signature, IReadOnlyList<string> wanted)
    {
        var ignored = new List<string>(ModelTree.Git);
        foreach (var path in wanted)
        {
            var name = ModelTree.NameIn(model, Path.Combine(model, path)) ?? throw new ArgumentException($"'{path}' lies outside the model; nothing there is signed anyway.");
            ignored.Add(name == "." ? throw new ArgumentException("The whole model cannot be left out.") : name);
        }

        if (Directory.Exists(model) && ModelTree.NameIn(model, signature) is { } own)
            ignored.Add(own);
        return [.. ignored.Distinct(StringComparer.Ordinal)];
    }
}
