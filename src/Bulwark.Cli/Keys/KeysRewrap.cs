using System.CommandLine;
using Spectre.Console;

namespace Bulwark.Cli.Keys;

internal static class KeysRewrap
{
    internal static Command Create()
    {
        var directory = new Argument<DirectoryInfo>("dir") { Description = "Its sealed files and protected Parquet with keys beside it, and those of its folders; links are not followed." };
        var key = new Option<string[]>("--key") { Description = "A key in another store whose files are meant, too; may be repeated." };
        var command = new Command("rewrap", """
            Puts every sealed file of a folder, the keys beside protected Parquet files and those of model packages (NAME.bulwark.keys, written
            beside the package, which stays as it was signed) under the newest version of their key. No payload byte is written; an interrupted run is simply run again; what is under the newest version already is left alone. Exit code 1 when a file could not be opened.

            Example: bulwark keys rotate sealing; bulwark keys rewrap data
            """) { directory, key };
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var root = parsed.GetRequiredValue(directory);
            if (!root.Exists)
                throw new CommandException($"There is no folder {root.FullName}.");
            using var keys = WorkspaceKeys.Open(Workspace.Require(parsed), "rewrap", (parsed.GetValue(key) ?? []).Select(text => KeyAddress.Parse(text)!));
            var report = await screen.ProgressAsync($"rewrapping {root.Name}", progress => RewrapJob.RunAsync(root, keys.Stores, progress, cancel));
            return screen.Answer(
                new { report.Rewrapped, report.Newest, ofOthers = report.OfOthers, report.NotSealed, failed = report.Failed.Select(failed => new { path = Relative(root, failed.Path), failed.Reason }) },
                console => Print(console, root, report), report.Failed.Count == 0 ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }

    private static void Print(IAnsiConsole console, DirectoryInfo root, RewrapReport report)
    {
        console.MarkupLineInterpolated($"{report.Rewrapped:N0} rewrapped, {report.Newest:N0} newest already, {report.OfOthers:N0} for other keys, {report.NotSealed:N0} not sealed");
        foreach (var failed in report.Failed.Take(50))
            console.MarkupLineInterpolated($"[red]could not open {Relative(root, failed.Path)}: {failed.Reason}[/]");
        if (report.Failed.Count > 50)
            console.MarkupLineInterpolated($"[red]and {report.Failed.Count - 50:N0} more: --json lists them all[/]");
    }

    private static string Relative(DirectoryInfo root, string path) => Path.GetRelativePath(root.FullName, path);
}
