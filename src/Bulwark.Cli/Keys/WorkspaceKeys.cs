using Bulwark.Cryptography;
using Bulwark.Keys;
using Bulwark.Lineage;

namespace Bulwark.Cli.Keys;

/// <summary>The keyring and the key stores that one command may use. Every wrap and unwrap is an entry of the workspace's log before its result is given out.</summary>
internal sealed class WorkspaceKeys : IDisposable
{
    private readonly Workspace _workspace;
    private readonly bool _ownsRing;
    private readonly Lazy<string> _who;
    private readonly KeyProviders _others;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly bool _ownsLog;
    private TransparencyLog? _log;

    private WorkspaceKeys(Workspace workspace, KeyRing ring, bool ownsRing, string purpose, IEnumerable<KeyUri> keys, TransparencyLog? log = null)
    {
        (_workspace, Ring, _ownsRing, _log, _ownsLog) = (workspace, ring, ownsRing, log, log is null);
        _who = new(() => Claims.PseudonymOf(ring, Environment.UserName));
        var others = KeyProviders.Open(keys.Where(key => key.Scheme != KeyUri.FileScheme), key => KeyStores.Open(key, Options()));
        Stores = new KeyUseLog(new KeyProviders([ring, others], owned: false), Environment.UserName, purpose, RecordAsync, owned: false);
        _others = others;
    }

    /// <summary>The workspace's keyring: its uses through here are not recorded.</summary>
    internal KeyRing Ring { get; }

    /// <summary>The keyring and the named stores; recorded.</summary>
    internal IKeyBatches Stores { get; }

    /// <summary>Opens the keyring, and the store of each address.</summary>
    /// <param name="workspace">Whose keyring and log.</param>
    /// <param name="purpose">What for, as the log will say: <c>seal</c>, <c>open</c>, <c>rewrap</c>.</param>
    /// <param name="keys">Addresses that will be used; those of the keyring need not be named.</param>
    internal static WorkspaceKeys Open(Workspace workspace, string purpose, params IEnumerable<KeyUri> keys)
    {
        var ring = workspace.OpenKeys();
        try
        {
            return new WorkspaceKeys(workspace, ring, ownsRing: true, purpose, keys);
        }
        catch
        {
            ring.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Open"/>, over a keyring that the caller has opened and will close.</summary>
    internal static WorkspaceKeys Over(Workspace workspace, KeyRing ring, string purpose, params IEnumerable<KeyUri> keys) => new(workspace, ring, ownsRing: false, purpose, keys);

    /// <summary>As <see cref="Open"/>, over a keyring and a log that the caller has opened and will close.</summary>
    internal static WorkspaceKeys Over(Workspace workspace, KeyRing ring, TransparencyLog log, string purpose) => new(workspace, ring, ownsRing: false, purpose, [], log);

    /// <summary>How this machine reaches key stores: credentials from the environment, from files it names, or from the person at the terminal.</summary>
    internal static KeyStoreOptions Options() => new()
    {
        Ask = SecretPrompt.IsPossible ? SecretPrompt.Ask : null,
        Authorities = Authorities(),
    };

    /// <summary>Records what else is done to a key: made, rotated, retired, destroyed.</summary>
    internal static Task RecordAsync(Workspace workspace, KeyRing ring, KeyUri key, string operation, string purpose) => Logged(workspace).AppendAsync(ring, Statement.Of(
        key.ToString(), Digest.Of(System.Text.Encoding.UTF8.GetBytes(key.ToString())),
        new KeyUsed { Operation = operation, Key = key.Key.ToString(), Version = key.Version, Purpose = purpose, By = Claims.PseudonymOf(ring, Environment.UserName), Time = DateTimeOffset.UtcNow }));

    /// <summary>As <see cref="RecordAsync(Workspace, KeyRing, KeyUri, string, string)"/>, of what is done already.</summary>
    /// <exception cref="IOException">The log could not be told; the message says that it was done.</exception>
    internal static async Task RecordDoneAsync(Workspace workspace, KeyRing ring, KeyUri key, string operation)
    {
        try
        {
            await RecordAsync(workspace, ring, key, operation, $"keys {operation}");
        }
        catch (IOException failure)
        {
            throw new IOException($"keys {operation} was done and made {key}, but the log could not be told. {failure.Message}", failure);
        }
    }

    /// <summary>Records that a file's key was printed: by which of its slots it was opened.</summary>
    internal static Task RecordExportAsync(Workspace workspace, KeyRing ring, KeySlot openedBy, string fileId) => Logged(workspace).AppendAsync(ring, Statement.Of(
        fileId, Digest.Of(System.Text.Encoding.UTF8.GetBytes(fileId)),
        new KeyUsed
        {
            Operation = "export",
            Key = openedBy is WrappedSlot { Wrapped.Kek: var kek } ? kek.Key.ToString() : openedBy.Recipient,
            Version = (openedBy as WrappedSlot)?.Wrapped.Kek.Version,
            Purpose = $"export-key of file {fileId}",
            By = Claims.PseudonymOf(ring, Environment.UserName),
            Time = DateTimeOffset.UtcNow,
        }));

    /// <summary>Says on stderr when a key that is about to protect something is past its time, or soon will be.</summary>
    /// <remarks>Who may wrap with a store's key may not be allowed to read of it: then nobody can say, and the wrap itself tells what else is wrong.</remarks>
    internal async Task WarnOfAgeAsync(Screen screen, KeyUri kek, CancellationToken cancel)
    {
        string? warning;
        if (kek.IsInRing())
        {
            warning = KeyStanding.Of(Ring.List(), DateTimeOffset.UtcNow).LastOrDefault(key => key.Info.Id.Name == kek.Path && key.IsCurrent)?.Warning;
        }
        else
        {
            try
            {
                warning = KeyStanding.WarningOf(await Stores.DescribeAsync(kek.Key, cancel), DateTimeOffset.UtcNow);
            }
            catch (Exception failure) when (failure is IOException or InvalidOperationException or NotSupportedException)
            {
                warning = null;
            }
        }

        if (warning is not null)
            screen.Note($"[yellow]{Spectre.Console.Markup.Escape(warning)}[/]");
    }

    public void Dispose()
    {
        if (_ownsLog)
            _log?.DisposeAsync().AsTask().GetAwaiter().GetResult();   // its tree takes in what was recorded
        _turn.Dispose();
        _others.Dispose();
        if (_ownsRing)
            Ring.Dispose();
    }

    private async ValueTask RecordAsync(IReadOnlyList<KeyUse> uses, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);   // files are read by several threads
        try
        {
            _log ??= await Logged(_workspace).OpenLogAsync(Ring);
            using var signer = Ring.OpenSigner(Workspace.SigningKey);
            await _log.AppendManyAsync([.. uses.AsParallel().AsOrdered().WithCancellation(cancel).Select(use => (ReadOnlyMemory<byte>)Dsse.Sign(StatementOf(use), signer))], cancel);
        }
        finally
        {
            _turn.Release();
        }
    }

    private Statement StatementOf(KeyUse use) => Statement.Of(use.Item ?? "wrapped key", use.Binding, new KeyUsed
    {
        Operation = use.Operation.ToString().ToLowerInvariant(),
        Key = use.Key.Key.ToString(),
        Version = use.Key.Version,
        Purpose = use.Purpose,
        By = _who.Value,
        Time = use.Time,
    });

    /// <summary>Every workspace is made with a log: where it is gone, what would be done could not be told, so it is not done.</summary>
    private static Workspace Logged(Workspace workspace) => Directory.Exists(workspace.LogDirectory) ? workspace
        : throw new CommandException($"The log in {workspace.LogDirectory} is missing; a key is not used where that cannot be recorded.", "bring the folder back from its backup");

    /// <summary>BULWARK_KEYS_CA (or VAULT_CACERT) names a PEM file of authorities; otherwise the system's are trusted.</summary>
    private static System.Security.Cryptography.X509Certificates.X509Certificate2Collection? Authorities()
    {
        var path = Environment.GetEnvironmentVariable("BULWARK_KEYS_CA") ?? Environment.GetEnvironmentVariable("VAULT_CACERT");
        if (string.IsNullOrEmpty(path))
            return null;
        if (!File.Exists(path))
            throw new CommandException($"The file of certificate authorities {path} is missing.", "BULWARK_KEYS_CA names a PEM file");
        var authorities = new System.Security.Cryptography.X509Certificates.X509Certificate2Collection();
        authorities.ImportFromPemFile(path);
        return authorities.Count > 0 ? authorities : throw new CommandException($"{path} holds no certificate.", "BULWARK_KEYS_CA names a PEM file");
    }
}
