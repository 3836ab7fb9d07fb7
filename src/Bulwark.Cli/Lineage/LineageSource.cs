using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>The log that a chain of evidence is walked in: the workspace's, or a copy that the command line names.</summary>
internal static class LineageSource
{
    internal static readonly Option<DirectoryInfo?> Log = new("--log") { Description = "The log's folder, or a copy of it; the default is the workspace's.", HelpName = "DIR" };

    /// <summary>Opens the log; null where there is none to open.</summary>
    /// <exception cref="InvalidDataException">The log is not signed by the key, or damaged.</exception>
    internal static async Task<LineageReader?> FindAsync(ParseResult parsed, VerificationKey? logKey, IReadOnlyCollection<VerificationKey> signers)
    {
        var workspace = Workspace.Find(parsed);
        var copy = parsed.GetResult(Log) is null ? null : parsed.GetValue(Log);
        if (copy is not null && !TransparencyLog.IsMatch(copy.FullName))
            throw new CommandException($"{copy.FullName} holds no log.");
        var directory = copy?.FullName ?? workspace?.LogDirectory;
        if (directory is null || logKey is null || !TransparencyLog.IsMatch(directory))
            return null;
        var log = await TransparencyLog.OpenAsync(directory, trustedKey: logKey);
        if (copy is not null)
            return new LineageReader(log, LineageIndex.Open(log), signers);
        using var keys = workspace!.OpenKeys();
        return new LineageReader(log, workspace.OpenIndex(log, keys), signers);
    }

    /// <summary>The workspace's log, with its keys.</summary>
    internal static async Task<LineageReader> RequireAsync(ParseResult parsed)
    {
        using var keys = Workspace.Require(parsed).OpenKeys();
        return (await FindAsync(parsed, keys.PublicKey(Workspace.LogKey), LogCommand.SigningKeys(keys)))!;
    }
}
