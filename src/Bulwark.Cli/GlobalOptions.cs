using System.CommandLine;

namespace Bulwark.Cli;

/// <summary>Options that every command takes.</summary>
internal static class GlobalOptions
{
    internal static readonly Option<bool> Json = new("--json")
    {
        Description = "Print one JSON document on stdout instead of text.",
        Recursive = true,
    };

    internal static readonly Option<DirectoryInfo> Workspace = new("--workspace", "-w")
    {
        Description = "The workspace: keyring, log, ledger, registry.",
        DefaultValueFactory = _ => new DirectoryInfo(".bulwark"),
        Recursive = true,
        HelpName = "DIR",
    };

    /// <summary>For the commands that open a ledger.</summary>
    internal static readonly Option<string?> Ledger = new("--ledger")
    {
        Description = $"The privacy ledger: {Bulwark.Databases.LedgerStores.Forms}; the workspace's when absent. A password belongs in PGPASSFILE.",
        Recursive = true,
        HelpName = "STORE",
    };
}

/// <summary>What an exit code means; see <see cref="BulwarkCommand"/>.</summary>
internal static class ExitCode
{
    internal const int Yes = 0;
    internal const int No = 1;
    internal const int CouldNotAsk = 2;
    internal const int Interrupted = 130;
}
