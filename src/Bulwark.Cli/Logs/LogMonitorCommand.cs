using System.CommandLine;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Logs;

internal static class LogMonitorCommand
{
    private static readonly Argument<string> Place = new("log") { Description = "Its address (http…) or folder.", HelpName = "URL|DIR" };
    private static readonly Option<string?> Key = LogSource.KeyOption();
    private static readonly Option<FileInfo?> Policy = LogSource.PolicyOption();
    private static readonly Option<DirectoryInfo> State = new("--state") { Description = "The monitor's memory: the last checkpoint it verified, and evidence.", DefaultValueFactory = _ => new DirectoryInfo("log-monitor"), HelpName = "DIR" };
    private static readonly Option<FileInfo[]> Seen = new("--seen") { Description = "A checkpoint or .tlog-proof that someone else was shown; give it again for more.", HelpName = "FILE" };
    private static readonly Option<double> Every = new("--every") { Description = "Look again after so many seconds until Ctrl-C or a fault; 0 looks once.", DefaultValueFactory = _ => 0, HelpName = "SECONDS" };

    internal static Command Create()
    {
        var command = new Command("monitor", """
            Follows someone's log: checks that it only grew since the last look, every new entry and tile, and its witnesses; keeps
            contradicting checkpoints as evidence. Exit 1 names what it found.

            Example: bulwark log monitor https://log.example --log-key log.example+1234abcd+AQ… --state monitor --every 60
            """) { Place, Key, Policy, State, Seen, Every };
        command.SetAction(WatchAsync);
        return command;
    }

    private static async Task<int> WatchAsync(ParseResult parsed, CancellationToken cancel)
    {
        using var http = LogSource.Http();
        var monitor = Open(parsed, http);
        var screen = new Screen(parsed);
        var pause = TimeSpan.FromSeconds(Math.Max(0, parsed.GetValue(Every)));
        while (true)
        {
            var found = await monitor.LookAsync(null, cancel);
            foreach (var file in found.Verdict == LogVerdict.Verified ? parsed.GetValue(Seen) ?? [] : [])
            {
                if (found.Verdict == LogVerdict.Verified)
                    found = await monitor.CompareAsync(Read(file), cancel);
            }

            var sound = found.Verdict == LogVerdict.Verified;
            if (!sound || pause == TimeSpan.Zero)
                return Answer(screen, found);
            screen.Note(Printable.Escape(found.Detail));
            if (!await WaitAsync(pause, cancel))
                return Answer(screen, found);
        }
    }

    private static LogMonitor Open(ParseResult parsed, HttpClient http)
    {
        var (place, policy, memory) = (parsed.GetRequiredValue(Place), LogSource.Policy(parsed.GetValue(Policy)), parsed.GetRequiredValue(State).FullName);
        if (Uri.TryCreate(place, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
            return LogMonitor.OfServer(address!, LogSource.Key(parsed.GetValue(Key), null, policy), memory, http, policy);
        if (!TransparencyLog.IsMatch(place))
            throw new CommandException($"{place} is neither an http address nor a log's folder.");
        return LogMonitor.OfFolder(place, LogSource.Key(parsed.GetValue(Key), place, policy), memory, policy);
    }

    private static Checkpoint Read(FileInfo file)
    {
        var text = File.ReadAllText(SealCommand.Existing(file).FullName);
        return text.StartsWith(TlogProof.Header, StringComparison.Ordinal) ? TlogProof.Parse(text).Checkpoint : Checkpoint.Parse(System.Text.Encoding.UTF8.GetBytes(text));
    }

    private static async Task<bool> WaitAsync(TimeSpan pause, CancellationToken cancel)
    {
        try
        {
            await Task.Delay(pause, cancel);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static int Answer(Screen screen, MonitorReport found)
    {
        var sound = found.Verdict == LogVerdict.Verified;
        return screen.Answer(found, console =>
        {
            console.MarkupLineInterpolated($"{(sound ? "✓" : "✗")} {Printable.Line(found.Origin)}: {found.Verdict}. {Printable.Line(found.Detail)}");
            if (found.Evidence is not null)
                console.MarkupLineInterpolated($"[yellow]Both signed checkpoints are in {found.Evidence}.[/]");
        }, sound ? ExitCode.Yes : ExitCode.No);
    }
}
