using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>The folder that holds one project's keyring, transparency log, privacy ledger and model registry.</summary>
internal sealed class Workspace
{
    /// <summary>Environment variable with the keyring's passphrase.</summary>
    internal const string PassphraseVariable = "BULWARK_PASSPHRASE";

    /// <summary>Signs the log's checkpoints.</summary>
    internal const string LogKey = "log";

    /// <summary>Signs statements and sealed models.</summary>
    internal const string SigningKey = "signing";

    /// <summary>Wraps the data keys of sealed files and models.</summary>
    internal const string SealingKey = "sealing";

    private Workspace(DirectoryInfo directory) => Directory = directory;

    internal DirectoryInfo Directory { get; }

    internal string KeyRingPath => Path.Combine(Directory.FullName, "keyring.json");

    internal string KeyFilePath => Path.Combine(Directory.FullName, "keyring.key");

    internal string LogDirectory => Path.Combine(Directory.FullName, "log");

    /// <summary>Where the log's index is; it can be removed at any time.</summary>
    internal string IndexPath => Path.Combine(Directory.FullName, "log-index");

    /// <summary>The log's index, which whoever can write here but has no key cannot make leave something out.</summary>
    internal LineageIndex OpenIndex(TransparencyLog log, KeyRing keys)
    {
        using var key = keys.Derive(SealingKey, "bulwark.dev/log-index/v1");
        return LineageIndex.Open(log, IndexPath, key.Span);
    }

    /// <summary>Where the privacy ledger is unless the workspace or the command line names another store.</summary>
    internal string LedgerPath => Path.Combine(Directory.FullName, "ledger.jsonl");

    /// <summary>Names the ledger's store, where the workspace was made with one.</summary>
    internal string LedgerStorePath => Path.Combine(Directory.FullName, "ledger.store");

    /// <summary>The ledger that the command line names; null for the workspace's.</summary>
    internal string? NamedLedger { get; init; }

    internal string RegistryDirectory => Path.Combine(Directory.FullName, "registry");

    /// <summary>The keys of data subjects.</summary>
    internal string SubjectsPath => Path.Combine(Directory.FullName, "subjects.db");

    internal bool Exists => File.Exists(KeyRingPath);

    /// <summary>True when the keyring is sealed by a key file beside it: good for development, no protection against whoever reads the folder.</summary>
    internal bool IsUnprotected => File.Exists(KeyFilePath);

    /// <summary>The workspace that the command line names.</summary>
    /// <exception cref="CommandException">There is none: it says how to make it.</exception>
    internal static Workspace Require(ParseResult parsed) => Find(parsed) ?? throw new CommandException(
        $"There is no workspace in {parsed.GetValue(GlobalOptions.Workspace)!.FullName}.", "bulwark init");

    /// <summary>The workspace that the command line names, or null where there is none.</summary>
    internal static Workspace? Find(ParseResult parsed) =>
        At(parsed.GetValue(GlobalOptions.Workspace)!, parsed.GetResult(GlobalOptions.Ledger) is null ? null : parsed.GetValue(GlobalOptions.Ledger)) is { Exists: true } found ? found : null;

    internal static Workspace At(DirectoryInfo directory, string? ledger = null) => new(directory) { NamedLedger = ledger };

    /// <summary>Makes the workspace: a keyring with its first keys, an empty log with a signed checkpoint, a registry.</summary>
    /// <param name="directory">Where; must hold no workspace.</param>
    /// <param name="passphrase">Seals the keyring; null for a key file beside it (development).</param>
    /// <param name="logStore">Where the log's entries become durable, by its name; null is the journal in the log's folder.</param>
    /// <param name="ledgerStore">Where the privacy ledger is; null is a file in the workspace. A relative FILE lies in the workspace.</param>
    /// <exception cref="CommandException">There is a workspace already, or the ledger's store cannot be opened.</exception>
    internal static async Task<Workspace> CreateAsync(DirectoryInfo directory, string? passphrase, string? logStore = null, string? ledgerStore = null)
    {
        var workspace = new Workspace(directory);
        if (workspace.Exists)
            throw new CommandException($"{directory.FullName} is a workspace already; nothing was changed.", "remove the folder to start anew: its keys are then gone for good");
        directory.Create();
        directory.CreateSubdirectory("registry");
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, ".gitignore"), "*\n");   // keys do not belong in a repository
        if (ledgerStore is not null)
            Making.LedgerAddress.Keep(workspace, ledgerStore);
        using var keys = KeyRing.Create(workspace.KeyRingPath, workspace.Unlock(passphrase));
        keys.CreateSigning(LogKey);
        keys.CreateSigning(SigningKey);
        keys.CreateSymmetric(SealingKey);
        using var signer = keys.OpenSigner(LogKey);
        System.IO.Directory.CreateDirectory(workspace.LogDirectory);
        await using var log = await TransparencyLog.CreateAsync(workspace.LogDirectory, LogOrigin(), signer, await Bulwark.Databases.LogStores.OpenAsync(logStore, workspace.LogDirectory));
        return workspace;
    }

    /// <summary>Opens the keyring with the passphrase in the environment, or with the key file beside it.</summary>
    /// <exception cref="CommandException">Neither is there.</exception>
    internal KeyRing OpenKeys()
    {
        var passphrase = Environment.GetEnvironmentVariable(PassphraseVariable);
        if (!IsUnprotected && string.IsNullOrEmpty(passphrase))
            throw new CommandException($"The keyring in {Directory.FullName} needs its passphrase.", $"set {PassphraseVariable}");
        try
        {
            return KeyRing.Open(KeyRingPath, Unlock(IsUnprotected ? null : passphrase));
        }
        catch (System.Security.Cryptography.CryptographicException refusal)
        {
            throw new CommandException(refusal.Message, IsUnprotected ? "the key file beside it must be the one it was made with" : $"check {PassphraseVariable}");
        }
    }

    /// <summary>Opens the privacy ledger, each of whose lines becomes an entry of the log; refuses one that was set back.</summary>
    internal Bulwark.Privacy.PrivacyLedger OpenLedger() => Making.LedgerAddress.Open(this);

    /// <summary>Opens the log to append to it.</summary>
    internal async Task<TransparencyLog> OpenLogAsync(KeyRing keys) => await Logs.LogSource.OpenAsync(LogDirectory, keys.OpenSigner(LogKey), key: null);

    /// <summary>Who cosigns the log; a tlog-policy, absent where nobody does.</summary>
    /// <summary>Where a gateway writes its private trail of decisions.</summary>
    internal string TrailDirectory => Path.Combine(Directory.FullName, "audit");

    internal string WitnessPolicyPath => Path.Combine(Directory.FullName, "witness.policy");

    /// <summary>Has the log's checkpoint cosigned where the workspace names witnesses. One that cannot be reached stops nobody: a policy says later who was missing.</summary>
    internal async Task CosignAsync(TransparencyLog log, CancellationToken cancel)
    {
        if (!File.Exists(WitnessPolicyPath))
            return;
        using var http = Logs.LogSource.Http();
        await using var round = new WitnessRound(log, LogPolicy.Parse(await File.ReadAllBytesAsync(WitnessPolicyPath, cancel)), http);
        await round.AskAsync(cancel);
    }

    /// <summary>The log's name and key: no two workspaces share them.</summary>
    internal async Task<string> LogNameAsync() => (await TransparencyLog.OpenAsync(LogDirectory)).NoteKey.ToString();

    /// <summary>Signs a statement and appends it to the log; durable when it returns.</summary>
    internal async Task<LogEntryReceipt> AppendAsync(Statement statement, CancellationToken cancel = default)
    {
        using var keys = OpenKeys();
        return await AppendAsync(keys, statement, cancel);
    }

    /// <inheritdoc cref="AppendAsync(Statement, CancellationToken)"/>
    internal async Task<LogEntryReceipt> AppendAsync(KeyRing keys, Statement statement, CancellationToken cancel = default)
    {
        using var signer = keys.OpenSigner(SigningKey);
        await using var log = await OpenLogAsync(keys);
        var given = await log.AppendAsync(Dsse.Sign(statement, signer), cancel);
        await log.IntegratedAsync(given.Index, cancel);   // the command's next words may be of the tree
        await CosignAsync(log, cancel);
        return given;
    }

    /// <summary>Signs statements and appends them to the log, in order; durable when it returns.</summary>
    internal async Task AppendAsync(KeyRing keys, IReadOnlyList<Statement> statements)
    {
        using var signer = keys.OpenSigner(SigningKey);
        await using var log = await OpenLogAsync(keys);
        var given = await log.AppendManyAsync([.. statements.Select(statement => (ReadOnlyMemory<byte>)Dsse.Sign(statement, signer))]);
        await log.IntegratedAsync(given[^1].Index);
        await CosignAsync(log, CancellationToken.None);
    }

    private KeyRingUnlock Unlock(string? passphrase) =>
        passphrase is null ? KeyRingUnlock.KeyFile(KeyFilePath) : KeyRingUnlock.Passphrase(passphrase);

    /// <summary>A name for the log that no two workspaces share; says nothing of the machine.</summary>
    private static string LogOrigin() => $"bulwark.dev/log/{Guid.NewGuid():N}";
}
