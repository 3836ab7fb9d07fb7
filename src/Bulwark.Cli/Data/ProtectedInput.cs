using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Data;

namespace Bulwark.Cli;

/// <summary>The keys that a command's input files need, and the log entry when it opens encrypted columns of them.</summary>
internal sealed class ProtectedInput : IDisposable
{
    private readonly KeyRing? _keys;
    private readonly bool _openEncrypted;
    private readonly Workspace? _workspace;

    private ProtectedInput(Workspace? workspace, KeyRing? keys, bool openEncrypted) => (_workspace, _keys, _openEncrypted) = (workspace, keys, openEncrypted);

    internal static Option<string?> Purpose() => new("--purpose") { Description = "Also read encrypted columns of protected input, for this purpose: it goes into the log first.", HelpName = "TEXT" };

    /// <summary>Opens the workspace's keys where one of the files is protected; with a purpose, logs which encrypted columns are asked for.</summary>
    /// <exception cref="CommandException">A file is protected and there is no workspace.</exception>
    internal static async Task<ProtectedInput> OpenAsync(Workspace? workspace, string? purpose, IEnumerable<string> paths, CancellationToken cancel)
    {
        string[] files = [.. paths.Where(DataProtection.IsProtected)];
        if (files.Length == 0)
            return new(workspace, null, false);
        if (workspace is null)
            throw new CommandException($"{Path.GetFileName(files[0])} is protected, and there is no workspace here that has its keys.", "name it with -w");
        var keys = workspace.OpenKeys();
        try
        {
            foreach (var file in purpose is null ? [] : files)
                await LogAsync(workspace, keys, file, purpose, cancel);
            return new(workspace, keys, purpose is not null);
        }
        catch
        {
            keys.Dispose();
            throw;
        }
    }

    /// <summary>How to read with these keys.</summary>
    internal TableReadOptions Apply(TableReadOptions reading) => reading with { Keys = _keys, OpenEncrypted = _openEncrypted };

    /// <summary>Notes that a table was read of a protected dataset, so that an erasure finds the models that learnt from it.</summary>
    internal void Note(string path, Digest root) => DataFiles.NoteReading(_workspace, _keys, path, root);

    public void Dispose() => _keys?.Dispose();

    private static async Task LogAsync(Workspace workspace, KeyRing keys, string file, string? purpose, CancellationToken cancel)
    {
        if (purpose!.Trim().Length is 0 or > 1000)
            throw new CommandException("State the purpose in 1 to 1000 characters.");
        string[] encrypted = [.. DataProtection.Describe(file, keys).Where(column => column.Action == ProtectionAction.Encrypt).Select(column => column.Name)];
        if (encrypted.Length == 0)
            return;
        using var asked = DataProtection.OpenColumns(file, encrypted, keys);
        await workspace.AppendAsync(keys, Claims.Accessed(asked, purpose.Trim(), keys), cancel);
    }
}
