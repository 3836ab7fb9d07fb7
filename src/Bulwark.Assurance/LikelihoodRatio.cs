using Bulwark.Privacy.Accounting;

namespace Bulwark.Assurance;

/// <summary>How <see cref="LikelihoodRatio"/> turns shadow models' confidences into a score.</summary>
public enum LikelihoodRatioKind
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>ln N(φ; in) − ln N(φ; out), each row with its own deviations: for 64 models and more.</summary>
    Online,

    /// <summary>The same with one deviation a side, pooled from the rows' own variances: for fewer models.</summary>
    OnlinePooled,

    /// <summary>The same with one deviation for both sides, that of all confidences of members, as published code has it; it holds the spread between rows too.</summary>
    OnlinePublished,

    /// <summary>ln Φ((φ − mean out)/deviation out): needs no model that was trained on the row.</summary>
    Offline,

    /// <summary>−ln N(φ; out), as published code has it; it is large on both sides of the mean.</summary>
    OfflinePublished,

    /// <summary>φ itself.</summary>
    Global,
}

/// <summary>The likelihood-ratio attack: how much likelier a model's confidence in a row is among models that were trained on it than among others.</summary>
/// <remarks>Source: Carlini et al., "Membership Inference Attacks From First Principles", S&amp;P 2022, Algorithm 1 (arXiv:2112.03570). Means are medians; both sides of a row are cut to the smallest number of models that any row has there.</remarks>
public static class LikelihoodRatio
{
    /// <summary>Models from which a row's own variance is better than a pooled one.</summary>
    public const int OwnVarianceFrom = 64;

    /// <summary>φ = ln p − ln(1 − p) of the probability given to a row's own class, kept finite.</summary>
    public static double Confidence(double probability) => Math.Log(Math.Max(probability, 1e-30)) - Math.Log(Math.Max(1 - probability, 1e-30));

    /// <summary>φ of one class among several: ln p_y − ln Σ of the others.</summary>
    /// <param name="probabilities">One a class.</param>
    /// <param name="label">The row's class.</param>
    public static double Confidence(ReadOnlySpan<double> probabilities, int label)
    {
        var others = 0.0;
        for (var i = 0; i < probabilities.Length; i++)
            others += i == label ? 0 : probabilities[i];
        return Math.Log(Math.Max(probabilities[label], 1e-30)) - Math.Log(Math.Max(others, 1e-30));
    }

    /// <summary>One score a row; larger means more likely a member.</summary>
    /// <param name="shadows">φ of each shadow model (first) for each row.</param>
    /// <param name="isIn">Whether that model was trained on that row.</param>
    /// <param name="target">φ of the attacked model.</param>
    /// <param name="kind">How.</param>
    /// <exception cref="ArgumentException">Shapes differ, or a row has no model on a side that is needed.</exception>
    public static double[] Scores(double[][] shadows, bool[][] isIn, double[] target, LikelihoodRatioKind kind)
    {
        ArgumentNullException.ThrowIfNull(shadows);
        ArgumentNullException.ThrowIfNull(isIn);
        ArgumentNullException.ThrowIfNull(target);
        if (shadows.Length != isIn.Length || shadows.Any(model => model.Length != target.Length) || isIn.Any(model => model.Length != target.Length))
            throw new ArgumentException($"{shadows.Length} models' confidences do not fit {isIn.Length} models' rows and {target.Length} rows.", nameof(isIn));
        if (kind == LikelihoodRatioKind.Global)
            return [.. target];
        var outside = new Side(shadows, isIn, false, target.Length);
        var inside = kind is LikelihoodRatioKind.Offline or LikelihoodRatioKind.OfflinePublished ? null : new Side(shadows, isIn, true, target.Length);
        return [.. target.Select((confidence, row) => kind switch
        {
            LikelihoodRatioKind.Online => LogDensity(confidence, inside!.Median[row], inside.Deviation[row]) - LogDensity(confidence, outside.Median[row], outside.Deviation[row]),
            LikelihoodRatioKind.OnlinePooled => LogDensity(confidence, inside!.Median[row], inside.Pooled) - LogDensity(confidence, outside.Median[row], outside.Pooled),
            LikelihoodRatioKind.OnlinePublished => LogDensity(confidence, inside!.Median[row], inside.Spread) - LogDensity(confidence, outside.Median[row], inside.Spread),
            LikelihoodRatioKind.Offline => Normal.LogBelow((confidence - outside.Median[row]) / outside.Deviation[row]),
            LikelihoodRatioKind.OfflinePublished => -LogDensity(confidence, outside.Median[row], outside.Deviation[row]),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind."),
        })];
    }

    private static double LogDensity(double value, double mean, double deviation) =>
        (-0.5 * Math.Pow((value - mean) / deviation, 2)) - Math.Log(deviation) - (0.5 * Math.Log(2 * Math.PI));

    /// <summary>One side's confidences, row by row.</summary>
    private sealed class Side
    {
        internal Side(double[][] shadows, bool[][] isIn, bool wanted, int rows)
        {
            var all = Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, shadows.Length).Where(model => isIn[model][row] == wanted).Select(model => shadows[model][row]).ToArray()).ToArray();
            var least = all.Min(values => values.Length);
            if (least == 0)
                throw new ArgumentException(wanted ? "A row is in no shadow model's training set." : "A row is in every shadow model's training set.");
            for (var row = 0; row < rows; row++)
                all[row] = all[row][..least];
            Median = [.. all.Select(Middle)];
            var variances = all.Select(Variance).ToArray();
            Deviation = [.. variances.Select(variance => Math.Max(Math.Sqrt(variance), 1e-30))];
            Pooled = Math.Max(Math.Sqrt(variances.Average()), 1e-30);
            Spread = Math.Max(Math.Sqrt(Variance([.. all.SelectMany(values => values)])), 1e-30);
        }

        internal double[] Median { get; }

        internal double[] Deviation { get; }

        internal double Pooled { get; }

        internal double Spread { get; }

        private static double Middle(double[] values)
        {
            double[] sorted = [.. values.Order()];
            return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
        }

        private static double Variance(double[] values)
        {
            var mean = values.Average();
            return values.Average(value => (value - mean) * (value - mean));
        }
    }
}
