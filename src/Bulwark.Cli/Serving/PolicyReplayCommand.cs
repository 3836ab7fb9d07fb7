using System.CommandLine;
using System.Globalization;
using Bulwark.Policy;
using Spectre.Console;

namespace Bulwark.Cli.Serving;

/// <summary>Would the recorded decisions change under another policy?</summary>
internal static class PolicyReplayCommand
{
    private const int Shown = 20;

    internal static Command Create()
    {
        var file = new Argument<FileInfo>("policies") { Description = "The policies to try." }.AcceptExistingOnly();
        var trail = new Option<DirectoryInfo>("--trail") { Description = "The gateway's trail; the default is audit in the workspace.", HelpName = "DIR" };
        var days = new Option<double>("--days") { Description = "How far back.", DefaultValueFactory = _ => 7 };
        var command = new Command("replay", "Asks policies every request that a gateway recorded, and lists the decisions that would change. Exit 1 when one would. Example: bulwark policy replay next.cedar --days 7") { file, trail, days };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(trail) ?? new DirectoryInfo(Workspace.Require(parsed).TrailDirectory);
            var from = DateTimeOffset.UtcNow - TimeSpan.FromDays(parsed.GetValue(days));
            FileInfo[] files = folder.Exists ? [.. folder.GetFiles("decisions-*.jsonl").Where(one => DayOf(one) is not { } day || day >= DateOnly.FromDateTime(from.UtcDateTime)).OrderBy(one => one.Name, StringComparer.Ordinal)] : [];
            if (files.Length == 0)
                throw new CommandException($"{folder} holds no trail of that time.", "a gateway that `serve` started writes one");
            var result = PolicyReplay.Run(files, PolicySet.Parse(File.ReadAllText(parsed.GetRequiredValue(file).FullName)), from);
            if (result.Replayed == 0)
                throw new CommandException("The trail holds no decision of that time that a policy was asked about; nothing was replayed.", "a longer time with --days");
            return new Screen(parsed).Answer(
                new { replayed = result.Replayed, skipped = result.Skipped, changed = result.Changes.Count, newlyDenied = result.NewlyDenied, newlyAllowed = result.Changes.Count - result.NewlyDenied, changes = result.Changes },
                console => Print(console, result), result.Changes.Count == 0 ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }

    private static void Print(IAnsiConsole console, PolicyReplay.Result result)
    {
        foreach (var change in result.Changes.Take(Shown))
            console.MarkupLineInterpolated($"{change.Time:u}  {change.Subject}  {change.Action}  {change.Model}: {Word(change.Was)} → [{(change.WouldBe == Decision.Deny ? "red" : "yellow")}]{Word(change.WouldBe)}[/] by {(change.By.Count == 0 ? change.Error ?? "default" : string.Join(", ", change.By))}");
        if (result.Changes.Count > Shown)
            console.MarkupLineInterpolated($"… and {result.Changes.Count - Shown} more (--json lists all)");
        console.MarkupLineInterpolated($"{result.Replayed} decisions replayed, {result.NewlyDenied} would be newly denied, {result.Changes.Count - result.NewlyDenied} newly allowed; {result.Skipped} lines are no policy's.");
    }

    private static string Word(Decision decision) => decision == Decision.Allow ? "allow" : "deny";

    private static DateOnly? DayOf(FileInfo file) =>
        DateOnly.TryParseExact(Path.GetFileNameWithoutExtension(file.Name)["decisions-".Length..], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
}
