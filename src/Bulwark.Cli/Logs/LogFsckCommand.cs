using System.CommandLine;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Logs;

internal static class LogFsckCommand
{
    internal static Command Create()
    {
        var directory = new Argument<DirectoryInfo?>("log") { Description = "The log's folder; the default is the workspace's log.", Arity = ArgumentArity.ZeroOrOne };
        var repair = new Option<bool>("--repair") { Description = "Write tiles and bundles that are missing or wrong anew, where the entries give the signed root." };
        var command = new Command("fsck", """
            Derives a log again from its entries - every leaf, tile and root - and holds its store (journal or database) against them.

            Example: bulwark log fsck --repair
            """) { directory, repair };
        command.SetAction(async (parsed, cancel) =>
        {
            var folder = parsed.GetValue(directory)?.FullName ?? Workspace.Require(parsed).LogDirectory;
            var screen = new Screen(parsed);
            var (report, mended) = await CheckAsync(screen, folder, parsed.GetValue(repair), cancel);
            var sound = report.Verdict == LogVerdict.Verified;
            return screen.Answer(new { directory = folder, store = TransparencyLog.StoreNameOf(folder) ?? "files", report.Verdict, report.Size, report.Detail, mended }, console =>
            {
                console.MarkupLineInterpolated($"{(sound ? "✓" : "✗")} {report.Verdict}: {report.Detail}");
                if (mended > 0)
                    console.MarkupLineInterpolated($"[yellow]{mended} files were written anew.[/]");
                else if (report.Verdict is LogVerdict.Incomplete or LogVerdict.EntriesDiffer && !parsed.GetValue(repair))
                    console.MarkupLine("bulwark log fsck --repair writes tiles anew where the entries give the signed root");
            }, sound ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }

    private static async Task<(LogReport Report, int Mended)> CheckAsync(Screen screen, string folder, bool repair, CancellationToken cancel)
    {
        TransparencyLog log;
        try
        {
            log = await LogSource.OpenAsync(folder, signer: null, key: null, cancel);
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
