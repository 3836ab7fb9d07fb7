using System.CommandLine;
using System.Globalization;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Looking at the log: the newest entries, a search, and following it as it grows.</summary>
internal static partial class LogCommand
{
    private static readonly System.Text.Json.JsonSerializerOptions s_line = new(Screen.JsonOptions) { WriteIndented = false };

    private static Command Show()
    {
        var at = new Argument<long?>("index") { Description = "One entry, in full.", Arity = ArgumentArity.ZeroOrOne };
        var last = new Option<int>("--last") { Description = "How many of the newest entries.", DefaultValueFactory = _ => 20 };
        var command = new Command("show", """
            The newest entries: what each claims, of what, signed by whom. With an index, one entry in full.

            Example: bulwark log show --last 5
            """) { at, last };
        command.SetAction(async (parsed, _) =>
        {
            var (log, trusted) = await OpenAsync(parsed);
            if (parsed.GetValue(at) is { } one)
                return ShowOne(parsed, new Screen(parsed), log, one, trusted);
            var first = Math.Max(0, log.Size - Math.Max(0, parsed.GetValue(last)));
            var entries = log.ReadEntries(first).Select(read => LogEntryView.Of(read.Index, read.Entry, trusted)).ToArray();
            return new Screen(parsed).Answer(new { origin = log.Checkpoint.Origin, size = log.Size, root = log.Checkpoint.Root, entries }, console =>
            {
                console.MarkupLineInterpolated($"[bold]{Printable.Line(log.Checkpoint.Origin)}[/]  {log.Size} entries, root {log.Checkpoint.Root}");
                Draw(console, entries);
            });
        });
        return command;
    }

    private static int ShowOne(ParseResult parsed, Screen screen, TransparencyLog log, long index, IReadOnlyCollection<VerificationKey> trusted)
    {
        if (index < 0 || index >= log.Size)
            throw new CommandException($"There is no entry {index}: the log has {log.Size}.", "bulwark log show");
        var bytes = log.ReadEntry(index);
        var entry = LogEntryView.Of(index, bytes, trusted);
        return screen.Answer(new { entry, bytes = bytes.Length, leaf = MerkleTree.LeafHash(bytes.Span) }, console =>
        {
            Draw(console, [entry]);
            if (entry.Predicate is { } predicate)
                parsed.InvocationConfiguration.Output.WriteLine(System.Text.Json.JsonSerializer.Serialize(predicate, Screen.JsonOptions));
        });
    }

    private static Command Search()
    {
        var text = new Argument<string?>("text") { Description = "Words in the statement: a name, a column, an outcome.", Arity = ArgumentArity.ZeroOrOne };
        var type = new Option<string?>("--type") { Description = "The claim: training-run, decision, key-release, …", HelpName = "CLAIM" };
        var subject = new Option<string?>("--subject") { Description = "Name or digest (or its first digits) of what the statement is about or mentions.", HelpName = "NAME" };
        var by = new Option<string?>("--by") { Description = "A person's name: their pseudonym under this workspace's key is looked for.", HelpName = "USER" };
        var since = new Option<string?>("--since") { Description = "Not before this time, UTC.", HelpName = "TIME" };
        var until = new Option<string?>("--until") { Description = "Before this time, UTC.", HelpName = "TIME" };
        var most = new Option<int>("--most") { Description = "How many to find, the newest.", DefaultValueFactory = _ => 100 };
        var command = new Command("search", """
            Entries by claim, subject, text and time, from the newest back until --most are found. Exit code 1 when there is none.

            Example: bulwark log search --type key-release --since 2026-01-01
            """) { text, type, subject, by, since, until, most };
        command.SetAction(async (parsed, cancel) =>
        {
            var (log, trusted) = await OpenAsync(parsed);
            var filter = new LogFilter(
                parsed.GetValue(type), parsed.GetValue(subject), parsed.GetValue(text), Pseudonym(parsed, parsed.GetValue(by)), Time(parsed.GetValue(since)), Time(parsed.GetValue(until)));
            var (found, searched) = (new List<LogEntryView>(), 0L);
            foreach (var (index, entry) in log.ReadBackwards().TakeWhile(_ => found.Count < parsed.GetValue(most)))
            {
                cancel.ThrowIfCancellationRequested();
                searched++;
                if (filter.MayMatch(entry) && LogEntryView.Of(index, entry, trusted) is var view && filter.Matches(view))
                    found.Add(view);
            }

            found.Reverse();
            return new Screen(parsed).Answer(new { searched, size = log.Size, entries = found }, console =>
            {
                if (found.Count > 0)
                    Draw(console, found);
                console.MarkupLineInterpolated($"{found.Count} found in the newest {searched} of {log.Size} entries");
            }, found.Count > 0 ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }

    private static Command Tail()
    {
        var last = new Option<int>("--last") { Description = "How many of the newest entries to begin with.", DefaultValueFactory = _ => 10 };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on as the log grows, until interrupted. A log that is rolled back or forked meanwhile ends it with exit code 1." };
        var command = new Command("tail", """
            The newest entries, one a line, and with -f those that come.

            Example: bulwark log tail -f
            """) { last, follow };
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var (log, trusted) = await OpenAsync(parsed);
            var next = Math.Max(0, log.Size - Math.Max(0, parsed.GetValue(last)));
            while (true)
            {
                foreach (var (index, entry) in log.ReadEntries(next))
                    Line(screen, parsed, LogEntryView.Of(index, entry, trusted));
                next = log.Size;
                if (!parsed.GetValue(follow) || cancel.IsCancellationRequested)
                    return ExitCode.Yes;
                await Task.Delay(TimeSpan.FromMilliseconds(250), cancel).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                try
                {
                    log.Refresh();
                }
                catch (InvalidDataException failure)
                {
                    screen.Note($"[red]{Printable.Escape(failure.Message)}[/]");
                    return ExitCode.No;
                }
            }
        });
        return command;
    }

    /// <summary>One entry a line: with --json one document a line, which a stream of entries needs.</summary>
    private static void Line(Screen screen, ParseResult parsed, LogEntryView entry)
    {
        if (screen.Json)
            parsed.InvocationConfiguration.Output.WriteLine(System.Text.Json.JsonSerializer.Serialize(entry, s_line));
        else
            parsed.InvocationConfiguration.Output.WriteLine($"{entry.Index,8}  {Printable.Line(entry.Time ?? "-"),-20}  {Printable.Line(entry.Claim),-20}  {Printable.Line(entry.Subjects)}{(entry.Trusted ? "" : $"  ({entry.Signed})")}");
    }

    private static void Draw(IAnsiConsole console, IEnumerable<LogEntryView> entries)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("#", "claim", "of", "signed");
        foreach (var entry in entries)
            table.AddRow(new Text($"{entry.Index}"), new Text(Printable.Line(entry.Claim)), new Text(Printable.Line(entry.Subjects)), new Text(entry.Signed, new Style(entry.Trusted ? Color.Green : Color.Yellow)));
        console.Write(table);
    }

    private static async Task<(TransparencyLog Log, IReadOnlyCollection<VerificationKey> Trusted)> OpenAsync(ParseResult parsed)
    {
        var workspace = Workspace.Require(parsed);
        using var keys = workspace.OpenKeys();
        return (await OpenAsync(workspace, keys), SigningKeys(keys));
    }

    private static string? Pseudonym(ParseResult parsed, string? name)
    {
        if (name is null)
            return null;
        using var keys = Workspace.Require(parsed).OpenKeys();
        return Claims.PseudonymOf(keys, name);
    }

    private static DateTimeOffset? Time(string? text) => text is null ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
        : throw new CommandException($"'{text}' is no time.", "2026-01-31 or 2026-01-31T12:00:00Z");
}
