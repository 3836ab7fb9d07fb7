using Bulwark.Monitoring.Statistics;

namespace Bulwark.Monitoring;

/// <summary>When <see cref="ExtractionWatch"/> takes a client's queries for a copy in the making.</summary>
public sealed record ExtractionWatchOptions
{
    /// <summary>δ: an alarm when W falls below it. From 0.90 to 0.96 in the source.</summary>
    public double Least { get; init; } = 0.9;

    /// <summary>Distances before the first test.</summary>
    public int Warmup { get; init; } = 100;

    /// <summary>Queries between two tests.</summary>
    public int Every { get; init; } = 10;

    /// <summary>Points that are remembered of a class; the oldest make room.</summary>
    public int PointsPerClass { get; init; } = 2000;

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Least is not (> 0 and < 1)) yield return $"{nameof(Least)} is {Least}; it must lie between 0 and 1.";
        if (Warmup < 20) yield return $"{nameof(Warmup)} is {Warmup}; at least 20.";
        if (Every < 1) yield return $"{nameof(Every)} is {Every}; at least 1.";
        if (PointsPerClass < 10) yield return $"{nameof(PointsPerClass)} is {PointsPerClass}; at least 10.";
    }
}

/// <summary>Watches one client's queries for those of a copy in the making: distances to its nearest earlier query of the same answer are near normal for ordinary use, and are not for made queries.</summary>
/// <remarks>
/// Source: Juuti et al., "PRADA: Protecting Against DNN Model Stealing Attacks", EuroS&amp;P 2019, Algorithm 3 (arXiv:1805.02628); a point joins its class's set when it is
/// further from it than the mean less the deviation of the set's own distances; distances 3 deviations and more from their mean are dropped before the test. Not thread-safe. An attacker
/// who mixes in ordinary queries, or asks only such, is not seen; whether ordinary use looks normal depends on the data: measure before relying on it.
/// </remarks>
public sealed class ExtractionWatch
{
    private readonly ExtractionWatchOptions _options;
    private readonly Dictionary<int, Seen> _classes = [];
    private readonly Queue<double> _distances = [];

    /// <param name="options">When to alarm; null for the defaults.</param>
    /// <exception cref="ArgumentException">The options are unsound.</exception>
    public ExtractionWatch(ExtractionWatchOptions? options = null)
    {
        _options = options ?? new();
        if (string.Join(' ', _options.Faults()) is { Length: > 0 } faults)
            throw new ArgumentException(faults, nameof(options));
    }

    /// <summary>Queries observed.</summary>
    public long Queries { get; private set; }

    /// <summary>W at the last test; NaN before the first.</summary>
    public double W { get; private set; } = double.NaN;

    /// <summary>Whether any test so far fell below the threshold.</summary>
    public bool Alarmed { get; private set; }

    /// <summary>Takes one query and its answer.</summary>
    /// <param name="point">The encoded row; always of the same width.</param>
    /// <param name="answer">The class that was answered.</param>
    /// <returns>Whether this query raises the alarm.</returns>
    public bool Observe(ReadOnlySpan<float> point, int answer)
    {
        Queries++;
        if (!_classes.TryGetValue(answer, out var seen))
            _classes[answer] = seen = new(_options.PointsPerClass);
        if (seen.Take(point) is { } distance)
        {
            _distances.Enqueue(distance);
            if (_distances.Count > ShapiroWilk.Most)
                _distances.Dequeue();
        }

        if (_distances.Count <= _options.Warmup || Queries % _options.Every != 0)
            return false;
        double[] kept = WithoutOutliers([.. _distances]);
        if (kept.Length < ShapiroWilk.Fewest)
            return false;
        W = ShapiroWilk.Test(kept).W;
        var alarm = W < _options.Least;
        Alarmed |= alarm;
        return alarm;
    }

    private static double[] WithoutOutliers(double[] values)
    {
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
        return deviation == 0 ? values : [.. values.Where(value => Math.Abs(value - mean) < 3 * deviation)];
    }

    /// <summary>The growing set of one class.</summary>
    private sealed class Seen(int most)
    {
        private readonly List<float[]> _points = [];
        private readonly List<double> _own = [];
        private int _oldest;

        /// <summary>The distance to the nearest point of the set; null for the first.</summary>
        internal double? Take(ReadOnlySpan<float> point)
        {
            if (_points.Count == 0)
            {
                _points.Add(point.ToArray());
                return null;
            }

            var nearest = double.PositiveInfinity;
            foreach (var other in _points)
                nearest = Math.Min(nearest, System.Numerics.Tensors.TensorPrimitives.Distance(point, other));
            if (nearest > Threshold())
                Add(point.ToArray(), nearest);
            return nearest;
        }

        private double Threshold()
        {
            if (_own.Count == 0)
                return double.NegativeInfinity;
            var mean = _own.Average();
            return mean - Math.Sqrt(_own.Average(value => (value - mean) * (value - mean)));
        }

        private void Add(float[] point, double distance)
        {
            if (_points.Count < most)
            {
                _points.Add(point);
                _own.Add(distance);
                return;
            }

            _points[_oldest] = point;
            _own[_oldest % _own.Count] = distance;
            _oldest = (_oldest + 1) % most;
        }
    }
}
