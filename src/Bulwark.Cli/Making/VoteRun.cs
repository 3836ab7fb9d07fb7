using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli.Making;

/// <summary>A model that votes, as a folder: members from disjoint parts of the rows, their votes counted inside the ONNX graph, and what of it is certified against poisoned rows.</summary>
internal static class VoteRun
{
    /// <summary>What it came to: the folder's <c>report.json</c>.</summary>
    internal sealed record Report(string Name, int Parts, string Shape, Digest Dataset, Digest TestSet, int TrainingRows, TrainingOptions Options, Evaluation Evaluation, IReadOnlyList<PoisonedShare> Certified)
    {
        public string Format { get; init; } = "vote-training-report/v1";

        /// <summary>What the input screen refuses of the test rows. The screen is no part of the certificate: its distance is fitted to all rows.</summary>
        public ScreenRefusals? ScreenRefusals { get; init; }

        /// <summary>Where the run's statement is in the log; only known after the folder is written.</summary>
        public long? LogIndex { get; init; }
    }

    /// <param name="request">Data, options and output.</param>
    /// <param name="parts">Disjoint parts of the rows: an odd number.</param>
    /// <param name="workspace">Whose log keeps the run; null for none.</param>
    /// <param name="progress">Told the share that is done.</param>
    /// <param name="cancel">Stops before anything is written.</param>
    /// <exception cref="CommandException">The options or the number of parts do not fit a vote, or the exported graph votes differently.</exception>
    internal static async Task<Report> RunAsync(TrainingRequest request, int parts, Workspace? workspace, IProgress<double> progress, CancellationToken cancel)
    {
        var (report, model) = await Task.Run(() => Run(request, parts, progress, cancel), cancel);
        return report with { LogIndex = await model.LogAsync(workspace, request.DataCommitted, cancel) };
    }

    private static (Report Report, TrainedModel Model) Run(TrainingRequest request, int parts, IProgress<double> progress, CancellationToken cancel)
    {
        TrainedModel.RequireName(request.Name);
        var started = DateTimeOffset.UtcNow;
        if (parts is < 3 or > PartMembers.MostParts || parts % 2 == 0)
            throw new CommandException($"--parts is {parts}; an odd number from 3 to {PartMembers.MostParts - 1}, so that no vote is a tie.");
        var schema = request.Train.Schema;
        if (schema.InferredFeatures() is { Count: > 0 } inferred)
            throw new CommandException($"A vote's certificate needs a declared schema; these features have none: {string.Join(", ", inferred)}.", "declare them with --schema FILE: what is inferred from rows, poisoned rows can bend");
        var encoder = new FeatureEncoder(schema);
        var options = request.Options;
        if (options.Private is not null || options.Additive is not null || options.Members > 1)
            throw new CommandException("Voting members are plain or robust networks.", "leave out --private, --members and --model ebm");
        options = TrainingRun.WithMask(options, encoder);
        if (string.Join(' ', options.Faults()) is { Length: > 0 } faults)
            throw new CommandException(faults);
        var (train, test) = (request.Train.Encode(encoder), request.Test.Encode(encoder));
        var members = PartMembers.Train(train, parts, options, progress, cancel);
        var onnx = OnnxModel.ExportVotes(schema, members);
        var votes = Votes(onnx, request.Test, PartMembers.Votes(members, test), parts);
        float[] scores = [.. votes.Select(vote => vote[1] / (float)parts)];
        var report = new Report(request.Name, parts, members.MaxBy(member => member.Shape.ParameterCount)!.Shape.ToString(), request.Train.Commitment, request.Test.Commitment, train.Rows, options with { Robust = options.Robust is null ? null : options.Robust with { Mutable = [], Units = [] } },
            Evaluation.Of(scores, test.Labels), PartMembers.Certified(votes, test.Labels, parts));
        // One poisoned row takes a learnt relation away, many bend one: what is certified against them learns none.
        var screen = FittedScreen.Of(request with { LearnRelations = false }, train, test, cancel);
        report = report with { ScreenRefusals = ScreenRefusals.Of(screen, request.Test, test) };
        cancel.ThrowIfCancellationRequested();
        var model = TrainedModel.Of(request, "majority vote", $"{parts} members, the largest {report.Shape}", new { parts, training = report.Options }, onnx, report.Evaluation, screen, started);
        model.Save(request.Output, report);
        return (report, model);
    }

    internal static void Draw(IAnsiConsole console, Report report, DirectoryInfo output)
    {
        console.MarkupLine($"accuracy {report.Evaluation.Accuracy:P2}, AUC {report.Evaluation.Auc:f4} on {report.Evaluation.Rows} test rows; {report.Parts} members on {report.TrainingRows} rows vote");
        foreach (var share in report.Certified)
            console.MarkupLine($"right and certified against {share.PoisonedRows} poisoned rows: {share.Rows.Rate:P1} ({share.Rows.Lower:P1} to {share.Rows.Upper:P1})");
        report.ScreenRefusals?.Draw(console);
        console.MarkupLine("the input screen is outside the certificate: poisoned rows can move its distance, so that it refuses other rows; it holds no learnt relations");
        console.MarkupLine($"written: {Markup.Escape(output.FullName)}{TrainedModel.Entry(report.LogIndex)}; its score is the share of votes, and the certificate is for a threshold of one half");
    }

    /// <summary>Votes of each test row as the exported graph counts them, which is what serves and hence what is certified.</summary>
    /// <remarks>Two engines round differently, so a member that stands at its own threshold may vote the other way in the graph: one vote of a row, no more.</remarks>
    private static int[][] Votes(byte[] onnx, Dataset test, int[][] trained, int parts)
    {
        using var scorer = new OnnxScorer(onnx);
        var scored = new float[test.Rows];
        scorer.Score(test.Raw, test.Rows, scored);
        return [.. scored.Select((score, row) => Counted(score, trained[row][1], parts) is { } positive
            ? new[] { parts - positive, positive }
            : throw new CommandException($"The exported graph counts other votes than the trained members cast, in test row {row + 1}; nothing was written."))];
    }

    /// <summary>The votes for positive that a score is the share of; null when it is no share of so many parts, or more than one vote from what the members cast.</summary>
    internal static int? Counted(float score, int cast, int parts)
    {
        var votes = (double)score * parts;
        return Math.Abs(votes - Math.Round(votes)) <= 0.05 && Math.Round(votes) is >= 0 and var count && count <= parts && Math.Abs(count - cast) <= 1 ? (int)count : null;
    }
}
