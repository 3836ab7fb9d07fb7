using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Logs;

internal static class LogFsckCommand
{
    internal static Command Create()
    {
        var directory = new Argument<DirectoryInfo?>("log") { Description = "The log's folder; the default is the workspace's log.", Arity = ArgumentArity.ZeroOrOne };
        var given = LogSource.KeyOption();
        var repair = new Option<bool>("--repair") { Description = "Write tiles and bundles that are missing or wrong anew, where the entries give the signed root." };
        var command = new Command("fsck", """
            Derives a log again from its entries - every leaf, tile and root - and holds its store (journal or database) against them.

            Example: bulwark log fsck --repair
            """) { directory, repair, given };
        command.SetAction(async (parsed, cancel) =>
        {
            var folder = parsed.GetValue(directory)?.FullName ?? Workspace.Require(parsed).LogDirectory;
            var key = parsed.GetValue(given) is { } vkey ? NoteKey.Parse(vkey).Key : parsed.GetValue(directory) is null ? OwnKey(Workspace.Require(parsed)) : null;
            var screen = new Screen(parsed);
            var (report, mended) = await CheckAsync(screen, folder, key, parsed.GetValue(repair), cancel);
            var sound = report.Verdict == LogVerdict.Verified;
            return screen.Answer(new { directory = folder, store = TransparencyLog.StoreNameOf(folder) ?? "files", report.Verdict, report.Size, report.Detail, mended, keyFromTheLogItself = key is null ? true : (bool?)null }, console =>
            {
                console.MarkupLineInterpolated($"{(sound ? "✓" : "✗")} {report.Verdict}: {report.Detail}");
                if (key is null)
                    console.MarkupLine("[yellow]The key came from the log's own folder: this shows that the log is of one piece, not whose it is. Give --log-key.[/]");
                if (mended > 0)
                    console.MarkupLineInterpolated($"[yellow]{mended} files were written anew.[/]");
                else if (report.Verdict is LogVerdict.Incomplete or LogVerdict.EntriesDiffer && !parsed.GetValue(repair))
                    console.MarkupLine("bulwark log fsck --repair writes tiles anew where the entries give the signed root");
            }, sound ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }

    private static VerificationKey? OwnKey(Workspace workspace)
    {
        using var keys = workspace.OpenKeys();
        return keys.PublicKey(Workspace.LogKey);
    }

    private static async Task<(LogReport Report, int Mended)> CheckAsync(Screen screen, string folder, VerificationKey? key, bool repair, CancellationToken cancel)
    {
        TransparencyLog log;
        try
        {
            log = await LogSource.OpenAsync(folder, signer: null, key, cancel);
        }
        catch (InvalidDataException failure)
        {
            return (new LogReport(LogVerdict.WrongSignature, 0, failure.Message), 0);
        }

        await using (log)
        {
            return repair
                ? await screen.ProgressAsync("deriving the log again", progress => log.RepairAsync(progress, cancel))
                : (await screen.ProgressAsync("deriving the log again", progress => log.VerifyAsync(null, progress, cancel)), 0);
        }
    }
}
