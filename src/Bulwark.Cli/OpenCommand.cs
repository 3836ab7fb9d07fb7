using System.CommandLine;
using System.Security.Cryptography;
using Bulwark.Cli.Sealing;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class OpenCommand
{
    private static readonly Argument<string> s_source = new("file") { Description = "The sealed file; - is standard input." };
    private static readonly Option<string?> s_output = new("--output", "-o") { Description = "Where to; - is standard output. The default is the file's name without .sealed, .age or .tink; for a range, standard output.", HelpName = "FILE" };
    private static readonly Option<string?> s_range = new("--range") { Description = "Only these bytes, from 0: A-B, both included; A- to the end; -N the last N.", HelpName = "A-B" };
    private static readonly Option<string> s_format = SealCommand.OneOf("--format", "Whose format; auto tells sealed files and age files apart by their first bytes.", "auto", "bulwark", "age", "tink");
    private static readonly Option<int> s_threads = new("--threads") { Description = "Threads, at 2 MiB of memory each; 0 is one a core." };

    internal static Command Create()
    {
        var command = new Command("open", """
            Decrypts a sealed file, an age file or a Tink file. A file appears whole, or not at all when any byte of it is wrong; standard output
            gets only bytes that are proved, and the exit code is 1 when the rest is not.

            Example: bulwark open transactions.csv.sealed -o transactions.csv
            Example: bulwark open model.sealed --range 0-1023 | xxd
            """)
        {
            s_source, s_output, s_range, s_format, s_threads, OpenKeys.Identity, OpenKeys.Passphrase, OpenKeys.PassphraseFile, OpenKeys.AcceptCost, OpenKeys.Key,
            TinkKeys.Keyset, TinkKeys.AssociatedData,
        };
        command.SetAction(OpenAsync);
        return command;
    }

    private static async Task<int> OpenAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var from = parsed.GetRequiredValue(s_source);
        var range = parsed.GetValue(s_range) is { } text ? ByteRange.Parse(text) : null;
        var to = parsed.GetValue(s_output) ?? (range is not null || from == SealedSource.Pipe ? SealedSource.Pipe : DefaultOutput(from));
        await using var source = SealedSource.OpenRead(from);
        SealedSource.NameLeftovers(screen, to);
        var opener = new Opener(parsed, source, SealedSource.NameOf(from), parsed.GetRequiredValue(s_format), parsed.GetValue(s_threads));
        var written = 0L;
        try
        {
            var info = await screen.ProgressAsync($"opening {SealedSource.NameOf(from)}", async progress =>
            {
                SealedFileInfo? opened = null;
                var scaled = new SealedSource.Scaled(progress, SealedSource.LengthOf(from));
                await SealedSource.WriteAsync(to, async stream =>
                {
                    await using var counted = to == SealedSource.Pipe ? new CountingStream(stream, count => written = count) : null;
                    var target = counted ?? stream;
                    opened = range is null ? await opener.OpenAsync(target, scaled, cancel) : await opener.OpenRangeAsync(range, target, cancel);
                }, UnixFileMode.UserRead | UnixFileMode.UserWrite, cancel);
                return opened;
            });
            if (to == SealedSource.Pipe)
                return ExitCode.Yes;
            var done = $"Opened {SealedSource.NameOf(from)} into {to}";
            return info is null ? screen.Answer(new { file = to }, done, []) : SealCommand.Answer(screen, done, info, to, SealedSource.LengthOf(from) ?? 0);
        }
        catch (CryptographicException failure) when (to == SealedSource.Pipe && written > 0)
        {
            screen.Note($"[red]error: {Markup.Escape(failure.Message)} The first {written:N0} bytes are right and were written; what follows is missing or was changed.[/]");
            return ExitCode.No;
        }
    }

    private static string DefaultOutput(string file) =>
        Array.Find([".sealed", ".age", ".tink"], ending => file.EndsWith(ending, StringComparison.Ordinal) && Path.GetFileName(file).Length > ending.Length) is { } known
            ? Path.GetFullPath(file)[..^known.Length]
            : throw new CommandException($"{Path.GetFileName(file)} does not end in .sealed, .age or .tink.", "say where to with -o");

    /// <summary>Counts what was written, so that a failure can say how much is right.</summary>
    private sealed class CountingStream(Stream destination, Action<long> report) : Stream
    {
        private long _count;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (destination is FileStream)
                destination.Write(buffer.Span);
            else
                await destination.WriteAsync(buffer, cancellationToken);
            report(_count += buffer.Length);
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            destination.Write(buffer, offset, count);
            report(_count += count);
        }

        public override void Flush() => destination.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
