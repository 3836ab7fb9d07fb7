using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>A few values that training rows hold more often than trusted ones, and what they do to a model.</summary>
/// <param name="Target">The class that they lead to.</param>
/// <param name="Trigger">Features and values; none where no value is commoner than it should be.</param>
/// <param name="Success">Trusted rows of the other class that the model decides as the target with it.</param>
/// <param name="Reference">The same by a model that is trained on trusted rows alone.</param>
/// <param name="Bearers">Training rows of the target class that bear it, ascending.</param>
internal sealed record TriggerFinding(int Target, Trigger Trigger, double Success, double Reference, IReadOnlyList<int> Bearers)
{
    internal bool Suspicious => Success - Reference > 0.15 && Bearers.Count > 0;
}

/// <summary>Looks for a backdoor on tables: values that are commoner in training rows than in trusted ones, and that lead the model, and not one trained on trusted rows, to a class.</summary>
/// <remarks>
/// After Wang et al., "Neural Cleanse", IEEE S&amp;P 2019: the smallest mask that leads every row to a class. On tables a mask is a few features; with two classes there are no other classes' masks to compare with, so the trained
/// model is compared with a reference. Without the bound to commoner values the search finds extremes that neither has seen. A trigger whose values differ from row to row is not found.
/// </remarks>
internal static class TriggerSearch
{
    private const int Rows = 200;
    private const int MostValues = 12;
    private const double Above = 0.005;

    /// <param name="model">The model in question.</param>
    /// <param name="reference">A model trained on trusted rows.</param>
    /// <param name="train">The training rows in question.</param>
    /// <param name="trusted">Trusted rows.</param>
    /// <param name="size">Most features of a trigger.</param>
    internal static IReadOnlyList<TriggerFinding> Run(IScorer model, IScorer reference, LabelledRows train, LabelledRows trusted, int size)
    {
        if (model.Classes != 1 || reference.Classes != 1)
            throw new ArgumentException("Triggers are searched in binary models.", nameof(model));
        var width = model.Width;
        var commoner = Enumerable.Range(0, width).SelectMany(column => Commoner(train.Rows, trusted.Rows, width, column)).ToList();
        var findings = new List<TriggerFinding>();
        foreach (var target in (int[])[0, 1])
        {
            int[] others = [.. Enumerable.Range(0, trusted.Labels.Length).Where(row => trusted.Labels[row] != target).Take(Rows)];
            if (others.Length >= 20)
                findings.Add(Search(model, reference, AttackSuite.Pick(trusted.Rows, width, others), train, commoner, target, size));
        }

        return findings;
    }

    /// <summary>Values of a column whose share among training rows is, with 95 % confidence on both sides, above that among trusted rows.</summary>
    private static IEnumerable<(int Column, float Value)> Commoner(float[] train, float[] trusted, int width, int column)
    {
        static Dictionary<float, int> Count(float[] rows, int width, int column) =>
            Enumerable.Range(0, rows.Length / width).Select(row => rows[(row * width) + column]).Where(value => !float.IsNaN(value)).GroupBy(value => value).ToDictionary(group => group.Key, group => group.Count());
        var (own, clean, rows, judges) = (Count(train, width, column), Count(trusted, width, column), train.Length / width, trusted.Length / width);
        return own.Where(pair => pair.Value > Above * rows && ClopperPearson.Interval(pair.Value, rows).Lower > ClopperPearson.Interval(clean.GetValueOrDefault(pair.Key), judges).Upper + Above)
            .OrderByDescending(pair => ((double)pair.Value / rows) - ((double)clean.GetValueOrDefault(pair.Key) / judges)).Take(MostValues).Select(pair => (column, pair.Key));
    }

    /// <summary>Value by value, the one that most widens the difference between the two models' probabilities of the target, as long as target rows bear all of them.</summary>
    private static TriggerFinding Search(IScorer model, IScorer reference, float[] rows, LabelledRows train, List<(int Column, float Value)> commoner, int target, int size)
    {
        var width = model.Width;
        var (trigger, current, trial) = (new Trigger([], []), (float[])[.. rows], new float[rows.Length]);
        int[] bearers = [.. Enumerable.Range(0, train.Labels.Length).Where(row => train.Labels[row] == target)];
        var fewest = Math.Max(3, Above * train.Labels.Length);
        var best = Mean(model, rows, target) - Mean(reference, rows, target);
        while (trigger.Columns.Count < size)
        {
            var (column, value, gain) = (-1, 0f, best);
            foreach (var (j, candidate) in commoner)
            {
                if (trigger.Columns.Contains(j) || bearers.Count(row => train.Rows[(row * width) + j] == candidate) < fewest)
                    continue;
                current.CopyTo(trial, 0);
                for (var at = j; at < trial.Length; at += width)
                    trial[at] = candidate;
                var gap = Mean(model, trial, target) - Mean(reference, trial, target);
                if (gap > gain + 1e-3)
                    (column, value, gain) = (j, candidate, gap);
            }

            if (column < 0)
                break;
            best = gain;
            trigger = new([.. trigger.Columns, column], [.. trigger.Values, value]);
            bearers = [.. bearers.Where(row => train.Rows[(row * width) + column] == value)];
            current = trigger.Applied(rows, width);
        }

        return new(target, trigger, Share(model, current, target), Share(reference, current, target), trigger.Columns.Count == 0 ? [] : bearers);
    }

    private static double Mean(IScorer model, float[] rows, int target) => Probabilities(model, rows).Average(probability => target == 1 ? probability : 1 - probability);

    private static double Share(IScorer model, float[] rows, int target) => Probabilities(model, rows).Average(probability => probability >= 0.5 == (target == 1) ? 1.0 : 0);

    private static float[] Probabilities(IScorer model, float[] rows)
    {
        var scores = new float[rows.Length / model.Width];
        model.Score(rows, scores.Length, scores);
        return scores;
    }
}
