using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Assurance;

/// <summary>Membership attacks with shadow models, and one that sees labels only, each with the rates that it really reaches.</summary>
/// <remarks>A loss threshold is near chance on models that these attacks read well: what they miss is no proof either.</remarks>
public static class ShadowMembership
{
    private const int Population = 1000;
    private const int Copies = 20;
    private const double Reach = 0.05;
    private const double OfflineShare = 0.3;
    private const int BatchRows = 1024;

    /// <summary>Trains shadow models by a recipe and runs every attack that they allow.</summary>
    /// <param name="scorer">The attacked model; one probability a row.</param>
    /// <param name="recipe">How it was trained, as far as the attacker knows.</param>
    /// <param name="members">Rows that it was trained on.</param>
    /// <param name="others">Rows of the same kind that it was not.</param>
    /// <param name="models">Shadow models; even, at least 4.</param>
    /// <param name="seed">Names halves and initial weights.</param>
    /// <param name="progress">Told often, from 0 to 1.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="ArgumentException">The model is not binary, or does not fit the rows.</exception>
    public static IReadOnlyList<MembershipReport> Run(
        IScorer scorer, TrainingOptions recipe, Dataset members, Dataset others, int models, int seed = 1, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(members);
        ArgumentNullException.ThrowIfNull(others);
        if (models < 4 || models % 2 != 0)
            throw new ArgumentOutOfRangeException(nameof(models), models, "There must be an even number of shadow models, at least 4.");
        var encoder = new FeatureEncoder(members.Schema);
        var (first, second) = (members.Encode(encoder), others.Encode(encoder));
        var pool = new EncodedDataset([.. first.Features, .. second.Features], first.Width, [.. first.Labels, .. second.Labels], first.Quantities, first.Sources);
        var isMember = new bool[pool.Rows];
        isMember.AsSpan(0, first.Rows).Fill(true);
        double[] right = [.. Right(scorer, members.Raw, members.Labels), .. Right(scorer, others.Raw, others.Labels)];
        double[] target = [.. right.Select(probability => ShadowModels.Kept(LikelihoodRatio.Confidence(probability)))];
        var shadows = ShadowModels.Train(pool, recipe, models, seed, progress, cancel);

        var online = models >= LikelihoodRatio.OwnVarianceFrom ? LikelihoodRatioKind.Online : LikelihoodRatioKind.OnlinePooled;
        return
        [
            Report($"likelihood ratio, online, {models} shadow models", LikelihoodRatio.Scores(shadows.Confidences, shadows.IsIn, target, online), isMember, right),
            Report($"likelihood ratio, offline, {models} shadow models", LikelihoodRatio.Scores(shadows.Confidences, shadows.IsIn, target, LikelihoodRatioKind.Offline), isMember, right),
            Report($"relative to references, {models} shadow models", Relative(shadows, right, first.Rows), isMember, right),
        ];
    }

    /// <summary>Sees labels only: the share of copies, moved a little at random, that keep the row's own class.</summary>
    /// <remarks>Source: Choquette-Choo et al., "Label-Only Membership Inference Attacks", ICML 2021, section 4 (arXiv:2007.14321), random noise.</remarks>
    /// <param name="scorer">The attacked model; one probability a row, of which only the side of one half is used.</param>
    /// <param name="members">Rows that it was trained on.</param>
    /// <param name="others">Rows of the same kind that it was not.</param>
    /// <param name="seed">Names the moves.</param>
    public static MembershipReport LabelOnly(IScorer scorer, Dataset members, Dataset others, int seed = 1)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        ArgumentNullException.ThrowIfNull(members);
        ArgumentNullException.ThrowIfNull(others);
        double[] right = [.. Right(scorer, members.Raw, members.Labels), .. Right(scorer, others.Raw, others.Labels)];
        var kept = right.Select(probability => probability > 0.5 ? 1.0 : 0).ToArray();   // the untouched row: the gap attack
        var random = new Random(seed);
        float[] raw = [.. members.Raw, .. others.Raw];
        int[] labels = [.. members.Labels, .. others.Labels];
        for (var copy = 0; copy < Copies; copy++)
        {
            var moved = raw.ToArray();
            for (var i = 0; i < moved.Length; i++)
            {
                if (members.Schema.Features[i % members.Width] is { Kind: FeatureKind.Numeric or FeatureKind.Integer, Minimum: { } low, Maximum: { } high } && float.IsFinite(moved[i]))
                    moved[i] = (float)Math.Clamp(moved[i] + ((high - low) * Reach * ((2 * random.NextDouble()) - 1)), low, high);
            }

            var answers = Right(scorer, moved, labels);
            for (var row = 0; row < kept.Length; row++)
                kept[row] += answers[row] > 0.5 ? 1 : 0;
        }

        var isMember = new bool[labels.Length];
        isMember.AsSpan(0, members.Rows).Fill(true);
        return Report($"labels only, {Copies} moved copies", kept, isMember, right);
    }

    private static double[] Relative(ShadowModels shadows, double[] right, int members)
    {
        double[] References(int row) => [.. Enumerable.Range(0, shadows.Confidences.Length).Where(model => !shadows.IsIn[model][row]).Select(model => 1 / (1 + Math.Exp(-shadows.Confidences[model][row])))];
        var step = Math.Max(1, (right.Length - members) / Population);
        int[] population = [.. Enumerable.Range(members, right.Length - members).Where(row => (row - members) % step == 0)];
        return ReferenceRatio.Scores(right, [.. Enumerable.Range(0, right.Length).Select(References)], [.. population.Select(row => right[row])], [.. population.Select(References)], OfflineShare);
    }

    private static MembershipReport Report(string attack, double[] scores, bool[] isMember, double[] right)
    {
        var curve = MembershipCurve.Of(scores, isMember);
        double[] losses = [.. right.Select(probability => -Math.Log(Math.Max(probability, 1e-30)))];
        return new(attack, curve.Members, curve.Others, curve.Auc, curve.BalancedAccuracy, [curve.At(0.01), curve.At(0.001)],
            losses.Where((_, row) => isMember[row]).Average(), losses.Where((_, row) => !isMember[row]).Average());
    }

    /// <summary>The probability of each row's own class.</summary>
    private static double[] Right(IScorer scorer, ReadOnlySpan<float> rows, ReadOnlySpan<int> labels)
    {
        if (scorer.Classes != 1)
            throw new ArgumentException($"Shadow models are of binary decisions; this model has {scorer.Classes} classes.", nameof(scorer));
        if (rows.Length != (long)labels.Length * scorer.Width)
            throw new ArgumentException($"{rows.Length} values are not {labels.Length} rows of {scorer.Width}.", nameof(rows));
        var (right, scores) = (new double[labels.Length], new float[BatchRows]);
        for (var at = 0; at < labels.Length; at += BatchRows)
        {
            var count = Math.Min(BatchRows, labels.Length - at);
            scorer.Score(rows.Slice(at * scorer.Width, count * scorer.Width), count, scores.AsSpan(0, count));
            for (var row = 0; row < count; row++)
                right[at + row] = labels[at + row] == 1 ? scores[row] : 1 - (double)scores[row];
        }

        return right;
    }
}
