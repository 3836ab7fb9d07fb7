using System.CommandLine;

namespace Bulwark.Cli;

/// <summary>The folder that holds one project's keyring, transparency log, privacy ledger and model registry.</summary>
internal sealed class Workspace
{
    private Workspace(DirectoryInfo directory) => Directory = directory;

    internal DirectoryInfo Directory { get; }

    internal string KeyRingPath => Path.Combine(Directory.FullName, "keyring.json");

    internal string LogDirectory => Path.Combine(Directory.FullName, "log");

    internal string LedgerPath => Path.Combine(Directory.FullName, "ledger.jsonl");

    internal string RegistryDirectory => Path.Combine(Directory.FullName, "registry");

    internal bool Exists => File.Exists(KeyRingPath);

    /// <summary>The workspace that the command line names.</summary>
    /// <exception cref="CommandException">There is none: it says how to make it.</exception>
    internal static Workspace Require(ParseResult parsed) => Find(parsed) ?? throw new CommandException(
        $"There is no workspace in {parsed.GetValue(GlobalOptions.Workspace)!.FullName}.", "bulwark init");

    /// <summary>The workspace that the command line names, or null where there is none.</summary>
    internal static Workspace? Find(ParseResult parsed) => At(parsed.GetValue(GlobalOptions.Workspace)!) is { Exists: true } found ? found : null;

    internal static Workspace At(DirectoryInfo directory) => new(directory);
}
