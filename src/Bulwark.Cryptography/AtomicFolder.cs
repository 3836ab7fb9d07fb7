using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Makes a folder of files that appears whole or not at all, whatever stops the writer.</summary>
/// <remarks>Everything is written in a hidden folder beside it, flushed to the disk and renamed. A killed writer leaves only the hidden one, whose name ends in <c>.tmp</c>.</remarks>
public static class AtomicFolder
{
    /// <summary>Makes <paramref name="path"/> of what <paramref name="write"/> writes; a failure or a cancel leaves nothing.</summary>
    /// <param name="path">The folder; it must not exist, its parent must.</param>
    /// <param name="write">Writes the files into the folder that it is given, and closes them.</param>
    /// <param name="cancel">Checked once more before the folder appears.</param>
    /// <exception cref="IOException">The folder exists, or the disk refused.</exception>
    public static async Task WriteAsync(string path, Func<string, Task> write, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(write);
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        RequireAbsent(full);
        var parent = Path.GetDirectoryName(full) ?? throw new ArgumentException($"{full} is no folder's path.", nameof(path));
        var temporary = Path.Combine(parent, $".{Path.GetFileName(full)}.{RandomNumberGenerator.GetHexString(12, lowercase: true)}.tmp");
        Directory.CreateDirectory(temporary);
        try
        {
            await write(temporary).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
            foreach (var file in Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories))
            {
                using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
                stream.Flush(flushToDisk: true);
            }

            foreach (var folder in Directory.EnumerateDirectories(temporary, "*", SearchOption.AllDirectories).Append(temporary))
                DirectoryFlush.Flush(folder);
            RequireAbsent(full);
            Directory.Move(temporary, full);
            DirectoryFlush.Flush(parent);
        }
        catch
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    private static void RequireAbsent(string path)
    {
        if (Directory.Exists(path) || File.Exists(path))
            throw new IOException($"{path} exists already: name a new folder, or remove it.");
    }
}
