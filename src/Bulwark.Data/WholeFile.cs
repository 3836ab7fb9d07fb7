namespace Bulwark.Data;

/// <summary>Writes a file that appears whole or not at all: a temporary file beside it, flushed to the disk, then renamed.</summary>
internal static class WholeFile
{
    internal static Task WriteAsync(string path, Action<Stream> write, CancellationToken cancel) => Task.Run(
        () =>
        {
            var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
            try
            {
                using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16))
                {
                    write(stream);
                    stream.Flush(flushToDisk: true);
                }

                cancel.ThrowIfCancellationRequested();
                File.Move(temporary, path, overwrite: true);
            }
            finally
            {
                File.Delete(temporary);
            }
        }, cancel);
}
