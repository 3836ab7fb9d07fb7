namespace Bulwark.Assurance;

/// <summary>Chooses what to ask; goes on from where it was when asked for more.</summary>
internal abstract class QueryStrategy(ExtractionTarget target, ExtractionOptions options, OutputView view)
{
    private readonly List<float> _points = [];
    private readonly List<float> _answers = [];

    protected ExtractionTarget Target => target;

    protected ExtractionOptions Options => options;

    protected SeededDraws Draws { get; } = new(options.Seed);

    /// <summary>Whether the questions are the same whatever the answers are.</summary>
    internal virtual bool IgnoresAnswers => true;

    internal int Asked => _answers.Count / target.Classes;

    internal static QueryStrategy Of(ExtractionStrategy strategy, ExtractionTarget target, ExtractionOptions options, OutputView view) => strategy switch
    {
        ExtractionStrategy.Random => new RandomQueries(target, options, view),
        ExtractionStrategy.InDistribution => new PoolQueries(target, options, view),
        ExtractionStrategy.Knockoff => new KnockoffQueries(target, options, view),
        ExtractionStrategy.Jacobian => new JacobianQueries(target, options, view),
        _ => throw new ArgumentOutOfRangeException(nameof(strategy), strategy, "Unknown strategy."),
    };

    /// <summary>At least so many points and the model's full answers to them.</summary>
    internal (float[] Points, float[] Answers) Ask(int count, CancellationToken cancel)
    {
        while (Asked < count)
        {
            cancel.ThrowIfCancellationRequested();
            var points = Next(count - Asked);
            var answers = target.Ask(points);
            _points.AddRange(points);
            _answers.AddRange(answers);
            Learn(points, answers);
        }

        return ([.. _points], [.. _answers]);
    }

    /// <summary>The next points, at least one and at most <paramref name="most"/>.</summary>
    protected abstract float[] Next(int most);

    /// <summary>What the answers to them were.</summary>
    protected virtual void Learn(float[] points, float[] answers)
    {
    }

    /// <summary>A copy trained on what was asked so far, as the view lets it be seen.</summary>
    protected Networks.DenseNetwork<float> Copy() =>
        Student.Train([.. _points], Seen([.. _answers]), target.Inputs, target.Classes, options.Hidden, options.Seed);

    protected float[] Seen(float[] answers) => ModelExtraction.Blur(answers, target.Classes, view, options.Decimals);

    /// <summary>All points asked so far.</summary>
    protected float[] Points => [.. _points];
}

/// <summary>Points of the right types and bounds.</summary>
internal sealed class RandomQueries(ExtractionTarget target, ExtractionOptions options, OutputView view) : QueryStrategy(target, options, view)
{
    protected override float[] Next(int most)
    {
        var points = new float[most * Target.Inputs];
        for (var row = 0; row < most; row++)
            Target.Blind(Draws, points.AsSpan(row * Target.Inputs, Target.Inputs));
        return points;
    }
}

/// <summary>The attacker's own rows, each once; then values of two of them mixed.</summary>
internal sealed class PoolQueries : QueryStrategy
{
    private readonly int[] _order;
    private int _at;

    internal PoolQueries(ExtractionTarget target, ExtractionOptions options, OutputView view)
        : base(target, options, view)
    {
        _order = [.. Enumerable.Range(0, target.Pool.Length / target.Inputs)];
        if (_order.Length == 0)
            throw new ArgumentException("The attacker holds no rows: give a pool, or ask at random.", nameof(target));
        Student.Shuffle(_order, Draws);
    }

    protected override float[] Next(int most)
    {
        var (points, width) = (new float[most * Target.Inputs], Target.Inputs);
        for (var row = 0; row < most; row++, _at++)
        {
            var point = points.AsSpan(row * width, width);
            Target.Pool.AsSpan(_order[_at % _order.Length] * width, width).CopyTo(point);
            if (_at < _order.Length)
                continue;
            var other = Draws.Below(_order.Length) * width;
            for (var j = 0; j < width; j++)
                point[j] = Draws.Uniform() < 0.25 ? Target.Pool[other + j] : point[j];
        }

        return points;
    }
}
