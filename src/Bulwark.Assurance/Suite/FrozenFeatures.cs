using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>What a model could do that sees only values which the attack cannot move.</summary>
/// <param name="Features">Their names.</param>
/// <param name="Accuracy">Of a small network on them, on rows that it did not learn from: certified, for nothing it sees can change.</param>
/// <param name="Recall">Of the positives among those rows.</param>
internal sealed record FrozenBaseline(IReadOnlyList<string> Features, RowShare Accuracy, RowShare Recall);

/// <summary>F14: the frozen-feature baseline.</summary>
internal static class FrozenFeatures
{
    private const int LeastRows = 100;
    private const int Epochs = 40;
    private const int BatchRows = 64;

    internal static IEnumerable<RedFlag> Find(SuiteRun run, TabularTarget target)
    {
        var strength = Enumerable.Range(0, run.Options.Strengths.Count).MaxBy(s => run.Options.Strengths[s]);
        if (Measure(target, run.Reach(strength), run.Rows, run.Labels, run.Options.Seed) is not { } baseline)
            yield break;
        var robust = run.Resisting(strength).Length / (double)run.Labels.Length;
        if (robust <= baseline.Accuracy.Rate)
            yield return new("F14", $"A model that sees only what the attack cannot move ({baseline.Features.Count} features) is right on {baseline.Accuracy.Rate:P1}, this one under attack on {robust:P1}: its robustness is no achievement.");
    }

    /// <summary>Null when everything can move, or rows or classes are too few.</summary>
    internal static FrozenBaseline? Measure(TabularTarget target, TabularReach reach, float[] rows, int[] labels, ulong seed)
    {
        var space = target.Space;
        int[] frozen = [.. Enumerable.Range(0, space.Encoder.Width).Where(feature => IsFrozen(space, reach, feature))];
        if (frozen.Length == 0 || labels.Length < LeastRows)
            return null;
        int[] columns = [.. Enumerable.Range(0, space.Encoder.EncodedWidth).Where(column => frozen.Contains(space.Encoder.Columns[column].Feature))];
        var encoded = space.Encoder.Encode(rows);
        float[] Seen(int row) => [.. columns.Select(column => encoded[(row * space.Encoder.EncodedWidth) + column])];
        int[] learnt = [.. Enumerable.Range(0, labels.Length).Where(row => row % 2 == 0)];
        int[] judged = [.. Enumerable.Range(0, labels.Length).Where(row => row % 2 == 1)];
        if (learnt.Select(row => labels[row]).Distinct().Count() < 2)
            return null;
        var network = Fit(columns.Length, learnt, Seen, labels, seed);
        var right = judged.Where(row =>
        {
            Span<float> logits = stackalloc float[2];
            network.Forward(Seen(row), 1, logits);
            return LossFunction.Predict<float>(logits) == labels[row];
        }).ToList();
        return new([.. frozen.Select(feature => space.Encoder.Schema.Features[feature].Name)], RowShare.From(right.Count, judged.Length), RowShare.From(right.Count(row => labels[row] == 1), judged.Count(row => labels[row] == 1)));
    }

    /// <summary>Immutable, or its smallest step is longer than the reach or dearer than the budget.</summary>
    private static bool IsFrozen(TabularSpace space, TabularReach reach, int feature)
    {
        if (!space.Constraints.Mutable[feature])
            return true;
        var declared = space.Encoder.Schema.Features[feature];
        if (LeastPrice(space, feature, declared.Kind) > reach.Budget)
            return true;
        return declared.Kind switch
        {
            FeatureKind.Numeric => false,
            FeatureKind.Categorical => (reach.Norm switch { PerturbationNorm.Linf => 1, PerturbationNorm.L2 => Math.Sqrt(2), _ => 2 }) > reach.Epsilon,
            FeatureKind.Binary => reach.Epsilon < 1,
            _ => declared.Scaling == Scaling.Linear && reach.Epsilon < 1 / (declared.Maximum!.Value - declared.Minimum!.Value),
        };
    }

    /// <summary>What the smallest change of a value costs.</summary>
    private static double LeastPrice(TabularSpace space, int feature, FeatureKind kind)
    {
        var rule = space.Constraints.Rule(feature);
        var unit = rule.Direction switch { ChangeDirection.Up => rule.Up, ChangeDirection.Down => rule.Down, _ => Math.Min(rule.Up, rule.Down) };
        return rule.Change + (kind is FeatureKind.Integer or FeatureKind.Binary ? unit : 0);
    }

    private static DenseNetwork<float> Fit(int inputs, int[] rows, Func<int, float[]> seen, int[] labels, ulong seed)
    {
        var network = DenseNetwork<float>.Create(new(inputs, [32, 16], 2), seed);
        var (optimizer, gradients, gradient) = (new AdamOptimizer<float>(network.Parameters.Length), new NetworkGradients<float>(network, BatchRows), new float[network.Parameters.Length]);
        var draws = new SeededDraws(seed);
        int[] order = [.. rows];
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            for (var k = 0; k < order.Length; k++)
            {
                var swap = k + draws.Below(order.Length - k);
                (order[k], order[swap]) = (order[swap], order[k]);
            }

            for (var at = 0; at < order.Length; at += BatchRows)
            {
                int[] batch = order[at..int.Min(order.Length, at + BatchRows)];
                gradients.Backward([.. batch.SelectMany(seen)], [.. batch.Select(row => labels[row])], Loss.SoftmaxCrossEntropy, gradient);
                optimizer.Step(network.Parameters, gradient, 3e-3f * (1 - ((float)epoch / Epochs)));
            }
        }

        return network;
    }
}
