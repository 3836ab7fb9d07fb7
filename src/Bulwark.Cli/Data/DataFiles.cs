using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>What the data commands share: their file arguments, and the log entry of each step.</summary>
internal static class DataFiles
{
    internal static Argument<FileInfo> Input(string name, string description) => new Argument<FileInfo>(name) { Description = description }.AcceptExistingOnly();

    internal static Argument<FileInfo> Optional(string name, string description) =>
        new Argument<FileInfo>(name) { Description = description, Arity = ArgumentArity.ZeroOrOne }.AcceptExistingOnly();

    internal static Argument<FileSystemInfo> InputOrFolder(string name, string description) => new Argument<FileSystemInfo>(name) { Description = description }.AcceptExistingOnly();

    internal static Option<FileInfo> Output(string description, bool required = true) => new("--output", "-o") { Description = description, Required = required, HelpName = "FILE" };

    /// <summary>The output's full path, once it is clear that it can be written.</summary>
    internal static string Writable(FileInfo file, params string[] extensions)
    {
        if (!extensions.Contains(file.Extension.ToLowerInvariant()))
            throw new CommandException($"'{file.Name}': name the file {string.Join(" or ", extensions)}.");
        return file.Directory is { Exists: true } ? file.FullName : throw new CommandException($"There is no folder {file.DirectoryName}.");
    }

    /// <summary>The full path of an output that is a folder to be made.</summary>
    internal static string NewFolder(FileInfo folder)
    {
        if (Directory.Exists(folder.FullName) || folder.Exists)
            throw new CommandException($"{folder.FullName} exists already.", "name a new folder, or remove it");
        return folder.Directory is { Exists: true } ? folder.FullName : throw new CommandException($"There is no folder {folder.DirectoryName}.");
    }

    /// <summary>Appends the step to the log; without a workspace it says that nothing was logged.</summary>
    /// <returns>The entry's index, or null.</returns>
    internal static async Task<long?> LogAsync(ParseResult parsed, Screen screen, KeyRing? keys, Statement statement, CancellationToken cancel)
    {
        if (keys is null)
        {
            screen.Note("[grey]No workspace here, so nothing was logged. `bulwark init` makes one.[/]");
            return null;
        }

        return (await Workspace.Require(parsed).AppendAsync(keys, statement, cancel)).Index;
    }

    /// <summary>The workspace's store of data subjects' keys, made when there is none.</summary>
    internal static SubjectStore Subjects(Workspace workspace, KeyRing keys) => SubjectStore.Open(workspace.SubjectsPath, keys);

    /// <summary>The same, where there is one.</summary>
    internal static SubjectStore? KnownSubjects(Workspace? workspace, KeyRing? keys) =>
        workspace is not null && keys is not null && File.Exists(workspace.SubjectsPath) ? Subjects(workspace, keys) : null;

    internal static KeyRing? Keys(ParseResult parsed) => Workspace.Find(parsed)?.OpenKeys();

    /// <summary>Bytes as people read them.</summary>
    internal static string Size(long bytes) => bytes switch
    {
        < 10_000 => $"{bytes} B",
        < 1_000_000 => $"{bytes / 1e3:N1} kB",
        < 10_000_000_000 => $"{bytes / 1e6:N1} MB",
        _ => $"{bytes / 1e9:N1} GB",
    };
}
