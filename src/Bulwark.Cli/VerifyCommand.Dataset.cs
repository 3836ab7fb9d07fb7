using System.CommandLine;
using System.Security.Cryptography;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;

namespace Bulwark.Cli;

internal static partial class VerifyCommand
{
    /// <summary>Null when the file is no protected Parquet; opens what the workspace's keys open and prints no value.</summary>
    private static async Task<IReadOnlyList<EvidenceLink>?> DatasetLinksAsync(ParseResult parsed, ReadOnlyMemory<byte> head, string path, CancellationToken cancel)
    {
        if (!Directory.Exists(path) && !head.Span.StartsWith("PARE"u8) && !(head.Span.StartsWith("PAR1"u8) && DataProtection.IsProtected(path)))
            return null;
        using var keys = WorkspaceKeys.Open(Workspace.Require(parsed), "verify", Stores(parsed));
        try
        {
            using var store = new KeyCache(keys.Stores);
            var check = await DataProtection.VerifyAsync(path, keys.Ring, store: store, cancel: cancel);
            List<EvidenceLink> links = [new("dataset", true, check.Dataset), new("content", true, Content(check))];
            links.AddRange(check.Shut.Select(column => new EvidenceLink($"column {column.Column}", false, $"not checked: {column.Reason}")));
            if (check.CommitmentHolds is { } holds)
                links.Add(new("commitment", holds, holds ? $"computed anew: {check.Commitment}" : $"the rows do not give {check.Commitment}"));
            return links;
        }
        catch (CryptographicException failure)
        {
            return [new("content", false, failure.Message)];
        }
    }

    /// <summary>A folder under its manifest: its files are the ones that were written, none is missing or strange, and every byte that the keys open is right.</summary>
    private static async Task<IReadOnlyList<EvidenceLink>> DatasetFolderLinksAsync(ParseResult parsed, string path, CancellationToken cancel)
    {
        try
        {
            var manifest = await DataProtection.VerifyFilesAsync(path, store: null, cancel);   // its seal is checked with the content
            return [new("parts", true, $"{manifest.Parts.Count} files, none changed, missing or strange"), .. (await DatasetLinksAsync(parsed, default, path, cancel))!];
        }
        catch (CryptographicException failure)
        {
            return [EvidenceLink.Bad("parts", "altered", failure.Message)];
        }
    }

    /// <summary>Keys in stores beside the key ring, which may be asked.</summary>
    private static IEnumerable<KeyUri> Stores(ParseResult parsed) => (parsed.GetValue(Kek) ?? []).Select(text => KeyAddress.Parse(text)!);

    private static string Content(ProtectionCheck check) => check.Untagged.Count == 0
        ? $"{check.Read.Count} columns, every tag right"
        : $"{check.Read.Count - check.Untagged.Count} columns, every tag right; {check.Untagged.Count} plain, their row groups as the signed footer says";
}
