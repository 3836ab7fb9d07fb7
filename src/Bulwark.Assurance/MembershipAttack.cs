using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>What a membership attack came to.</summary>
/// <param name="Attack">Its name.</param>
/// <param name="Members">Rows that the model was trained on.</param>
/// <param name="Others">Rows that it was not.</param>
/// <param name="Auc">Probability that a member's score is above another's; 0.5 is guessing.</param>
/// <param name="BalancedAccuracy">Best mean accuracy; 0.5 is guessing.</param>
/// <param name="Points">At 1 % and at 0.1 % false positives.</param>
/// <param name="MeanLossOfMembers">Mean log loss of members.</param>
/// <param name="MeanLossOfOthers">Mean log loss of non-members; the gap to the members' is over-fitting.</param>
public sealed record MembershipReport(
    string Attack, int Members, int Others, double Auc, double BalancedAccuracy, IReadOnlyList<MembershipPoint> Points, double MeanLossOfMembers, double MeanLossOfOthers);

/// <summary>Tells training rows from others by the model's loss on them: below a threshold, a member.</summary>
/// <remarks>
/// Source: Yeom et al., "Privacy Risk in Machine Learning", CSF 2018, adversary 2 (arXiv:1709.01604).
/// A weak attack: that it fails proves little, that it succeeds proves a leak. Needs scores only.
/// </remarks>
public static class MembershipAttack
{
    private const int BatchRows = 1024;

    /// <summary>Runs the attack.</summary>
    /// <param name="scorer">The model.</param>
    /// <param name="memberRows">Raw rows that it was trained on, row-major.</param>
    /// <param name="memberLabels">Their classes.</param>
    /// <param name="otherRows">Raw rows of the same kind that it was not trained on.</param>
    /// <param name="otherLabels">Their classes.</param>
    /// <exception cref="ArgumentException">A length does not fit, one kind is missing, or the model scores NaN.</exception>
    public static MembershipReport Run(IScorer scorer, ReadOnlySpan<float> memberRows, ReadOnlySpan<int> memberLabels, ReadOnlySpan<float> otherRows, ReadOnlySpan<int> otherLabels)
    {
        ArgumentNullException.ThrowIfNull(scorer);
        double[] losses = [.. Losses(scorer, memberRows, memberLabels), .. Losses(scorer, otherRows, otherLabels)];
        var isMember = new bool[losses.Length];
        isMember.AsSpan(0, memberLabels.Length).Fill(true);
        double[] scores = [.. losses.Select(loss => -loss)];
        var curve = MembershipCurve.Of(scores, isMember);
        return new(
            "loss threshold",
            curve.Members,
            curve.Others,
            curve.Auc,
            curve.BalancedAccuracy,
            [curve.At(0.01), curve.At(0.001)],
            losses.Take(memberLabels.Length).Average(),
            losses.Skip(memberLabels.Length).Average());
    }

    /// <summary>Log loss of each row, from scores kept in double: -log p of the row's class, p at least 1e-30.</summary>
    private static double[] Losses(IScorer scorer, ReadOnlySpan<float> rows, ReadOnlySpan<int> labels)
    {
        if (rows.Length != (long)labels.Length * scorer.Width)
            throw new ArgumentException($"{rows.Length} values are not {labels.Length} rows of {scorer.Width}.", nameof(rows));
        var losses = new double[labels.Length];
        var scores = new float[BatchRows * scorer.Classes];
        for (var at = 0; at < labels.Length; at += BatchRows)
        {
            var count = int.Min(BatchRows, labels.Length - at);
            var batch = scores.AsSpan(0, count * scorer.Classes);
            scorer.Score(rows.Slice(at * scorer.Width, count * scorer.Width), count, batch);
            for (var row = 0; row < count; row++)
            {
                var label = labels[at + row];
                var right = scorer.Classes > 1 ? batch[(row * scorer.Classes) + label] : label == 1 ? (double)batch[row] : 1 - (double)batch[row];
                losses[at + row] = -Math.Log(Math.Max(right, 1e-30));
            }
        }

        return losses;
    }
}
