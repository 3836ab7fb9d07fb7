using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>Decisions of two models on the same rows: what the later one gets wrong that the earlier one got right, and the other way round.</summary>
/// <param name="Rows">How many were decided.</param>
/// <param name="Lost">Right before, wrong now.</param>
/// <param name="Won">Wrong before, right now.</param>
internal sealed record PairedLoss(int Rows, int Lost, int Won)
{
    private const double Alpha = 0.05;

    /// <summary>The share of rows by which the later model is worse, at most, with 95 % confidence: exact bounds of both shares, one minus the other. 1 where there are no rows.</summary>
    internal double Most => Rows == 0 ? 1 : ClopperPearson.Upper(Lost, Rows, Alpha / 2) - ClopperPearson.Lower(Won, Rows, Alpha / 2);

    internal static PairedLoss Of(IReadOnlyList<bool> before, IReadOnlyList<bool> now, Func<int, bool> counts)
    {
        int[] rows = [.. Enumerable.Range(0, before.Count).Where(counts)];
        return new(rows.Length, rows.Count(row => before[row] && !now[row]), rows.Count(row => !before[row] && now[row]));
    }
}

/// <summary>What a new model does that the one it would replace does not.</summary>
/// <param name="All">On trusted rows.</param>
/// <param name="Positives">On the positives among them.</param>
/// <param name="Canaries">On rows that must stay right; null without.</param>
/// <param name="Triggers">Values of new training rows that lead the new model, and not the old one, to a class; empty without such rows.</param>
internal sealed record ChallengerReport(PairedLoss All, PairedLoss Positives, PairedLoss? Canaries, IReadOnlyList<TriggerFinding> Triggers);

/// <summary>Holds a new model against the one that serves, on the same trusted rows: continuous learning is how poison gets in unseen.</summary>
internal static class ChallengerTrial
{
    private const int TriggerSize = 3;

    /// <param name="champion">The model that serves.</param>
    /// <param name="challenger">The one that is to replace it.</param>
    /// <param name="trusted">Rows whose labels are known to be right and that trained neither.</param>
    /// <param name="canaries">Rows that must stay right; null for none.</param>
    /// <param name="fresh">Rows that the new model was trained on; null searches no trigger.</param>
    /// <exception cref="ArgumentException">A model is not binary, or the two take rows of different widths.</exception>
    internal static ChallengerReport Run(IScorer champion, IScorer challenger, LabelledRows trusted, LabelledRows? canaries, LabelledRows? fresh)
    {
        if (champion.Classes != 1 || challenger.Classes != 1 || champion.Width != challenger.Width)
            throw new ArgumentException($"Two binary models of the same features are compared: these take {champion.Width} and {challenger.Width}.", nameof(challenger));
        var (before, now) = (Right(champion, trusted), Right(challenger, trusted));
        return new(
            PairedLoss.Of(before, now, _ => true),
            PairedLoss.Of(before, now, row => trusted.Labels[row] == 1),
            canaries is null ? null : PairedLoss.Of(Right(champion, canaries), Right(challenger, canaries), _ => true),
            fresh is null ? [] : TriggerSearch.Run(challenger, champion, fresh, trusted, TriggerSize));
    }

    private static bool[] Right(IScorer model, LabelledRows rows)
    {
        var scores = new float[rows.Labels.Length];
        model.Score(rows.Rows, scores.Length, scores);
        return [.. scores.Select((score, row) => score >= 0.5f == (rows.Labels[row] == 1))];
    }
}
