using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Writes a file so that a reader sees the old bytes or the new ones, never a mixture, whatever stops the writer.</summary>
/// <remarks>A temporary file in the same folder, flushed to the disk, renamed over the target, and the folder flushed: durable when the call returns.</remarks>
public static class AtomicFile
{
    /// <summary>Replaces <paramref name="path"/> by <paramref name="bytes"/>.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="bytes">The whole new content.</param>
    /// <param name="mode">Permissions of the new file on Unix; null leaves them to the process's mask.</param>
    /// <exception cref="IOException">The disk refused; the old file is untouched.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes, UnixFileMode? mode = null)
    {
        var temporary = TemporaryPath(path);
        try
        {
            using (var stream = Create(temporary, mode))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }

            Publish(temporary, path);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Replaces <paramref name="path"/> by what <paramref name="write"/> writes; a failure or a cancel leaves the old file and no temporary one.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="write">Writes the whole new content to the stream that it is given, and leaves it open.</param>
    /// <param name="cancel">Checked once more before the new file appears.</param>
    /// <exception cref="IOException">The disk refused; the old file is untouched.</exception>
    public static Task WriteAsync(string path, Func<Stream, Task> write, CancellationToken cancel = default) => WriteAsync(path, write, mode: null, cancel);

    /// <summary>As <see cref="WriteAsync(string, Func{Stream, Task}, CancellationToken)"/>, with permissions.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="write">Writes the whole new content to the stream that it is given, and leaves it open.</param>
    /// <param name="mode">Permissions of the new file on Unix; null leaves them to the process's mask.</param>
    /// <param name="cancel">Checked once more before the new file appears.</param>
    /// <exception cref="IOException">The disk refused; the old file is untouched.</exception>
    public static async Task WriteAsync(string path, Func<Stream, Task> write, UnixFileMode? mode, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(write);
        var temporary = TemporaryPath(path);
        try
        {
            var stream = Create(temporary, mode);
            await using (stream.ConfigureAwait(false))
            {
                await write(stream).ConfigureAwait(false);
                cancel.ThrowIfCancellationRequested();
                stream.Flush(flushToDisk: true);
            }

            Publish(temporary, path);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static string TemporaryPath(string path)
    {
        var full = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(full) ?? throw new ArgumentException($"{full} is no file's path.", nameof(path));
        return Path.Combine(folder, $".{Path.GetFileName(full)}.{RandomNumberGenerator.GetHexString(12, lowercase: true)}.tmp");
    }

    private static FileStream Create(string path, UnixFileMode? mode)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (mode is not null && !OperatingSystem.IsWindows())
            options.UnixCreateMode = mode;
        return new FileStream(path, options);
    }

    private static void Publish(string temporary, string path)
    {
        File.Move(temporary, path, overwrite: true);
        DirectoryFlush.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
