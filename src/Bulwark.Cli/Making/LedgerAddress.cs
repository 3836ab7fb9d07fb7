using Bulwark.Cryptography;
using Bulwark.Databases;
using Bulwark.Privacy;

namespace Bulwark.Cli.Making;

/// <summary>Where a workspace's privacy ledger is: what the command line names, else what the workspace was made with, else a file in it.</summary>
internal static class LedgerAddress
{
    internal static PrivacyLedger Open(Workspace workspace)
    {
        try
        {
            return PrivacyLedger.Open(new LoggedLedgerStore(LedgerStores.Open(Of(workspace)), workspace));
        }
        catch (FormatException failure)
        {
            throw new CommandException(failure.Message, "bulwark … --ledger file:ledger.jsonl");
        }
    }

    /// <summary>The store's name, with a whole path where it is a file.</summary>
    internal static string Of(Workspace workspace)
    {
        if (workspace.NamedLedger is { } named)
            return Whole(named, Environment.CurrentDirectory);
        return File.Exists(workspace.LedgerStorePath)
            ? Whole(File.ReadAllText(workspace.LedgerStorePath).Trim(), workspace.Directory.FullName)
            : $"file:{workspace.LedgerPath}";
    }

    /// <summary>Makes a store the workspace's, after it was opened once.</summary>
    /// <exception cref="CommandException">There is no such store, or its name holds a password.</exception>
    internal static void Keep(Workspace workspace, string name)
    {
        if (name.StartsWith("postgres:", StringComparison.Ordinal) && name.Split(';', ':').Any(part => part.TrimStart().StartsWith("password", StringComparison.OrdinalIgnoreCase) || part.TrimStart().StartsWith("pwd", StringComparison.OrdinalIgnoreCase)))
            throw new CommandException("The ledger's address holds a password, and the workspace would keep it in the clear.", "put it into PGPASSFILE");
        try
        {
            LedgerStores.Open(Whole(name, workspace.Directory.FullName)).Dispose();
        }
        catch (FormatException failure)
        {
            throw new CommandException(failure.Message);
        }

        AtomicFile.Write(workspace.LedgerStorePath, System.Text.Encoding.UTF8.GetBytes(name + "\n"));
    }

    private static string Whole(string name, string folder)
    {
        foreach (var scheme in (string[])["file:", "sqlite:"])
        {
            if (name.StartsWith(scheme, StringComparison.Ordinal) && name.Length > scheme.Length)
                return scheme + Path.GetFullPath(name[scheme.Length..], folder);
        }

        return name;
    }
}
