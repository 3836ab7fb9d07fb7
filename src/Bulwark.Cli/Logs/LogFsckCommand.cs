using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Logs;

internal static class LogFsckCommand
{
    private static readonly Argument<DirectoryInfo?> Log = new("log") { Description = "The log's folder; the default is the workspace's log.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> Key = LogSource.KeyOption();
    private static readonly Option<bool> Repair = new("--repair") { Description = "Write anew what is missing or wrong, where the entries give the signed root; what stood there goes to quarantine/." };
    private static readonly Option<bool> TrustOwn = new("--trust") { Description = "Believe the key in the log's own folder: then the answer is only that the log is of one piece." };
    private static readonly Option<bool> Connect = new("--connect") { Description = "Open the database that a folder names as its store, also when the folder is not the workspace's." };

    internal static Command Create()
    {
        var command = new Command("fsck", """
            Derives a log again from its entries - every leaf, tile and root - and holds its store (journal or database) against them.
            Exit 0 when it is whole (also after a repair), 1 when it is not, 2 when nobody said by whose key it is to be believed.

            Example: bulwark log fsck --repair
            """) { Log, Repair, Key, TrustOwn, Connect };
        Key.Aliases.Add("--key");
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var folder = parsed.GetValue(Log)?.FullName ?? Workspace.Require(parsed).LogDirectory;
        var own = Workspace.Find(parsed) is { } workspace && workspace.LogDirectory == Path.GetFullPath(folder) ? workspace : null;
        var key = parsed.GetValue(Key) is { } vkey ? NoteKey.Parse(vkey).Key : own is null ? null : OwnKey(own);
        var screen = new Screen(parsed);
        var store = TransparencyLog.StoreNameOf(folder);
        var connects = store is null || own is not null || parsed.GetValue(Connect);   // a stranger's folder does not say whom we talk to
        var done = await CheckAsync(screen, folder, key, connects, parsed.GetValue(Repair), cancel);
        var (report, pinned) = (done.Report, key is not null || parsed.GetValue(TrustOwn));
        var sound = report.Verdict == LogVerdict.Verified;
        return screen.Answer(new
        {
            directory = folder,
            store = connects ? store ?? "files" : null,
            report.Verdict,
            report.Size,
            report.Detail,
            done.Mended,
            done.Quarantine,
            report.Torn,
            keyPinned = key is not null,
        }, console =>
        {
            console.MarkupLineInterpolated($"{(sound ? "✓" : "✗")} {report.Verdict}: {Printable.Line(report.Detail)}");
            Explain(console, parsed, done, connects);
            if (key is null)
                console.MarkupLine("[yellow]No key was pinned: the one in the log's own folder shows that the log is of one piece, not whose it is. Give --log-key VKEY, or --trust to be content with that.[/]");
        }, !sound ? ExitCode.No : pinned ? ExitCode.Yes : ExitCode.CouldNotAsk);
    }

    private static void Explain(IAnsiConsole console, ParseResult parsed, LogRepair done, bool connects)
    {
        if (done.Mended > 0)
            console.MarkupLineInterpolated($"[yellow]{done.Mended} files were written anew.[/]");
        else if (done.Report.Verdict is LogVerdict.Incomplete or LogVerdict.EntriesDiffer or LogVerdict.StoreDiffers or LogVerdict.StoreRolledBack && !parsed.GetValue(Repair))
            console.MarkupLine("bulwark log fsck --repair writes anew what the entries still give");
        if (done.Quarantine is not null)
            console.MarkupLineInterpolated($"[yellow]What stood there before is in {done.Quarantine}.[/]");
        if (done.Report.Torn.Count > 0)
            console.MarkupLineInterpolated($"[yellow]In journal/: {string.Join(", ", done.Report.Torn)}: bytes behind the last whole batch, from a writer that died, or from damage to the last one. Look at them, then remove them.[/]");
        if (!connects)
            console.MarkupLine("[yellow]The database that the folder names as its store was not asked: --connect does.[/]");
    }

    private static VerificationKey? OwnKey(Workspace workspace)
    {
        using var keys = workspace.OpenKeys();
        return keys.PublicKey(Workspace.LogKey);
    }

    private static async Task<LogRepair> CheckAsync(Screen screen, string folder, VerificationKey? key, bool connects, bool repair, CancellationToken cancel)
    {
        TransparencyLog log;
        try
        {
            log = connects ? await LogSource.OpenAsync(folder, signer: null, key, cancel) : await TransparencyLog.OpenAsync(folder, trustedKey: key);
        }
        catch (InvalidDataException failure)
        {
            return new(new LogReport(LogVerdict.WrongSignature, 0, failure.Message), 0, null);
        }

        await using (log)
        {
            return repair
                ? await screen.ProgressAsync("deriving the log again", progress => log.RepairAsync(progress, cancel))
                : new(await screen.ProgressAsync("deriving the log again", progress => log.VerifyAsync(null, progress, cancel)), 0, null);
        }
    }
}
