using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>Rows that are natural value by value but not as a whole, in groups; a gradient bandit prefers groups whose answers are sure, varied and new to the copy.</summary>
/// <remarks>Source: Orekondy, Schiele and Fritz, "Knockoff Nets", CVPR 2019, section 4.1.2 (arXiv:1812.02766): rewards certainty, diversity and loss, their mean; the policy is a softmax over groups.</remarks>
internal sealed class KnockoffQueries : QueryStrategy
{
    private const int Groups = 10;
    private const int Rounds = 12;
    private readonly double[] _preference = new double[Groups];
    private readonly double[] _mean;
    private readonly List<int> _groups = [];
    private DenseNetwork<float>? _copy;
    private double _average;
    private int _rewards;

    internal KnockoffQueries(ExtractionTarget target, ExtractionOptions options, OutputView view)
        : base(target, options, view)
    {
        if (target.Pool.Length < target.Inputs)
            throw new ArgumentException("The attacker holds no rows: give a pool, or ask at random.", nameof(target));
        _mean = new double[target.Classes];
    }

    internal override bool IgnoresAnswers => false;

    protected override float[] Next(int most)
    {
        // A tenth of what is to be asked in all between two copies, so that small budgets adapt too.
        var count = int.Min(most, int.Max(25, Options.Queries[^1] / Rounds));
        var points = new float[count * Target.Inputs];
        _groups.Clear();
        for (var row = 0; row < count; row++)
        {
            var group = Draw();
            _groups.Add(group);
            Mix(group, points.AsSpan(row * Target.Inputs, Target.Inputs));
        }

        return points;
    }

    protected override void Learn(float[] points, float[] answers)
    {
        var (classes, seen) = (Target.Classes, Seen(answers));
        var logits = new float[seen.Length];
        _copy?.Forward(points, _groups.Count, logits);
        for (var row = 0; row < _groups.Count; row++)
        {
            Span<float> guess = logits.AsSpan(row * classes, classes);
            Student.ToProbabilities(guess);
            Reward(_groups[row], seen.AsSpan(row * classes, classes), guess);
        }

        if (Asked < Options.Queries[^1])
            _copy = Copy();
    }

    private void Reward(int group, ReadOnlySpan<float> answer, ReadOnlySpan<float> guess)
    {
        var (best, second, diversity, loss) = (0f, 0f, 0.0, 0.0);
        for (var k = 0; k < answer.Length; k++)
        {
            (best, second) = answer[k] > best ? (answer[k], best) : (best, float.Max(second, answer[k]));
            diversity += Math.Max(0, answer[k] - _mean[k]);
            loss -= answer[k] * Math.Log(Math.Max(guess[k], 1e-6));
            _mean[k] += (answer[k] - _mean[k]) / (_rewards + 1);
        }

        var reward = ((best - second) + diversity + Math.Min(1, loss)) / 3;
        _rewards++;
        _average += (reward - _average) / _rewards;
        var policy = Policy();
        for (var k = 0; k < Groups; k++)
            _preference[k] += 0.5 * (reward - _average) * ((k == group ? 1 : 0) - policy[k]);
    }

    /// <summary>A group is how many of its values come from a second, third … row: from whole rows to every value from another.</summary>
    private void Mix(int group, Span<float> point)
    {
        var rows = Target.Pool.Length / Target.Inputs;
        Target.Pool.AsSpan(Draws.Below(rows) * point.Length, point.Length).CopyTo(point);
        for (var j = 0; j < point.Length; j++)
        {
            if (Draws.Uniform() < (group + 1.0) / Groups)
                point[j] = Target.Pool[(Draws.Below(rows) * point.Length) + j];
        }
    }

    private int Draw()
    {
        var (policy, at) = (Policy(), Draws.Uniform());
        for (var k = 0; k < Groups - 1; k++)
        {
            at -= policy[k];
            if (at < 0)
                return k;
        }

        return Groups - 1;
    }

    private double[] Policy()
    {
        var largest = _preference.Max();
        double[] weights = [.. _preference.Select(value => Math.Exp(value - largest))];
        var sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }
}

/// <summary>A few of the attacker's rows; then, round by round, each moved by λ along the sign of the copy's slope for its answered class.</summary>
/// <remarks>Source: Papernot et al., "Practical Black-Box Attacks against Machine Learning", ASIA CCS 2017, section 4.2 (arXiv:1602.02697): λ = 0.1, at most 6 doublings; then rounds start from rows asked earlier, drawn at random.</remarks>
internal sealed class JacobianQueries : QueryStrategy
{
    private const float Step = 0.1f;
    private const int Doublings = 6;
    private readonly float[] _seeds;
    private int _round;

    internal JacobianQueries(ExtractionTarget target, ExtractionOptions options, OutputView view)
        : base(target, options, view)
    {
        var rows = target.Pool.Length / target.Inputs;
        if (rows == 0)
            throw new ArgumentException("The attacker holds no rows: give a pool, or ask at random.", nameof(target));
        int[] order = [.. Enumerable.Range(0, rows)];
        Student.Shuffle(order, Draws);
        // So many seeds that the doublings fill the largest number of queries.
        var count = int.Clamp(options.Queries[^1] >> Doublings, 20, 400);
        _seeds = [.. order.Take(count).SelectMany(row => target.Pool[(row * target.Inputs)..((row + 1) * target.Inputs)])];
    }

    internal override bool IgnoresAnswers => false;

    protected override float[] Next(int most)
    {
        var inputs = Target.Inputs;
        if (_round++ == 0)
            return _seeds[..int.Min(_seeds.Length, most * inputs)];
        var known = Points;
        var rows = known.Length / inputs;
        int[] from = [.. Enumerable.Range(0, rows)];
        Student.Shuffle(from, Draws);
        from = from[..int.Min(rows, most)];
        var points = new float[from.Length * inputs];
        var model = new DifferentiableNetwork<float>(Copy());
        var slopes = new float[model.MaxRows * Target.Classes];
        for (var at = 0; at < from.Length; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, from.Length - at);
            for (var i = 0; i < count; i++)
                known.AsSpan(from[at + i] * inputs, inputs).CopyTo(points.AsSpan((at + i) * inputs));
            var batch = points.AsSpan(at * inputs, count * inputs);
            var logits = model.Forward(batch, count);
            slopes.AsSpan().Clear();
            for (var i = 0; i < count; i++)
                Confidence(logits.Slice(i * Target.Classes, Target.Classes), slopes.AsSpan(i * Target.Classes, Target.Classes));
            var gradient = new float[count * inputs];
            model.Backward(slopes.AsSpan(0, count * Target.Classes), gradient);
            for (var j = 0; j < gradient.Length; j++)
                batch[j] = float.Clamp(batch[j] + (Step * Math.Sign(gradient[j])), 0, 1);
        }

        return points;
    }

    /// <summary>Of p of the copy's own class by the logits; every other round downwards, towards the boundary and past it.</summary>
    private void Confidence(ReadOnlySpan<float> logits, Span<float> slope)
    {
        logits.CopyTo(slope);
        Student.ToProbabilities(slope);
        var own = Scores.Class(logits);
        var (p, sign) = (slope[own], _round % 2 == 0 ? -1 : 1);
        for (var k = 0; k < slope.Length; k++)
            slope[k] = sign * p * ((k == own ? 1 : 0) - slope[k]);
    }
}
