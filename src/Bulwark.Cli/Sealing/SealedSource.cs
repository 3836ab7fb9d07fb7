using Bulwark.Cryptography;

namespace Bulwark.Cli.Sealing;

/// <summary>A file or a pipe, as the command line names it: <c>-</c> is standard input or output.</summary>
internal static class SealedSource
{
    internal const string Pipe = "-";

    internal static FileInfo Existing(string path) => new FileInfo(path) is { Exists: true } file ? file : throw new CommandException($"There is no file {Path.GetFullPath(path)}.");

    internal static Stream OpenRead(string path) => path == Pipe
        ? Console.OpenStandardInput()
        : new FileStream(Existing(path).FullName, new FileStreamOptions { Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, Options = FileOptions.SequentialScan });

    internal static string NameOf(string path) => path == Pipe ? "standard input" : Path.GetFileName(path);

    internal static long? LengthOf(string path) => path == Pipe ? null : new FileInfo(path).Length;

    /// <summary>Writes a file at once or not at all, or a pipe as it comes.</summary>
    internal static async Task WriteAsync(string path, Func<Stream, Task> write, UnixFileMode? mode, CancellationToken cancel)
    {
        if (path != Pipe)
        {
            await AtomicFile.WriteAsync(path, write, mode, cancel);
            return;
        }

        await using var output = Console.OpenStandardOutput();
        await write(output);
        await output.FlushAsync(cancel);
    }

    /// <summary>Names what an interrupted run of this command left: it is not continued, because nobody knows how much of it reached the disk.</summary>
    internal static void NameLeftovers(Screen screen, string path)
    {
        if (path == Pipe || Path.GetDirectoryName(Path.GetFullPath(path)) is not { } folder || !Directory.Exists(folder))
            return;
        foreach (var left in Directory.EnumerateFiles(folder, $".{Path.GetFileName(path)}.????????????.tmp"))
            screen.Note($"[yellow]{Spectre.Console.Markup.Escape($"{left} is what an interrupted run left; it is not continued. Delete it unless another run is writing it now.")}[/]");
    }

    internal sealed class Scaled(IProgress<double> progress, long? total) : IProgress<long>
    {
        public void Report(long value) => progress.Report(total is null or 0 ? 0 : (double)value / total.Value);
    }
}
