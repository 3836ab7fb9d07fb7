using System.CommandLine;
using Bulwark.Cli.Sealing;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Cli;

internal static class SealCommand
{
    private static readonly Argument<string> s_source = new("file") { Description = "The file to seal; - is standard input." };
    private static readonly Option<string?> s_output = new("--output", "-o") { Description = "Where to; - is standard output. The default is the file's name and .sealed, .age or .tink.", HelpName = "FILE" };
    private static readonly Option<string[]> s_to = new("--to") { Description = "Who can open it: a key of the keyring or of another store (vault:…, pkcs11:…), or an X25519 public key (age1… or x25519:…); may be repeated.", HelpName = "RECIPIENT" };
    private static readonly Option<string?> s_key = new("--key") { Description = $"The same as --to; without any recipient, {Workspace.SealingKey}." };
    private static readonly Option<bool> s_passphrase = SealSecrets.PassphraseOption("Ask for a passphrase that opens it, too.");
    private static readonly Option<FileInfo?> s_passphraseFile = SealSecrets.PassphraseFileOption();
    private static readonly Option<string> s_format = OneOf("--format", "Whose format: bulwark, age or tink.", "bulwark", "age", "tink");
    private static readonly Option<string> s_suite = OneOf("--suite", "bulwark: floe (1 MiB segments) or cobblestone (16 KiB).", "floe", "cobblestone");
    private static readonly Option<bool> s_armor = new("--armor", "-a") { Description = "age: as text." };
    private static readonly Option<string> s_mediaType = new("--media-type") { Description = "bulwark: what the file is; readable without a key.", DefaultValueFactory = _ => "application/octet-stream" };
    private static readonly Option<string[]> s_context = new("--context") { Description = "bulwark: a fact bound to the file, name=value; readable without a key." };
    private static readonly Option<int?> s_capacity = new("--slot-capacity") { Description = "bulwark: bytes kept for recipients, also later ones; 512 to 65536." };
    private static readonly Option<int> s_threads = new("--threads") { Description = "Threads, at 2 MiB of memory each; 0 is one a core." };

    internal static Command CreateSeal()
    {
        var command = new Command("seal", """
            Encrypts and authenticates any file: constant memory, random access, any changed bit refused. Any one recipient opens it.
            An interrupted run leaves no half file; what it left is never continued.

            Example: bulwark seal transactions.csv --to sealing --to age1… -o transactions.csv.sealed
            Example: tar c models | bulwark seal - --format age --to age1… -o models.age
            """)
        {
            s_source, s_output, s_to, s_key, s_passphrase, s_passphraseFile, s_format, s_suite, s_armor, s_mediaType, s_context, s_capacity, s_threads,
            TinkKeys.Keyset, TinkKeys.Segment, TinkKeys.AssociatedData,
            SealRecipients.Create(), SealExportKey.Create(), SealIdentityCommand.Create(),
        };
        command.SetAction(SealAsync);
        return command;
    }

    internal static Command CreateOpen() => OpenCommand.Create();

    /// <summary>What a file says of itself, or a clear sentence.</summary>
    internal static SealedFileInfo ReadInfo(FileInfo file)
    {
        using var stream = file.OpenRead();
        return SealedFile.ReadInfo(stream);
    }

    internal static FileInfo Existing(FileInfo file) => file.Exists ? file : throw new CommandException($"There is no file {file.FullName}.");

    private static object Document(SealedFileInfo info, string file) => new
    {
        file,
        info.FileId,
        suite = info.Suite,
        info.MediaType,
        info.Created,
        info.PlaintextBytes,
        info.Context,
        slots = info.Slots.Select(slot => slot.Recipient),
        info.NeedsMending,
    };

    private static async Task<int> SealAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var from = parsed.GetRequiredValue(s_source);
        var format = parsed.GetRequiredValue(s_format);
        var to = parsed.GetValue(s_output) ?? (from == SealedSource.Pipe ? SealedSource.Pipe : $"{Path.GetFullPath(from)}.{(format == "bulwark" ? "sealed" : format)}");
        await using var plaintext = SealedSource.OpenRead(from);
        SealedSource.NameLeftovers(screen, to);
        var passphrase = SealSecrets.Passphrase(parsed, s_passphrase, s_passphraseFile, twice: true);
        using var targets = await SealTargets.ReadAsync(parsed, [.. parsed.GetValue(s_to) ?? [], .. parsed.GetValue(s_key) is { } key ? [key] : Array.Empty<string>()], passphrase, format == "bulwark" ? Workspace.SealingKey : null, screen, cancel);
        SealedFileInfo? info = null;
        using var keyset = format == "tink" ? TinkKeys.Read(parsed, screen) : null;
        await screen.ProgressAsync($"sealing {SealedSource.NameOf(from)}", async progress =>
        {
            await SealedSource.WriteAsync(to, async stream => info = await WriteAsync(parsed, format, plaintext, stream, targets, keyset, new SealedSource.Scaled(progress, SealedSource.LengthOf(from)), cancel), mode: null, cancel);
            return true;
        });
        if (to == SealedSource.Pipe)
            return ExitCode.Yes;
        var done = $"Sealed {SealedSource.NameOf(from)} into {to}";
        return info is null ? screen.Answer(new { file = to, format }, done, []) : Answer(screen, done, info, to, new FileInfo(to).Length);
    }

    /// <returns>What the header says; null for another tool's format.</returns>
    private static async Task<SealedFileInfo?> WriteAsync(
        ParseResult parsed, string format, Stream plaintext, Stream destination, SealTargets targets, TinkKeyset? keyset, IProgress<long> progress, CancellationToken cancel)
    {
        var threads = parsed.GetValue(s_threads);
        switch (format)
        {
            case "age":
                await AgeFile.SealAsync(plaintext, destination, targets.AgeRecipients, parsed.GetValue(s_armor), threads, progress, cancel);
                return null;
            case "tink":
                await TinkFile.SealAsync(plaintext, destination, keyset!, TinkKeys.Aad(parsed), threads, progress, cancel);
                return null;
            default:
                return await SealedFile.SealAsync(plaintext, destination, new SealOptions
                {
                    Recipients = targets.Recipients,
                    Suite = parsed.GetValue(s_suite) == "cobblestone" ? SealSuite.Cobblestone : SealSuite.Floe,
                    MediaType = parsed.GetRequiredValue(s_mediaType),
                    Context = Facts(parsed.GetValue(s_context) ?? []),
                    SlotCapacityInBytes = parsed.GetValue(s_capacity),
                    Threads = threads,
                }, progress, cancel);
        }
    }

    /// <summary>Says what was done to a sealed file, and what the file says of itself.</summary>
    internal static int Answer(Screen screen, string done, SealedFileInfo info, string file, long sealedBytes) => screen.Answer(
        Document(info, file),
        done,
        [
            $"  {(info.PlaintextBytes is { } bytes ? $"{bytes:N0} bytes of {info.MediaType}" : info.MediaType)}, sealed {info.Created:yyyy-MM-dd HH:mm:ss} UTC, {sealedBytes:N0} bytes sealed",
            $"  opened by {string.Join(" or ", info.Slots.Select(slot => Opener(slot.ToString()!)))}{string.Concat(info.Context.Select(fact => $", {fact.Key}={fact.Value}"))}",
        ],
        info.NeedsMending ? "  the two copies of its slots differ: a rewrap was interrupted, or one is damaged; bulwark keys rewrap mends it" : null);

    /// <summary>A public key as it is asked for and as age prints it.</summary>
    private static string Opener(string slot) => X25519PublicKey.TryParse(slot, out var key) ? AgeRecipient.Format(key!) : slot;

    internal static Option<string> OneOf(string name, string description, params string[] values)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => values[0] };
        option.AcceptOnlyFromAmong(values);
        return option;
    }

    private static Dictionary<string, string> Facts(IEnumerable<string> pairs) => pairs
        .Select(pair => pair.Split('=', 2) is [{ Length: > 0 } name, var value] ? (name, value) : throw new CommandException($"'{pair}' is no fact.", "--context name=value"))
        .ToDictionary(fact => fact.name, fact => fact.value, StringComparer.Ordinal);
}
