using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>Signs that an evaluation is broken or overstates robustness.</summary>
/// <remarks>Sources: Carlini et al., "On Evaluating Adversarial Robustness", 2019, section 5 (arXiv:1902.06705); Athalye et al., ICML 2018, section 3.1 (arXiv:1802.00420).</remarks>
internal static class EvasionChecks
{
    internal static IReadOnlyList<RedFlag> Find(EvasionTarget target, EvasionSample sample, IReadOnlyList<EvasionRun> runs) =>
        [.. AtStrengthZero(sample, runs), .. NotMonotone(sample, runs), .. ZeroGradients(target, sample), .. QueriesBeatGradients(target, sample, runs)];

    /// <summary>F1: no room to move must change nothing.</summary>
    private static IEnumerable<RedFlag> AtStrengthZero(EvasionSample sample, IReadOnlyList<EvasionRun> runs)
    {
        foreach (var run in runs.Where(run => run.Strength == 0))
        {
            var changed = run.Wrong.Zip(sample.CleanWrong).Count(pair => pair.First != pair.Second);
            if (changed > 0)
                yield return new("F1", $"{run.Attack} at strength 0 changed {changed} answers: the model answers the same row differently, or decoding changes rows.");
        }
    }

    /// <summary>F2: more room must not help the defender, up to half a percent of the rows.</summary>
    private static IEnumerable<RedFlag> NotMonotone(EvasionSample sample, IReadOnlyList<EvasionRun> runs)
    {
        var slack = int.Max(2, sample.Labels.Length / 200);
        foreach (var attack in runs.GroupBy(run => run.Attack))
        {
            EvasionRun[] ordered = [.. attack.OrderBy(run => run.Strength)];
            for (var i = 1; i < ordered.Length; i++)
            {
                var lost = ordered[i - 1].WrongCount - ordered[i].WrongCount;
                if (lost > slack)
                    yield return new("F2", $"{attack.Key} succeeds on {lost} rows fewer at strength {ordered[i].Strength} than at {ordered[i - 1].Strength}: it does not use the room it has.");
            }
        }
    }

    /// <summary>F4: where the gradient vanishes a gradient attack is blind.</summary>
    private static IEnumerable<RedFlag> ZeroGradients(EvasionTarget target, EvasionSample sample)
    {
        if (target.Network is not { } network)
            yield break;
        var gradient = new float[sample.Encoded.Length];
        new NetworkGradients<float>(network, sample.Labels.Length).InputGradient(sample.Encoded, sample.Labels, LossFunction.LogLoss(network.Shape.Outputs), gradient);
        var width = target.Encoder.EncodedWidth;
        var mutable = target.Encoder.MutableMask.ToArray();
        var blind = Enumerable.Range(0, sample.Labels.Length).Count(row =>
            !sample.CleanWrong[row] && Enumerable.Range(0, width).All(column => !mutable[column] || gradient[(row * width) + column] == 0));
        if (blind > 0)
            yield return new("F4", $"{blind} of {sample.Labels.Length} rows have no gradient at all: gradient attacks cannot start there and robustness looks higher than it is.");
    }

    /// <summary>F8: an attacker who only asks must not do better than one who knows the gradients, up to 0.2 % of the rows. Finds that changed whole numbers, flags or categories do not count: there a search rightly finds what gradients cannot.</summary>
    private static IEnumerable<RedFlag> QueriesBeatGradients(EvasionTarget target, EvasionSample sample, IReadOnlyList<EvasionRun> runs)
    {
        var width = target.Encoder.Width;
        int[] whole = [.. Enumerable.Range(0, width).Where(column => target.Encoder.Schema.Features[column].Kind != Models.FeatureKind.Numeric)];
        bool Smooth(EvasionRun query, int row) => Array.TrueForAll(whole, column => query.Sent[(row * width) + column].Equals(sample.Raw[(row * width) + column]));
        var slack = int.Max(2, sample.Labels.Length / 500);
        foreach (var strength in runs.GroupBy(run => run.Strength))
        {
            if (strength.FirstOrDefault(run => run.Attack == EvasionAttack.Query) is not { } query || strength.Count() < 2)
                continue;
            int Missed(EvasionRun run) => Enumerable.Range(0, query.Wrong.Length).Sum(row => (query.Wrong[row], run.Wrong[row]) switch
            {
                (true, false) => Smooth(query, row) ? 1 : 0,
                (false, true) => -1,
                _ => 0,
            });
            var ahead = strength.Where(run => run != query).Min(Missed);
            if (ahead > slack)
                yield return new("F8", $"At strength {strength.Key} queries that change no whole number fool {ahead} rows more than any gradient attack: gradients mislead; trust the worst case only.");
        }
    }
}
