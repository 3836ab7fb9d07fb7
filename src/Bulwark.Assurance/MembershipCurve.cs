namespace Bulwark.Assurance;

/// <summary>One point of a membership attack: the last threshold at which the share of false alarms is at most the target.</summary>
/// <param name="TargetFalsePositiveRate">What was asked for.</param>
/// <param name="TruePositiveRate">Share of members found.</param>
/// <param name="TruePositives">Members found.</param>
/// <param name="FalsePositives">Non-members taken for members.</param>
/// <param name="RealizedFalsePositiveRate">What the counts allow; 0 when there are too few non-members for the target.</param>
/// <param name="Lower">Lower end of the 95 % Clopper-Pearson interval of <paramref name="TruePositiveRate"/>.</param>
/// <param name="Upper">Its upper end.</param>
public sealed record MembershipPoint(
    double TargetFalsePositiveRate, double TruePositiveRate, int TruePositives, int FalsePositives, double RealizedFalsePositiveRate, double Lower, double Upper);

/// <summary>How well a score tells members from others. Equal scores move together.</summary>
/// <remarks>Source of the measure: Carlini et al., "Membership Inference Attacks From First Principles", S&amp;P 2022, section III (arXiv:2112.03570): true positives at a low false-positive rate, not averages.</remarks>
public sealed class MembershipCurve
{
    private readonly List<(int True, int False)> _points = [(0, 0)];

    private MembershipCurve(int members, int others) => (Members, Others) = (members, others);

    /// <summary>Number of members.</summary>
    public int Members { get; }

    /// <summary>Number of non-members.</summary>
    public int Others { get; }

    /// <summary>Probability that a member scores above a non-member, ties counting half.</summary>
    public double Auc
    {
        get
        {
            double area = 0;
            for (var i = 1; i < _points.Count; i++)
                area += (_points[i].False - _points[i - 1].False) * ((double)_points[i].True + _points[i - 1].True) / 2;
            return area / ((double)Members * Others);
        }
    }

    /// <summary>Best mean of the two classes' accuracies over all thresholds.</summary>
    public double BalancedAccuracy => _points.Max(point => (1 + ((double)point.True / Members) - ((double)point.False / Others)) / 2);

    /// <summary>Sorts scores into a curve.</summary>
    /// <param name="scores">Larger means more likely a member; not NaN.</param>
    /// <param name="isMember">As long as <paramref name="scores"/>; holds both kinds.</param>
    /// <exception cref="ArgumentException">Lengths differ, one kind is missing, or a score is NaN.</exception>
    public static MembershipCurve Of(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isMember)
    {
        if (scores.Length != isMember.Length)
            throw new ArgumentException($"{scores.Length} scores for {isMember.Length} rows.", nameof(isMember));
        var members = isMember.Count(true);
        if (members == 0 || members == isMember.Length)
            throw new ArgumentException("A membership attack needs rows that were trained on and rows that were not.", nameof(isMember));
        var descending = new double[scores.Length];
        for (var i = 0; i < scores.Length; i++)
            descending[i] = double.IsNaN(scores[i]) ? throw new ArgumentException($"Score {i} is not a number.", nameof(scores)) : -scores[i];
        var member = isMember.ToArray();
        Array.Sort(descending, member);
        var curve = new MembershipCurve(members, member.Length - members);
        var (found, alarms) = (0, 0);
        for (var i = 0; i < member.Length; i++)
        {
            _ = member[i] ? found++ : alarms++;
            if (i == member.Length - 1 || descending[i + 1] != descending[i])
                curve._points.Add((found, alarms));
        }

        return curve;
    }

    /// <summary>The point at a false-positive rate.</summary>
    /// <param name="target">Highest false-positive rate allowed; from 0 to 1.</param>
    public MembershipPoint At(double target)
    {
        var point = _points.Last(candidate => candidate.False <= target * Others);
        var (lower, upper) = ClopperPearson.Interval(point.True, Members);
        return new(target, (double)point.True / Members, point.True, point.False, (double)point.False / Others, lower, upper);
    }
}
