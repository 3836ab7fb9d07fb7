namespace Bulwark.Worker.Processes;

/// <summary>The runtime that this program shares with others on the machine.</summary>
internal static class SharedRuntime
{
    /// <summary>Its folder, which holds <c>dotnet</c>; null where the program has a runtime of its own beside it or inside.</summary>
    internal static string? Folder { get; } = FolderOf(typeof(object).Assembly.Location, AppContext.BaseDirectory);

    /// <param name="core">Where the core library was loaded from; empty when it is compiled in.</param>
    /// <param name="program">The program's folder.</param>
    internal static string? FolderOf(string core, string program) =>
        Path.GetDirectoryName(core) is { Length: > 0 } folder && Path.TrimEndingDirectorySeparator(Path.GetFullPath(program)) != folder
            ? Path.GetFullPath(Path.Combine(folder, "..", "..", ".."))   // shared/Microsoft.NETCore.App/VERSION
            : null;
}
