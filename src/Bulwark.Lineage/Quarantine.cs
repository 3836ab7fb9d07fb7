using System.Globalization;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Where a repair puts what it replaces: nothing that may be evidence is deleted.</summary>
internal sealed class Quarantine(string directory)
{
    internal const string FolderName = "quarantine";

    /// <summary>This repair's folder; null while it has replaced nothing.</summary>
    internal string? Folder { get; private set; }

    /// <summary>Copies a file of the log here, durably; one that is not there is passed over.</summary>
    internal void Take(string path)
    {
        var from = Path.Combine(directory, path);
        if (!File.Exists(from))
            return;
        Folder ??= Make();
        var to = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(from, to);
        using (var copy = File.OpenHandle(to, FileMode.Open, FileAccess.ReadWrite))
            RandomAccess.FlushToDisk(copy);
        DirectoryFlush.Flush(Path.GetDirectoryName(to)!);
    }

    private string Make()
    {
        for (var i = 0; ; i++)
        {
            var folder = Path.Combine(directory, FolderName, DateTime.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture) + (i == 0 ? "" : $"-{i}"));
            if (!Directory.Exists(folder))
                return Directory.CreateDirectory(folder).FullName;
        }
    }
}
