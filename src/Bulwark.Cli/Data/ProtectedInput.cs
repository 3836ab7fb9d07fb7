using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Data;

namespace Bulwark.Cli;

/// <summary>The keys that a command's input files need: every use is in the log, and when it opens encrypted columns, for which purpose. Also what blinds commitments to what is read.</summary>
internal sealed class ProtectedInput : IDisposable
{
    private readonly Workspace? _workspace;
    private readonly WorkspaceKeys? _keys;
    private readonly KeyCache? _store;
    private readonly CommitmentKey _commitments;
    private readonly bool _openEncrypted;

    private ProtectedInput(Workspace? workspace, WorkspaceKeys? keys, bool openEncrypted)
    {
        (_workspace, _keys, _openEncrypted) = (workspace, keys, openEncrypted);
        _store = keys is null ? null : new KeyCache(keys.Stores);   // one use, one entry, however often a file is opened
        _commitments = keys is null ? CommitmentKey.Forgotten() : CommitmentKey.Of(keys.Ring);
    }

    /// <summary>The workspace's key ring; null where there is no workspace.</summary>
    internal KeyRing? Ring => _keys?.Ring;

    /// <summary>What blinds commitments: the workspace's key, or one that nobody keeps.</summary>
    internal CommitmentKey Commitments => _commitments;

    /// <summary>Opens the workspace's keys where there is one; with a purpose, logs which encrypted columns are asked for.</summary>
    /// <exception cref="CommandException">A file is protected and there is no workspace.</exception>
    internal static async Task<ProtectedInput> OpenAsync(Workspace? workspace, InputAccess access, IEnumerable<string> paths, CancellationToken cancel)
    {
        string[] files = [.. paths.Where(DataProtection.IsProtected).Distinct(StringComparer.Ordinal)];
        if (workspace is not { Exists: true })
            return files.Length == 0 ? new(null, null, false) : throw new CommandException($"{Path.GetFileName(files[0])} is protected, and there is no workspace here that has its keys.", "name it with -w");
        var keys = WorkspaceKeys.Open(workspace, access.Use, access.Stores);
        var input = new ProtectedInput(workspace, keys, access.Purpose is not null);
        try
        {
            foreach (var file in files.Where(_ => access.Purpose is not null))
                await input.LogAsync(file, access.Purpose!, cancel);
            return input;
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }

    /// <summary>How to read with these keys.</summary>
    internal TableReadOptions Apply(TableReadOptions reading) => reading with { Keys = Ring, Store = _store, OpenEncrypted = _openEncrypted, Commitments = _commitments };

    /// <summary>Notes that a table was read of a protected dataset, so that an erasure finds what was made of it.</summary>
    internal void Note(string path, Digest root)
    {
        using var subjects = DataFiles.KnownSubjects(_workspace, Ring);
        if (subjects is not null && DataProtection.IsProtected(path))
            subjects.Known(DataProtection.VersionOf(path, _store!), root);
    }

    /// <summary>What a file's rows come from, so that a statement about what is made of them can name it; null where a protected file does not say. Reads a plain file once more.</summary>
    internal Task<DataOrigin?> OriginAsync(string path, TableReadOptions reading, CancellationToken cancel) => Task.Run(() =>
    {
        if (!DataProtection.IsProtected(path))
            return new DataOrigin(DataOrigin.RootOf(path, reading, _commitments, cancel), null);
        var (dataset, root) = DataProtection.OriginOf(path, _store!);
        return root is { } known ? new DataOrigin(known, dataset) : null;
    }, cancel);

    /// <summary>The same of a protected file alone: a plain one, read whole, is what it is made from.</summary>
    internal async Task<IReadOnlyList<DataOrigin>> BehindAsync(string path, CancellationToken cancel) =>
        DataProtection.IsProtected(path) && await OriginAsync(path, TableReadOptions.Default, cancel) is { } origin ? [origin] : [];

    public void Dispose()
    {
        _commitments.Dispose();
        _store?.Dispose();
        _keys?.Dispose();
    }

    private async Task LogAsync(string file, string purpose, CancellationToken cancel)
    {
        if (purpose.Trim().Length is 0 or > 1000)
            throw new CommandException("State the purpose in 1 to 1000 characters.");
        string[] encrypted = [.. DataProtection.Describe(file, _store!).Where(column => column.Action == ProtectionAction.Encrypt).Select(column => column.Name)];
        if (encrypted.Length == 0)
            return;
        using var asked = DataProtection.OpenColumns(file, encrypted, Ring!, store: _store);
        await _workspace!.AppendAsync(Ring!, Claims.Accessed(asked, purpose.Trim(), Ring!), cancel);
    }
}
