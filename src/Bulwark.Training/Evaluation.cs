namespace Bulwark.Training;

/// <summary>How well scores tell positives from negatives.</summary>
public sealed record Evaluation
{
    private const int CurvePoints = 200;
    private const int Bins = 20;

    /// <summary>Number of rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Number of positive rows.</summary>
    public required int Positives { get; init; }

    /// <summary>Share of right decisions at the threshold 0.5.</summary>
    public required double Accuracy { get; init; }

    /// <summary>Area under the ROC curve; ties count half. NaN when a class is missing, as all below.</summary>
    public required double Auc { get; init; }

    /// <summary>Average precision: the area under the precision-recall curve, by steps.</summary>
    public required double PrAuc { get; init; }

    /// <summary>Mean log loss, scores kept 1e-7 away from 0 and 1.</summary>
    public required double LogLoss { get; init; }

    /// <summary>Largest recall at a false-positive rate of at most 0.1 %, 1 %, 5 % and 10 %.</summary>
    public required IReadOnlyList<RatePoint> RecallAtFpr { get; init; }

    /// <summary>Smallest false-positive rate at a recall of at least 50 %, 80 %, 90 % and 95 %.</summary>
    public required IReadOnlyList<RatePoint> FprAtRecall { get; init; }

    /// <summary>(false-positive rate, recall), rising; at most 200 points.</summary>
    public required IReadOnlyList<CurvePoint> RocCurve { get; init; }

    /// <summary>(recall, precision), recall rising; at most 200 points.</summary>
    public required IReadOnlyList<CurvePoint> PrCurve { get; init; }

    /// <summary>Counts of scores in 20 equal bins of [0, 1].</summary>
    public required ScoreHistogram Scores { get; init; }

    /// <summary>Judges <paramref name="scores"/>.</summary>
    /// <param name="scores">Shape (n): probability of the positive class.</param>
    /// <param name="labels">Shape (n): 1 positive, 0 negative.</param>
    /// <exception cref="ArgumentException">The lengths differ, or a score is not a number.</exception>
    public static Evaluation Of(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels)
    {
        var steps = Sweep(scores, labels);
        var (positives, negatives) = (steps[^1].True, steps[^1].False);
        var (right, loss) = (0, 0.0);
        for (var i = 0; i < scores.Length; i++)
        {
            right += scores[i] >= 0.5f == (labels[i] == 1) ? 1 : 0;
            var probability = Math.Clamp(labels[i] == 1 ? scores[i] : 1 - (double)scores[i], 1e-7, 1 - 1e-7);
            loss -= Math.Log(probability);
        }

        return new Evaluation
        {
            Rows = scores.Length,
            Positives = positives,
            Accuracy = (double)right / Math.Max(1, scores.Length),
            Auc = Area(steps),
            PrAuc = Precision(steps),
            LogLoss = loss / Math.Max(1, scores.Length),
            RecallAtFpr = [.. new[] { 0.001, 0.01, 0.05, 0.1 }.Select(fpr => new RatePoint(fpr, steps.Where(step => step.False <= fpr * negatives).Max(step => Share(step.True, positives))))],
            FprAtRecall = [.. new[] { 0.5, 0.8, 0.9, 0.95 }.Select(recall => new RatePoint(recall, steps.Where(step => step.True >= recall * positives).Min(step => Share(step.False, negatives))))],
            RocCurve = Thin(steps, step => new CurvePoint(Share(step.False, negatives), Share(step.True, positives))),
            PrCurve = Thin(steps[1..], step => new CurvePoint(Share(step.True, positives), Share(step.True, step.True + step.False))),
            Scores = ScoreHistogram.Of(scores, labels, Bins),
        };
    }

    /// <summary>Average precision alone.</summary>
    internal static double AveragePrecision(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels) => Precision(Sweep(scores, labels));

    /// <summary>True and false positives as the threshold falls past each distinct score; equal scores move together.</summary>
    private static List<(int True, int False)> Sweep(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels)
    {
        if (scores.Length != labels.Length)
            throw new ArgumentException($"{scores.Length} scores for {labels.Length} labels.", nameof(scores));
        var (keys, classes) = (scores.ToArray(), labels.ToArray());
        if (keys.Any(float.IsNaN))
            throw new ArgumentException("A score is not a number.", nameof(scores));
        Array.Sort(keys, classes);
        var steps = new List<(int True, int False)> { (0, 0) };
        var (truly, falsely) = (0, 0);
        for (var i = keys.Length - 1; i >= 0; i--)
        {
            (truly, falsely) = classes[i] == 1 ? (truly + 1, falsely) : (truly, falsely + 1);
            if (i == 0 || keys[i - 1] != keys[i])
                steps.Add((truly, falsely));
        }

        return steps;
    }

    private static double Area(List<(int True, int False)> steps)
    {
        var area = 0.0;
        for (var i = 1; i < steps.Count; i++)
            area += (steps[i].False - steps[i - 1].False) * (steps[i].True + (double)steps[i - 1].True) / 2;
        return area / ((double)steps[^1].True * steps[^1].False);
    }

    private static double Precision(List<(int True, int False)> steps)
    {
        var sum = 0.0;
        for (var i = 1; i < steps.Count; i++)
            sum += (steps[i].True - steps[i - 1].True) * Share(steps[i].True, steps[i].True + steps[i].False);
        return sum / steps[^1].True;
    }

    private static double Share(int part, int whole) => (double)part / whole;

    private static List<CurvePoint> Thin(List<(int True, int False)> steps, Func<(int True, int False), CurvePoint> point)
    {
        if (steps.Count <= CurvePoints)
            return [.. steps.Select(point)];
        var chosen = Enumerable.Range(0, CurvePoints).Select(i => (int)((steps.Count - 1) * Math.Pow((double)i / (CurvePoints - 1), 3))).Distinct();   // closest where alarms are rare
        return [.. chosen.Select(i => point(steps[i]))];
    }
}

/// <summary>A rate that was asked for and what was found there.</summary>
/// <param name="At">The rate asked for.</param>
/// <param name="Value">The rate found.</param>
public readonly record struct RatePoint(double At, double Value);

/// <summary>A point of a curve.</summary>
/// <param name="X">Horizontal.</param>
/// <param name="Y">Vertical.</param>
public readonly record struct CurvePoint(double X, double Y);

/// <summary>Counts of scores in equal bins of [0, 1], by class.</summary>
/// <param name="Negatives">Counts of negative rows.</param>
/// <param name="Positives">Counts of positive rows.</param>
public sealed record ScoreHistogram(IReadOnlyList<int> Negatives, IReadOnlyList<int> Positives)
{
    internal static ScoreHistogram Of(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels, int bins)
    {
        var (negatives, positives) = (new int[bins], new int[bins]);
        for (var i = 0; i < scores.Length; i++)
            (labels[i] == 1 ? positives : negatives)[Math.Clamp((int)(scores[i] * bins), 0, bins - 1)]++;
        return new ScoreHistogram(negatives, positives);
    }
}
