using System.CommandLine;
using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Cli.Attacks;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Networks;
using Spectre.Console;

namespace Bulwark.Cli.Certificates;

internal static class CertifyRowsCommand
{
    private static readonly AttackOptions s_common = new();
    private static readonly Option<FileSystemInfo> s_data = new Option<FileSystemInfo>("--data", "-d") { Description = "Rows to certify: CSV, Parquet, protected Parquet or a folder of it.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<string> s_eps = new("--eps") { Description = "How far, with commas: the largest change of a scaled value (bounds) or the length of the change (smoothing).", DefaultValueFactory = _ => "0.01,0.02,0.05,0.1", HelpName = "LIST" };
    private static readonly Option<string> s_method = new Option<string>("--method") { Description = "bounds (interval bounds: a proof of the model itself) or smoothing (a statistical certificate of the model's vote under noise).", DefaultValueFactory = _ => "bounds" }.AcceptOnlyFromAmong("bounds", "smoothing");
    private static readonly Option<double> s_sigma = new("--sigma") { Description = "Smoothing: standard deviation of the noise, in scaled units.", DefaultValueFactory = _ => 0.1 };
    private static readonly Option<int> s_draws = new("--draws") { Description = "Smoothing: draws that count, for each row.", DefaultValueFactory = _ => 10_000 };
    private static readonly Option<double> s_alpha = new("--alpha") { Description = "Smoothing: chance that one row's certificate is wrong.", DefaultValueFactory = _ => 0.001 };
    private static readonly Option<int> s_rows = new("--rows") { Description = "The first rows of the data, so many.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<string[]> s_mutable = new("--mutable") { Description = "Bounds: features that an attacker can choose, or 'all'; else what the schema says.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<double?> s_failBelow = new("--fail-below") { Description = "Exit 1 when the share of rows proven right at the largest eps is, with 95 % confidence, smaller.", HelpName = "SHARE" };

    internal static Command Create()
    {
        var command = new Command("rows", """
            Counts rows whose decision is right and proven to stay so within a bound.

            Example: bulwark certify rows --model runs/fraud --data test.csv --eps 0.01,0.02 --mutable amount
            """) { s_data, s_eps, s_method, s_sigma, s_draws, s_alpha, s_rows, s_mutable, s_failBelow };
        s_common.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        using var model = AttackedModel.Open(parsed.GetRequiredValue(s_common.Model));
        if (model.Network is not { Shape.Outputs: 1 } network)
            throw new CommandException($"{model.Name} is no chain of layers with one logit: nothing can be certified from outside.", "certify a model that bulwark train made");
        var read = await AttackData.ReadAsync(parsed.GetRequiredValue(s_data), model, s_common.Columns(parsed), null, cancel);
        var data = read.Head(parsed.GetValue(s_rows));
        if (data.Rows == 0)
            throw new CommandException("There are no rows to certify.");
        var schema = AttackData.WithMutable(data.Schema, parsed.GetValue(s_mutable), screen);
        var encoder = new FeatureEncoder(schema);
        double[] strengths = [.. Strengths(parsed.GetRequiredValue(s_eps))];
        var method = parsed.GetRequiredValue(s_method);
        var radii = await screen.ProgressAsync($"certifying {data.Rows} rows", progress => Task.Run(
            () => method == "bounds"
                ? Bounds(network, encoder, data.Raw, data.Labels, strengths, progress, cancel)
                : Smoothing(parsed, network, encoder, data.Raw, data.Labels, progress, cancel),
            cancel));
        var certified = strengths.Select((eps, at) => Count(eps, data.Labels, row => radii[row] >= eps)).ToList();
        var passed = parsed.GetValue(s_failBelow) is { } least ? certified[^1].Rows.Lower >= least : (bool?)null;
        var answer = new CertifiedRows(
            model.Name, model.Digest, method, method == "bounds" ? "largest change of each mutable scaled value" : "length of the change in scaled units, of the vote under noise",
            data.Rows, method == "bounds" ? null : parsed.GetValue(s_alpha), certified, passed, null);
        var entry = await AttackRecord.KeepAsync(parsed, "certificate", parsed.GetValue(s_common.Output), answer, [new Subject(model.Name, model.Digest)], cancel);
        answer = answer with { LogEntry = entry };
        return screen.Answer(answer, console => Draw(console, answer), passed is false ? ExitCode.No : ExitCode.Yes);
    }

    /// <summary>Each row's largest strength of the list that is proven; −1 where the decision is wrong, 0 where it is right and nothing more.</summary>
    private static double[] Bounds(DenseNetwork<float> network, FeatureEncoder encoder, float[] raw, int[] labels, double[] strengths, IProgress<double> progress, CancellationToken cancel)
    {
        if (network.Shape.Convolutions is not null)
            throw new CommandException("Interval bounds are built for dense layers.", "--method smoothing");
        var exact = network.ToDouble();
        var rows = encoder.Encode(raw);
        var radii = new double[labels.Length];
        for (var row = 0; row < labels.Length; row++)
        {
            cancel.ThrowIfCancellationRequested();
            double[] values = [.. rows.AsSpan(row * encoder.EncodedWidth, encoder.EncodedWidth).ToArray().Select(value => (double)value)];
            double Margin(double eps) => IntervalBounds.Margin(exact, values, labels[row], eps, encoder.MutableMask);
            radii[row] = Margin(0) <= 0 ? -1 : strengths.Where(eps => Margin(eps) > 0).DefaultIfEmpty(0).Max();
            progress.Report((row + 1.0) / labels.Length);
        }

        return radii;
    }

    private static double[] Smoothing(ParseResult parsed, DenseNetwork<float> network, FeatureEncoder encoder, float[] raw, int[] labels, IProgress<double> progress, CancellationToken cancel)
    {
        var smoothing = new RandomizedSmoothing { Sigma = parsed.GetValue(s_sigma), Draws = parsed.GetValue(s_draws), Alpha = parsed.GetValue(s_alpha) };
        var model = new QueriedNetwork(new DifferentiableNetwork<float>(network));
        var rows = encoder.Encode(raw);
        var radii = new double[labels.Length];
        for (var row = 0; row < labels.Length; row++)
        {
            cancel.ThrowIfCancellationRequested();
            var certificate = smoothing.Certify(model, rows.AsSpan(row * encoder.EncodedWidth, encoder.EncodedWidth));
            radii[row] = certificate.Verdict == SmoothingVerdict.Certified && certificate.Class == labels[row] ? certificate.Radius : -1;
            progress.Report((row + 1.0) / labels.Length);
        }

        return radii;
    }

    private static IEnumerable<double> Strengths(string list)
    {
        foreach (var word in list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Append("0"))
        {
            if (!double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !(value >= 0) || !double.IsFinite(value))
                throw new CommandException($"--eps: '{word}' is no strength.", "--eps 0.01,0.02");
        }

        return list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture)).Append(0).Distinct().Order();
    }

    private static CertifiedShare Count(double eps, int[] labels, Func<int, bool> holds)
    {
        RowShare Of(List<int> rows) => RowShare.From(rows.Count(holds), rows.Count);
        return new(eps, Of([.. Enumerable.Range(0, labels.Length)]), Of([.. Enumerable.Range(0, labels.Length).Where(row => labels[row] == 1)]));
    }

    private static void Draw(IAnsiConsole console, CertifiedRows answer)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("eps");
        foreach (var heading in (string[])["right and certified", "95 % interval", "of positive rows"])
            table.AddColumn(new TableColumn(heading).RightAligned());
        foreach (var share in answer.Certified)
            table.AddRow($"{share.Eps:g4}", $"{share.Rows.Rate:P1} of {answer.Rows}", $"{share.Rows.Lower:P1} to {share.Rows.Upper:P1}", $"{share.Positives.Rate:P1}");
        console.Write(table);
        console.MarkupLineInterpolated($"{answer.Model}, {answer.Method}: eps is the {answer.Measure}");
        if (answer.Passed is { } passed)
            console.MarkupLine(passed ? "passed" : "FAILED");
        if (answer.LogEntry is { } entry)
            console.MarkupLineInterpolated($"log entry {entry}");
    }

    private sealed record CertifiedShare(double Eps, RowShare Rows, RowShare Positives);

    private sealed record CertifiedRows(
        string Model, Digest Digest, string Method, string Measure, int Rows, double? Alpha, IReadOnlyList<CertifiedShare> Certified, bool? Passed, long? LogEntry);
}
