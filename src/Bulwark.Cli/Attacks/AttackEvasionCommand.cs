using System.CommandLine;
using Bulwark.Assurance;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Cli.Attacks;

internal static class AttackEvasionCommand
{
    private static readonly AttackOptions s_common = new();
    private static readonly Option<FileSystemInfo> s_data = new Option<FileSystemInfo>("--data", "-d") { Description = "Labelled rows that the model was not trained on: CSV, Parquet, protected Parquet or a folder of it.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<string?> s_strengths = new("--strengths") { Description = "Largest change of any value, as shares of the features' ranges. Default 0,0.01,0.05,0.1.", HelpName = "LIST" };
    private static readonly Option<int> s_samples = new("--samples") { Description = "Rows attacked, half of each class.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<int> s_queries = new("--queries") { Description = "Queries that the query attack may spend on a row.", DefaultValueFactory = _ => 300 };
    private static readonly Option<double> s_threshold = new("--threshold") { Description = "Probability from which the model says positive.", DefaultValueFactory = _ => 0.5 };
    private static readonly Option<string[]> s_mutable = new("--mutable") { Description = "Features that an attacker can choose, or all; else what the schema says.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<FileSystemInfo?> s_baseline = new("--baseline") { Description = "Another model to attack in the same way, for before and after.", HelpName = "DIR|FILE.onnx" };
    private static readonly Option<double?> s_failAbove = new("--fail-above") { Description = "Exit 1 when the worst case against positives, at the highest strength, succeeds on a larger share.", HelpName = "SHARE" };
    private static readonly Option<ulong> s_seed = new("--seed") { Description = "Names every random choice.", DefaultValueFactory = _ => 1 };

    internal static Command Create()
    {
        var command = new Command("evasion", """
            Changes rows a little, within what a sender can choose, until the model gets them wrong: FGSM, PGD and APGD where it can
            see a network, queries on any model. Every success is decoded to a row that could be sent and scored anew.

            Example: bulwark attack evasion --model runs/robust --baseline runs/plain --data test.csv --fail-above 0.3
            """) { s_data, s_strengths, s_samples, s_queries, s_threshold, s_mutable, s_baseline, s_failAbove, s_seed };
        s_common.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var options = new EvasionOptions
        {
            Strengths = Strengths(parsed.GetValue(s_strengths)),
            Samples = parsed.GetValue(s_samples),
            Queries = parsed.GetValue(s_queries),
            Threshold = parsed.GetValue(s_threshold),
            Seed = parsed.GetValue(s_seed),
        };
        if (string.Join(' ', options.Faults()) is { Length: > 0 } faults)
            throw new CommandException(faults);
        using var model = await AttackedModel.OpenAsync(parsed.GetRequiredValue(s_common.Model), Workspace.Find(parsed), null, cancel);
        var file = parsed.GetRequiredValue(s_data);
        var data = await AttackData.ReadAsync(file, model, s_common.Columns(parsed), null, cancel);
        var schema = AttackData.WithMutable(data.Schema, parsed.GetValue(s_mutable), screen);
        var report = await AttackAsync(screen, model, schema, data, options, cancel);
        EvasionSide? baseline = null;
        if (parsed.GetValue(s_baseline) is { } other)
        {
            using var before = await AttackedModel.OpenAsync(other.Exists || Directory.Exists(other.FullName) ? other : throw new CommandException($"There is no model {other.FullName}."), Workspace.Find(parsed), null, cancel);
            var beforeData = before.Schema is null ? data : await AttackData.ReadAsync(file, before, s_common.Columns(parsed), null, cancel);
            string[] mutable = [.. schema.Features.Where(feature => feature.Mutable).Select(feature => feature.Name)];
            baseline = new(before.Name, before.Digest, await AttackAsync(screen, before, AttackData.WithMutable(beforeData.Schema, mutable, screen), beforeData, options, cancel));
        }

        var gate = EvasionGate.Of(report, parsed.GetValue(s_failAbove));
        var answer = new EvasionAnswer(new(model.Name, model.Digest, report), baseline, file.Name, data.Commitment, options, gate);
        var entry = await AttackRecord.KeepAsync(parsed, "evasion", parsed.GetValue(s_common.Output), answer, [new Subject(model.Name, model.Digest), new Subject(file.Name, data.Commitment)], cancel);
        return screen.Answer(answer with { LogEntry = entry }, console => EvasionTable.Draw(console, answer with { LogEntry = entry }), gate is { Passed: false } ? ExitCode.No : ExitCode.Yes);
    }

    private static Task<EvasionReport> AttackAsync(Screen screen, AttackedModel model, FeatureSchema schema, Dataset data, EvasionOptions options, CancellationToken cancel)
    {
        // A value in bins has no slope. It is moved as the number that it is, and the model is asked.
        var binned = schema.Features.Any(feature => feature.Bins.Count > 0);
        if (binned)
        {
            screen.Note($"[yellow]{Spectre.Console.Markup.Escape(model.Name)} sees numbers in bins, which have no slope: it is attacked by queries alone.[/]");
            schema = schema with { Features = [.. schema.Features.Select(feature => feature with { Bins = [] })] };
        }

        var target = new EvasionTarget(model.Scorer, new FeatureEncoder(schema), model.Schema is null || binned ? null : model.Network);
        return screen.ProgressAsync($"attacking {model.Name}", progress => Task.Run(() => EvasionEvaluation.Run(target, data.Raw, data.Labels, options, progress, cancel), cancel));
    }

    internal static double[] Strengths(string? list)
    {
        if (list is null)
            return [.. new EvasionOptions().Strengths];
        var values = new List<double>();
        foreach (var part in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            values.Add(double.TryParse(part, out var value) ? value : throw new CommandException($"'{part}' is no strength.", "for example --strengths 0,0.01,0.05,0.1"));
        return [.. values];
    }
}
