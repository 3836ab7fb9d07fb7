using System.CommandLine;
using Bulwark.Cli.Making;
using Bulwark.Data;
using Bulwark.Lineage;
using Bulwark.Models;

namespace Bulwark.Cli;

internal static partial class VerifyCommand
{
    private static async Task<(string Kind, IReadOnlyList<EvidenceLink> Links)> FolderAsync(ParseResult parsed, string path, Trust trust, CancellationToken cancel)
    {
        if (File.Exists(Path.Combine(path, RunStatement.FileName)))
            return ("run", await RunStatement.VerifyAsync(path, trust.Keys, cancel));
        if (File.Exists(Path.Combine(path, ModelSignature.FileName)))
            return ("signed model folder", await SignatureLinksAsync(parsed, Path.Combine(path, ModelSignature.FileName), trust, cancel));
        if (File.Exists(Path.Combine(path, ModelFolder.ManifestName)))
            throw new CommandException($"{path} is a model folder, and nobody signed it.", "bulwark model sign DIR --key KEY, or bulwark model seal DIR");
        if (DataProtection.IsProtected(path))
            return ("protected dataset", await DatasetFolderLinksAsync(parsed, path, cancel));
        string[] parts = [.. Directory.EnumerateFiles(path, "*.parquet", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        if (parts.Length == 0)
            throw new CommandException($"{path} is a folder, and neither a log, a run, a signed model nor a dataset.", "bulwark verify FILE");
        var links = new List<EvidenceLink>();
        foreach (var part in parts)
            links.Add(await PartAsync(parsed, path, part, cancel));
        return ("protected dataset", links);
    }

    private static async Task<EvidenceLink> PartAsync(ParseResult parsed, string folder, string part, CancellationToken cancel)
    {
        var head = new byte[4];
        await using (var stream = File.OpenRead(part))
            head = head[..await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel)];
        var name = Path.GetRelativePath(folder, part);
        return await DatasetLinksAsync(parsed, head, part, cancel) is { } links
            ? EvidenceView.Holds(links) ? EvidenceLink.Good(name, "every tag right", links) : EvidenceLink.Bad(name, "altered", "not as it was protected", links)
            : EvidenceLink.Bad(name, "notProtected", "no protected Parquet: whoever can write the file can change it");
    }
}
