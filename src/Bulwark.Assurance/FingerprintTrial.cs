using Bulwark.Assurance.Ownership;
using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Assurance;

/// <summary>How often a fingerprint called one kind of model derived.</summary>
/// <param name="Kind">What was done with the owner's model, or that it was not used.</param>
/// <param name="Derived">True where the models are derived from the owner's: then <paramref name="Named"/> counts hits, else false alarms.</param>
/// <param name="Models">How many were tried.</param>
/// <param name="Named">How many were called derived.</param>
/// <param name="LowestScore">Lowest score among them.</param>
/// <param name="HighestScore">Highest score among them.</param>
public sealed record FingerprintOutcome(string Kind, bool Derived, int Models, int Named, double LowestScore, double HighestScore);

/// <summary>Measures a fingerprint on models made for it: copied, fine-tuned, distilled, extracted by labels, and independent.</summary>
public static class FingerprintTrial
{
    private const int FirstIndependent = 1_000;   // no reference of a fingerprint has this number

    /// <summary>Runs the trial.</summary>
    /// <param name="fingerprint">The fingerprint.</param>
    /// <param name="owner">The owner's model, as it answers.</param>
    /// <param name="network">The network inside, for fine-tuning; null leaves that kind out.</param>
    /// <param name="data">The data that references learnt from.</param>
    /// <param name="models">How many models of each derived kind; of independent ones five times as many.</param>
    /// <param name="progress">0 to 1.</param>
    /// <param name="others">Rows that the owner's model never saw, for models that have nothing of it, not even data; null leaves that kind out.</param>
    /// <param name="cancel">Stops between models.</param>
    public static IReadOnlyList<FingerprintOutcome> Run(
        ModelFingerprint fingerprint, IScorer owner, DenseNetwork<float>? network, Dataset data, int models, IProgress<double>? progress = null, Dataset? others = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(fingerprint);
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfLessThan(models, 1);
        var encoded = data.Encode();
        var scores = new float[data.Rows];
        owner.Score(data.Raw, data.Rows, scores);
        var kinds = new List<(string Kind, bool Derived, int Models, Func<int, double> Score)>
        {
            ("copied, answers of two decimals", true, 1, _ => Rounded(fingerprint, owner)),
            ("distilled from its scores", true, models, i => Score(fingerprint, data, References.Train(Relabelled(encoded, scores, i, hard: false), i, 77, cancel))),
            ("extracted by its labels", true, models, i => Score(fingerprint, data, References.Train(Relabelled(encoded, scores, i, hard: true), i, 78, cancel))),
            ("independent, of the same data", false, models * 5, i => Score(fingerprint, data, References.Train(encoded, FirstIndependent + i, 79, cancel))),
        };
        if (network is not null && network.Shape.Inputs == encoded.Width)
            kinds.Insert(1, ("fine-tuned for three epochs", true, models, i => Score(fingerprint, data, FineTuned(network, encoded, i, cancel))));
        if (others?.Encode() is { } unseen)
            kinds.Add(("independent, of other rows", false, models * 5, i => Score(fingerprint, data, References.Train(unseen, 2 * FirstIndependent + i, 80, cancel))));
        var (done, all) = (0, kinds.Sum(kind => kind.Models));
        return [.. kinds.Select(kind =>
        {
            var found = Enumerable.Range(0, kind.Models).Select(i =>
            {
                cancel.ThrowIfCancellationRequested();
                var score = kind.Score(i);
                progress?.Report(++done / (double)all);
                return score;
            }).ToList();
            return new FingerprintOutcome(kind.Kind, kind.Derived, kind.Models, found.Count(score => score > fingerprint.Threshold), found.Min(), found.Max());
        })];
    }

    private static double Score(ModelFingerprint fingerprint, Dataset data, DenseNetwork<float> network)
    {
        using var scorer = new NetworkScorer(data.Schema, network);
        return fingerprint.Identify(scorer).Score;
    }

    private static double Rounded(ModelFingerprint fingerprint, IScorer owner)
    {
        var answers = new float[fingerprint.Count];
        owner.Score(fingerprint.Rows, fingerprint.Count, answers);
        return fingerprint.Identify([.. answers.Select(answer => MathF.Round(answer, 2))]).Score;
    }

    private static DenseNetwork<float> FineTuned(DenseNetwork<float> network, EncodedDataset data, int number, CancellationToken cancel)
    {
        var options = new TrainingOptions { Hidden = network.Shape.Hidden, Seed = 5_000 + (ulong)number, Epochs = 3, LearningRate = 1e-3, KeepBest = false };
        return new PlainLoop(network.Clone(), options).Run(data, null, System.Diagnostics.Stopwatch.GetTimestamp(), null, cancel).Network;
    }

    /// <summary>The same rows with the owner's answers for labels: drawn by its probability, or its decision at the share of positives that it expects.</summary>
    private static EncodedDataset Relabelled(EncodedDataset data, float[] scores, int number, bool hard)
    {
        var random = new Random(900 + number);
        var cut = scores.OrderDescending().ElementAt(Math.Clamp((int)scores.Sum(score => (double)score), 0, scores.Length - 1));
        var labels = scores.Select(score => hard ? (score >= cut ? 1 : 0) : random.NextDouble() < score ? 1 : 0).ToArray();
        return new EncodedDataset(data.Features, data.Width, labels, data.Quantities, data.Sources);
    }
}
