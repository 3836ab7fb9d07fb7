using System.CommandLine;
using System.Runtime.InteropServices;
using Bulwark.Assurance;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Cli.Attacks;

internal static class AttackSuiteCommand
{
    private static readonly AttackOptions s_common = new();
    private static readonly Option<FileInfo?> s_data = new("--data", "-d") { Description = "Labelled rows that the model was not trained on: CSV, Parquet or protected Parquet.", HelpName = "FILE" };
    private static readonly RemoteOptions s_remote = new();
    private static readonly Option<FileInfo?> s_constraints = new("--constraints", "-c") { Description = "What can be sent and what it costs: docs/formats/constraints.md (JSON or YAML).", HelpName = "FILE" };
    private static readonly Option<double> s_budget = new("--budget") { Description = "What an attacker can spend on a row, in the units of the constraints' prices.", DefaultValueFactory = _ => double.PositiveInfinity };
    private static readonly Option<int> s_samples = new("--samples") { Description = "Rows attacked, chosen by seed.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<string?> s_class = new("--class") { Description = "Attack rows of one class only: positive or negative.", HelpName = "CLASS" };
    private static readonly Option<double> s_threshold = new("--threshold") { Description = "Probability from which the model says positive.", DefaultValueFactory = _ => 0.5 };
    private static readonly Option<string[]> s_mutable = new("--mutable") { Description = "Features that an attacker can choose, or all; else what constraints and schema say.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<FileInfo?> s_state = new("--state") { Description = "Remembers finished work in this file; the same command goes on where it stopped.", HelpName = "FILE" };
    private static readonly SuiteSettings s_settings = new();
    private static readonly StageOptions s_stage = new();
    private static readonly SuiteOutputs s_outputs = new();

    internal static Command Create()
    {
        var command = new Command("suite", """
            Attacks a model with an ensemble and counts, row by row, the worst of them: APGD, targeted APGD, FAB and squares for images,
            constrained gradients and a query search for tables, questions alone where there are no gradients. Every success is re-checked as
            it would be sent and scored anew. Checks the evaluation itself (F1 to F14): a result with a red flag passes no gate.

            Example: bulwark attack suite -m runs/fraud -d test.csv -c constraints.yaml --norm l2 --strengths 0.5 --class positive --fail-below 0.7
            Example: bulwark attack suite -m fraud.bulwark -d test.csv --html report.html --sarif flags.sarif --junit gate.xml
            Example: bulwark attack suite -m runs/fraud -d test.csv --stage noise:0.05 --draws 20
            """)
        {
            s_data, s_constraints, s_budget, s_samples, s_class, s_threshold, s_mutable, s_state,
        };
        s_common.AddTo(command, modelRequired: false);
        s_remote.AddTo(command);
        s_settings.AddTo(command);
        s_stage.AddTo(command);
        s_outputs.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var options = s_settings.Read(parsed, parsed.GetValue(s_budget));
        var (opened, file, data) = await s_remote.ReadAsync(parsed, s_common, s_data, cancel);
        using var model = opened;
        var (target, constraints) = Target(parsed, model, data, screen);
        var (rows, labels) = Sample(data, parsed.GetValue(s_samples), parsed.GetValue(s_class), options.Seed);
        SelfTest(screen, constraints, data);
        var state = parsed.GetValue(s_state) is { } remembered ? new SuiteState(remembered.FullName, options, $"{model.Digest} {Digest.Of(MemoryMarshal.AsBytes<float>(rows))}{s_stage.Name(parsed)}") : null;
        var report = await screen.ProgressAsync($"attacking {model.Name}", progress => Task.Run(() => AttackSuite.Run(target, rows, labels, options, state, progress, cancel), cancel));
        var answer = SuiteAnswer.Of(model.Name + s_stage.Name(parsed), model.Digest, file.Name, data.Commitment, report, s_outputs.FailBelow(parsed));
        var entry = await AttackRecord.KeepAsync(parsed, "suite", null, answer with { Report = report with { Rows = [] } }, [new Subject(model.Name, model.Digest), new Subject(file.Name, data.Commitment)], cancel);
        return await s_outputs.WriteAsync(parsed, screen, answer with { LogEntry = entry }, parsed.GetValue(s_common.Output), cancel);
    }

    private static (SuiteTarget Target, CompiledConstraints Constraints) Target(ParseResult parsed, AttackedModel model, Dataset data, Screen screen)
    {
        var declared = parsed.GetValue(s_constraints) is { } file ? ConstraintsFile.Read(file) : TabularConstraints.None;
        var mutable = parsed.GetValue(s_mutable);
        var anyDeclared = declared.Features.Values.Any(rule => rule.Mutable is true);
        var schema = anyDeclared && mutable is null or [] && anyDeclared ? data.Schema : AttackData.WithMutable(data.Schema, mutable, screen);
        var constraints = declared.Compile(schema);
        var encoder = new FeatureEncoder(schema);
        var network = model is { Schema: not null, Network: { } inside } ? new DifferentiableNetwork<float>(inside) : null;
        var staged = s_stage.Open(parsed, encoder, network);
        var target = new TabularTarget(staged ?? model.Scorer, new(encoder, constraints), staged?.Gradients ?? network, parsed.GetValue(s_threshold)) { Donors = (Rows(data, 0), Rows(data, 1)), Suspects = model.Suspects };
        return (target, constraints);
    }

    /// <summary>Constraints that real rows break, or that no row can break, would make every figure wrong.</summary>
    private static void SelfTest(Screen screen, CompiledConstraints constraints, Dataset data)
    {
        foreach (var test in ConstraintSelfTest.Run(constraints, data.Raw).Where(test => !test.Sound))
        {
            screen.Note(test.Broken > 0
                ? $"[yellow]Constraint '{Spectre.Console.Markup.Escape(test.Relation)}': {test.Broken} real rows break it, the first is row {test.FirstBroken + 1}. Mend the rule or the data.[/]"
                : $"[yellow]Constraint '{Spectre.Console.Markup.Escape(test.Relation)}': none of {test.Planted} spoilt rows breaks it: it may hold always.[/]");
        }
    }

    private static float[] Rows(Dataset data, int label)
    {
        int[] chosen = [.. Enumerable.Range(0, data.Labels.Length).Where(row => data.Labels[row] == label)];
        return AttackSuite.Pick(data.Raw.ToArray(), data.Width, chosen);
    }

    private static (float[] Rows, int[] Labels) Sample(Dataset data, int samples, string? only, ulong seed)
    {
        if (only is not (null or "positive" or "negative"))
            throw new CommandException($"There is no class '{only}'.", "--class positive or --class negative");
        var labels = data.Labels.ToArray();
        int[] rows = [.. Enumerable.Range(0, labels.Length).Where(row => only is null || labels[row] == (only == "positive" ? 1 : 0))];
        var draws = new SeededDraws(seed);
        for (var k = 0; k < rows.Length && k < samples; k++)
        {
            var swap = k + draws.Below(rows.Length - k);
            (rows[k], rows[swap]) = (rows[swap], rows[k]);
        }

        rows = [.. rows.Take(samples).Order()];
        return rows.Length == 0 ? throw new CommandException("There are no rows of that class.") : (AttackSuite.Pick(data.Raw.ToArray(), data.Width, rows), [.. rows.Select(row => labels[row])]);
    }
}
