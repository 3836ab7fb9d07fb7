namespace Bulwark.Assurance;

/// <summary>The rows under attack, what the model says of them untouched, and how runs become shares.</summary>
internal sealed class EvasionSample
{
    private readonly EvasionTarget _target;
    private readonly EvasionOptions _options;
    private readonly double _positiveShare;

    private EvasionSample(EvasionTarget target, EvasionOptions options, float[] raw, int[] labels, double positiveShare)
    {
        (_target, _options, Raw, Labels, _positiveShare) = (target, options, raw, labels, positiveShare);
        Encoded = target.Encoder.Encode(raw);
        CleanWrong = Wrong(raw);
    }

    internal float[] Raw { get; }

    internal float[] Encoded { get; }

    internal int[] Labels { get; }

    internal bool[] CleanWrong { get; }

    /// <summary>Half of the rows from each class, chosen by seed, in the data set's order.</summary>
    internal static EvasionSample Draw(EvasionTarget target, ReadOnlySpan<float> raw, ReadOnlySpan<int> labels, EvasionOptions options)
    {
        var draws = new SeededDraws(options.Seed);
        var chosen = new List<int>();
        var all = labels.ToArray();
        var half = int.Max(1, options.Samples / 2);
        foreach (var label in (int[])[0, 1])
        {
            int[] rows = [.. Enumerable.Range(0, all.Length).Where(row => all[row] == label)];
            for (var k = 0; k < rows.Length && k < half; k++)
            {
                var swap = k + draws.Below(rows.Length - k);
                (rows[k], rows[swap]) = (rows[swap], rows[k]);
                chosen.Add(rows[k]);
            }
        }

        chosen.Sort();
        var width = target.Encoder.Width;
        var sample = new float[chosen.Count * width];
        for (var i = 0; i < chosen.Count; i++)
            raw.Slice(chosen[i] * width, width).CopyTo(sample.AsSpan(i * width));
        return new(target, options, sample, [.. chosen.Select(row => all[row])], (double)all.Count(label => label == 1) / all.Length);
    }

    internal EvasionRun Attack(EvasionAttack attack, double strength)
    {
        var adversarial = new float[Raw.Length];
        var queries = 0.0;
        if (attack.Gradient is { } gradient)
        {
            var perturbed = new float[Encoded.Length];
            gradient(strength)(Encoded, Labels, _target.Encoder.MutableMask, perturbed);
            new SendableRows(_target.Encoder, strength).Make(perturbed, Encoded, Raw, Labels.Length, adversarial);
        }
        else
        {
            var search = new QueryAttack { Epsilon = strength, Queries = _options.Queries, Threshold = _options.Threshold, Seed = _options.Seed };
            queries = search.Run(_target.Scorer, _target.Encoder, Raw, Labels, adversarial).Average();
        }

        return new(attack.Name, strength, Wrong(adversarial), queries) { Sent = adversarial };
    }

    internal EvasionReport Report(IReadOnlyList<EvasionRun> runs, IReadOnlyList<RedFlag> flags) => new()
    {
        Rows = Labels.Length,
        Positives = Labels.Count(label => label == 1),
        PositiveShare = _positiveShare,
        Threshold = _options.Threshold,
        MutableFeatures = [.. _target.Encoder.Schema.Features.Where(feature => feature.Mutable).Select(feature => feature.Name)],
        WhiteBox = _target.Network is not null,
        CleanAccuracy = Accuracy(CleanWrong),
        CleanRecall = Share(1, row => !CleanWrong[row]),
        CleanFalsePositives = Share(0, row => CleanWrong[row]),
        Outcomes = [.. runs.Select(Outcome)],
        WorstCase = WorstCase(runs),
        Flags = flags,
    };

    /// <summary>Whether the model, asked now, gets each raw row wrong; a score that is not a number is no decision, hence wrong.</summary>
    internal bool[] Wrong(ReadOnlySpan<float> raw)
    {
        var scores = new float[Labels.Length];
        _target.Scorer.Score(raw, Labels.Length, scores);
        return [.. scores.Select((score, row) => float.IsNaN(score) || (score >= _options.Threshold) != (Labels[row] == 1))];
    }

    private EvasionOutcome[] WorstCase(IReadOnlyList<EvasionRun> runs)
    {
        var wrong = (bool[])CleanWrong.Clone();
        var worst = new List<EvasionOutcome>();
        foreach (var strength in runs.GroupBy(run => run.Strength).OrderBy(group => group.Key))
        {
            foreach (var run in strength)
            {
                for (var row = 0; row < wrong.Length; row++)
                    wrong[row] |= run.Wrong[row];
            }

            worst.Add(Outcome(new("worst case", strength.Key, [.. wrong], 0)));
        }

        return [.. worst];
    }

    private EvasionOutcome Outcome(EvasionRun run) => new()
    {
        Attack = run.Attack,
        Strength = run.Strength,
        RobustAccuracy = Accuracy([.. run.Wrong.Select((wrong, row) => wrong || CleanWrong[row])]),
        PositivesEvaded = Share(1, row => run.Wrong[row], row => !CleanWrong[row]),
        NegativesRaised = Share(0, row => run.Wrong[row], row => !CleanWrong[row]),
        MeanQueries = run.MeanQueries,
    };

    private double Accuracy(bool[] wrong) =>
        (_positiveShare * Share(1, row => !wrong[row]).Rate) + ((1 - _positiveShare) * Share(0, row => !wrong[row]).Rate);

    private RowShare Share(int label, Func<int, bool> counts, Func<int, bool>? among = null)
    {
        int[] rows = [.. Enumerable.Range(0, Labels.Length).Where(row => Labels[row] == label && (among is null || among(row)))];
        return RowShare.From(rows.Count(counts), rows.Length);
    }
}
