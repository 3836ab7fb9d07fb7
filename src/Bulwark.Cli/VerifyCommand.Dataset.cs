using System.CommandLine;
using System.Security.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;

namespace Bulwark.Cli;

internal static partial class VerifyCommand
{
    /// <summary>Null when the file is no protected Parquet; opens what the workspace's keys open and prints no value.</summary>
    private static async Task<IReadOnlyList<EvidenceLink>?> DatasetLinksAsync(ParseResult parsed, ReadOnlyMemory<byte> head, string path, CancellationToken cancel)
    {
        if (!head.Span.StartsWith("PARE"u8) && !(head.Span.StartsWith("PAR1"u8) && DataProtection.IsProtected(path)))
            return null;
        using var keys = Workspace.Require(parsed).OpenKeys();
        try
        {
            var check = await DataProtection.VerifyAsync(path, keys, cancel: cancel);
            List<EvidenceLink> links = [new("dataset", true, check.Dataset), new("content", true, Content(check))];
            if (!check.IsAuthenticated)
                links.Add(new("tags", false, $"not authenticated: {string.Join(", ", check.Untagged)} {(check.Untagged.Count == 1 ? "carries" : "carry")} no tag{(check.CommitmentHolds is null ? ", and the commitment cannot be computed anew" : "")}"));
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

    private static string Content(ProtectionCheck check) => check.Untagged.Count == 0
        ? $"{check.Read.Count} columns, every tag right"
        : $"{check.Read.Count - check.Untagged.Count} columns, every tag right; {check.Untagged.Count} without tags";
}
