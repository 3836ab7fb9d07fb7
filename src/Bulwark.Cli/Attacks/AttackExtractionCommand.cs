using System.CommandLine;
using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Lineage;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli.Attacks;

internal static class AttackExtractionCommand
{
    private static readonly AttackOptions s_common = new();
    private static readonly RemoteOptions s_remote = new();
    private static readonly Option<FileInfo?> s_data = new Option<FileInfo?>("--data", "-d") { Description = "Rows on which copies are judged, labelled: CSV, Parquet or protected Parquet.", Required = true, HelpName = "FILE" };
    private static readonly Option<FileInfo?> s_pool = new("--pool") { Description = "Rows that the attacker holds, his labels unused; else half of --data, which then does not judge.", HelpName = "FILE" };
    private static readonly Option<string?> s_strategies = new("--strategies") { Description = "How the attacker asks: random, indistribution, knockoff, jacobian. Default: all.", HelpName = "LIST" };
    private static readonly Option<string?> s_views = new("--views") { Description = "What he sees: label, rounded, full. Default: all.", HelpName = "LIST" };
    private static readonly Option<string> s_queries = new("--queries") { Description = "Numbers of questions at which a copy is trained and judged, ascending.", DefaultValueFactory = _ => "100,250,500,1000,2000,4000", HelpName = "LIST" };
    private static readonly Option<int> s_decimals = new("--decimals") { Description = "Decimals of rounded answers.", DefaultValueFactory = _ => 2 };
    private static readonly Option<int> s_samples = new("--samples") { Description = "Rows that judge, at most.", DefaultValueFactory = _ => 2000 };
    private static readonly Option<double?> s_failAbove = new("--fail-above") { Description = "Exit 1 when a copy of any strategy and view decides, with 95 % confidence, like the model on a larger share of the rows.", HelpName = "SHARE" };
    private static readonly Option<FileInfo?> s_html = new("--html") { Description = "Also write a report with curves.", HelpName = "FILE" };
    private static readonly Option<ulong> s_seed = new("--seed") { Description = "Names every random choice.", DefaultValueFactory = _ => 1 };

    internal static Command Create()
    {
        var command = new Command("extraction", """
            Copies a model by asking it: blind points, rows like its own, mixed rows chosen by what answers bring (knockoff), rows moved along
            the copy's slopes (Jacobian); seeing labels, rounded or full answers. Tells on how many rows copy and model decide alike, by
            number of questions: what rounding answers and limiting questions is worth.

            Example: bulwark attack extraction --model runs/fraud --data test.csv --fail-above 0.9
            Example: bulwark attack extraction --endpoint https://host/v2/models/fraud --schema schema.json -d test.csv --strategies jacobian --views label --queries 200,1000 --query-budget 5000
            """) { s_data, s_pool, s_strategies, s_views, s_queries, s_decimals, s_samples, s_failAbove, s_html, s_seed };
        s_common.AddTo(command, modelRequired: false);
        s_remote.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var options = Options(parsed);
        if (string.Join(' ', options.Faults()) is { Length: > 0 } faults)
            throw new CommandException(faults);
        var (opened, file, data) = await s_remote.ReadAsync(parsed, s_common, s_data, cancel);
        using var model = opened;
        var pool = parsed.GetValue(s_pool) is { } other ? await AttackData.ReadAsync(other, model, s_common.Columns(parsed), data.Schema, cancel) : null;
        var (judges, held) = Deal(data, pool, parsed.GetValue(s_samples), options.Seed);
        if (judges.Length == 0 || held.Length == 0)
            throw new CommandException($"{file.Name} has too few rows.", "give more, or name the attacker's rows apart: --pool FILE");
        var points = new TabularExtraction(model.Scorer, data.Schema);
        var target = new TabularExtraction(model.Scorer, data.Schema) { Pool = points.Points(held) };
        int[] labels = model.Scorer.Classes == 1 ? [.. judges.Select(row => data.Labels[row])] : [];
        var report = await screen.ProgressAsync($"copying {model.Name}", progress => Task.Run(() => ModelExtraction.Run(
            target, points.Points(AttackSuite.Pick(data.Raw, data.Width, judges)), labels, options, progress, cancel), cancel));
        var answer = ExtractionAnswer.Of(model.Name, model.Digest, file.Name, report, parsed.GetValue(s_failAbove));
        var entry = await AttackRecord.KeepAsync(parsed, "extraction", parsed.GetValue(s_common.Output), answer, [new Subject(model.Name, model.Digest)], cancel);
        answer = answer with { LogEntry = entry };
        await AttackRecord.WriteHtmlAsync(parsed.GetValue(s_html), () => ExtractionHtml.Model(answer), cancel);
        return screen.Answer(answer, console => Draw(console, answer), answer.Passed is false ? ExitCode.No : ExitCode.Yes);
    }

    private static ExtractionOptions Options(ParseResult parsed)
    {
        var options = new ExtractionOptions { Decimals = parsed.GetValue(s_decimals), Seed = parsed.GetValue(s_seed), Queries = [.. List(parsed.GetValue(s_queries)).Select(Number)] };
        if (parsed.GetValue(s_strategies) is { } strategies)
            options = options with { Strategies = [.. List(strategies).Select(Named<ExtractionStrategy>)] };
        return parsed.GetValue(s_views) is { } views ? options with { Views = [.. List(views).Select(Named<OutputView>)] } : options;
    }

    private static string[] List(string? text) => text?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static int Number(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : throw new CommandException($"'{text}' is no number of queries.");

    private static T Named<T>(string text)
        where T : struct, Enum => !char.IsDigit(text[0]) && Enum.TryParse<T>(text.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var value)
            ? value : throw new CommandException($"There is no '{text}'.", string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant());

    /// <summary>Rows that judge, and raw rows of the attacker's.</summary>
    private static (int[] Judges, float[] Held) Deal(Dataset data, Dataset? pool, int samples, ulong seed)
    {
        int[] order = [.. Enumerable.Range(0, data.Rows)];
        Student.Shuffle(order, new SeededDraws(seed));
        return pool is not null
            ? ([.. order.Take(samples)], pool.Raw)
            : ([.. order.Take(int.Min(samples, data.Rows / 2))], AttackSuite.Pick(data.Raw, data.Width, order[(data.Rows / 2)..]));
    }

    private static void Draw(IAnsiConsole console, ExtractionAnswer answer)
    {
        var report = answer.Report;
        console.MarkupLineInterpolated($"[bold]{answer.Model}[/]: share of {report.Rows} rows of {answer.Data} on which copy and model decide alike; a constant {report.Constant.Rate:P1}{(report.ModelAccuracy is { } own ? $"; the model itself is right on {own.Rate:P1}" : "")}");
        var table = new Table().Border(TableBorder.Rounded).AddColumn("asks").AddColumn("sees");
        foreach (var count in report.Options.Queries)
            table.AddColumn(new TableColumn($"{count}").RightAligned());
        table.AddColumn(new TableColumn("to 95 %").RightAligned());
        if (report.ModelAccuracy is not null)
            table.AddColumn(new TableColumn("right at the end").RightAligned());
        foreach (var curve in report.Curves)
        {
            table.AddRow([
                ExtractionAnswer.Name(curve.Strategy), curve.View.ToString().ToLowerInvariant(), .. curve.Points.Select(point => $"{point.Fidelity.Rate:P1}"), curve.QueriesTo95 is { } enough ? $"{enough}" : "not reached",
                .. (string[])(report.ModelAccuracy is null ? [] : [$"{curve.Points[^1].Accuracy!.Rate:P1}"])]);
        }

        console.Write(table);
        console.MarkupLineInterpolated($"{report.Asked} questions asked in all");
        if (answer.Passed is { } passed)
            console.MarkupLineInterpolated($"{(passed ? "passed" : "FAILED")}: the best copy decides like the model on at least {answer.Best.Lower:P1}, allowed {answer.FailAbove:P1}");
        if (answer.LogEntry is { } entry)
            console.MarkupLineInterpolated($"log entry {entry}");
    }
}
