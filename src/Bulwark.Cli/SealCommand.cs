using System.CommandLine;
using System.Security.Cryptography;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class SealCommand
{
    internal static Command CreateSeal()
    {
        var source = Source("The file to seal.");
        var output = Output("Where to; the default is the file's name and .sealed.");
        var key = new Option<string>("--key") { Description = "The symmetric key that wraps the file's own key.", DefaultValueFactory = _ => Workspace.SealingKey };
        var mediaType = new Option<string>("--media-type") { Description = "What the file is; readable without a key.", DefaultValueFactory = _ => "application/octet-stream" };
        var context = new Option<string[]>("--context") { Description = "A fact bound to the file, name=value; readable without a key." };
        var command = new Command("seal", """
            Encrypts and authenticates any file: constant memory, random access, any changed bit refused.

            Example: bulwark seal transactions.csv -o transactions.csv.sealed
            """) { source, output, key, mediaType, context };
        command.SetAction(async (parsed, cancel) =>
        {
            using var keys = Workspace.Require(parsed).OpenKeys();
            var from = Existing(parsed.GetRequiredValue(source));
            var to = parsed.GetValue(output)?.FullName ?? from.FullName + ".sealed";
            var options = new SealOptions { Recipients = [SealRecipient.Key(keys, parsed.GetRequiredValue(key))], MediaType = parsed.GetRequiredValue(mediaType), Context = Facts(parsed.GetValue(context) ?? []) };
            var screen = new Screen(parsed);
            var info = await screen.ProgressAsync($"sealing {from.Name}", async progress =>
            {
                SealedFileInfo? info = null;
                await using var plaintext = from.OpenRead();
                await AtomicFile.WriteAsync(to, async stream =>
                    info = await SealedFile.SealAsync(plaintext, stream, options, Fraction(progress, from.Length), cancel), cancel);
                return info!;
            });
            return screen.Answer(Document(info, to), console => Print(console, $"Sealed {from.Name} into {to}", info, new FileInfo(to).Length));
        });
        return command;
    }

    internal static Command CreateOpen()
    {
        var source = Source("The sealed file.");
        var output = Output("Where to; the default is the file's name without .sealed.");
        var command = new Command("open", """
            Decrypts a sealed file; writes nothing unless every byte of it is right.

            Example: bulwark open transactions.csv.sealed -o transactions.csv
            """) { source, output };
        command.SetAction(async (parsed, cancel) =>
        {
            using var keys = Workspace.Require(parsed).OpenKeys();
            var from = Existing(parsed.GetRequiredValue(source));
            var to = parsed.GetValue(output)?.FullName ?? DefaultOutput(from);
            var info = ReadInfo(from);
            if (!info.Slots.OfType<WrappedSlot>().Any(slot => keys.List().Any(known => KeyUri.Of(known.Id) == slot.Wrapped.Kek && known.State != KeyState.Destroyed)))
                throw new CommandException($"This keyring has none of the keys that {from.Name} is sealed for: {string.Join(", ", info.Slots)}.", "open it in the workspace that sealed it");
            var screen = new Screen(parsed);
            await screen.ProgressAsync($"opening {from.Name}", async progress =>
            {
                await using var opened = SealedFile.Open(from.OpenRead(), keys);
                await AtomicFile.WriteAsync(to, stream => CopyAsync(opened, stream, Fraction(progress, opened.Length), cancel), UnixFileMode.UserRead | UnixFileMode.UserWrite, cancel);
                return info = opened.Info;
            });
            return screen.Answer(Document(info, to), console => Print(console, $"Opened {from.Name} into {to}", info, from.Length));
        });
        return command;
    }

    /// <summary>What a file says of itself, or a clear sentence.</summary>
    internal static SealedFileInfo ReadInfo(FileInfo file)
    {
        using var stream = file.OpenRead();
        return SealedFile.ReadInfo(stream);
    }

    internal static FileInfo Existing(FileInfo file) => file.Exists ? file : throw new CommandException($"There is no file {file.FullName}.");

    internal static Rows Describe(SealedFileInfo info, long sealedBytes) => new(
        new Text($"  {(info.PlaintextBytes is { } bytes ? $"{bytes:N0} bytes of {info.MediaType}" : info.MediaType)}, sealed {info.Created:yyyy-MM-dd HH:mm:ss} UTC, {sealedBytes:N0} bytes sealed"),
        new Text($"  opened by {string.Join(" or ", info.Slots)}{string.Concat(info.Context.Select(fact => $", {fact.Key}={fact.Value}"))}"));

    internal static object Document(SealedFileInfo info, string file) => new
    {
        file,
        info.FileId,
        info.MediaType,
        info.Created,
        info.PlaintextBytes,
        info.Context,
        slots = info.Slots.Select(slot => slot.ToString()),
    };

    private static void Print(IAnsiConsole console, string title, SealedFileInfo info, long sealedBytes)
    {
        console.MarkupLineInterpolated($"[green]{title}[/]");
        console.Write(Describe(info, sealedBytes));
    }

    private static async Task CopyAsync(SealedStream opened, Stream destination, IProgress<long> progress, CancellationToken cancel)
    {
        var buffer = new byte[1 << 20];
        try
        {
            for (int count; (count = await opened.ReadAsync(buffer, cancel)) > 0; progress.Report(opened.Position))
                await destination.WriteAsync(buffer.AsMemory(0, count), cancel);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static string DefaultOutput(FileInfo file) => file.Name.EndsWith(".sealed", StringComparison.Ordinal)
        ? file.FullName[..^".sealed".Length]
        : throw new CommandException($"{file.Name} does not end in .sealed.", "say where to with -o");

    private static Dictionary<string, string> Facts(IEnumerable<string> pairs) => pairs
        .Select(pair => pair.Split('=', 2) is [{ Length: > 0 } name, var value] ? (name, value) : throw new CommandException($"'{pair}' is no fact.", "--context name=value"))
        .ToDictionary(fact => fact.name, fact => fact.value, StringComparer.Ordinal);

    private static Scaled Fraction(IProgress<double> progress, long total) => new(progress, total);

    private static Argument<FileInfo> Source(string description) => new("file") { Description = description };

    private static Option<FileInfo?> Output(string description) => new("--output", "-o") { Description = description, HelpName = "FILE" };

    private sealed class Scaled(IProgress<double> progress, long total) : IProgress<long>
    {
        public void Report(long value) => progress.Report(total == 0 ? 1 : (double)value / total);
    }
}
