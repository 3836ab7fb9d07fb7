using System.Globalization;
using Bulwark.Lineage;
using Bulwark.Models;

namespace Bulwark.Cli;

internal static partial class VerifyCommand
{
    /// <summary>Null when the file does not begin as a model package.</summary>
    private static async Task<IReadOnlyList<EvidenceLink>?> PackageLinksAsync(ReadOnlyMemory<byte> head, string path, Trust trust, CancellationToken cancel)
    {
        if (!SealedModel.IsMatch(head.Span))
            return null;
        await using var stream = File.OpenRead(path);
        var found = await SealedModel.VerifyAsync(stream, trust.Keys, cancel);
        var links = new List<EvidenceLink> { new("package", found.IsTrusted, found.Reason) };
        if (found is { IsTrusted: true, Manifest: { } manifest })
        {
            links.Add(new EvidenceLink("signer", true, $"{found.Signer}"));
            links.Add(new EvidenceLink("model", true, $"{manifest.Name} {manifest.Version}, {manifest.Files.Count} files, digest {found.PackageDigest}"));
            links.Add(new EvidenceLink("manifest", true, string.Join(", ", Claims(manifest))));
        }

        return links;
    }

    private static IEnumerable<string> Claims(ModelManifest manifest)
    {
        yield return manifest.Epsilon is { } epsilon
            ? string.Create(CultureInfo.InvariantCulture, $"ε {epsilon:0.###}, δ {manifest.Delta:0.#e0}") : "no privacy claimed";
        if (manifest.Accuracy is { } accuracy)
            yield return string.Create(CultureInfo.InvariantCulture, $"accuracy {accuracy:0.####}");
        if (manifest.RobustAccuracy is { } robust)
            yield return string.Create(CultureInfo.InvariantCulture, $"robust accuracy {robust:0.####}");
        yield return manifest.DataCommitment is { } commitment ? $"data {commitment}" : "no data commitment";
    }
}
