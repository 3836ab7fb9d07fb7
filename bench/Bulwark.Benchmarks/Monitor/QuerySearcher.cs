using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Benchmarks.Monitor;

/// <summary>How a searcher hides.</summary>
/// <param name="Name">What it is called in the table.</param>
/// <param name="LeastMove">Smallest L2 distance between any two of its queries: it knows that near queries are counted, and keeps away from its own.</param>
/// <param name="Noise">Standard deviation of noise on every quantity of each query: it hides equal values.</param>
/// <param name="OrdinaryBetween">Ordinary queries between two of its own.</param>
internal sealed record SearchStyle(string Name, double LeastMove, double Noise, int OrdinaryBetween);

/// <summary>A search by queries for a row near one that a model refuses: mixes in values of rows that pass, and keeps what lowers the score.</summary>
/// <param name="network">The model; one logit.</param>
/// <param name="pool">Rows that pass, row-major.</param>
/// <param name="quantities">Columns that hold no flag; only they take noise.</param>
/// <param name="style">How it hides.</param>
/// <param name="seed">Names the draws.</param>
internal sealed class QuerySearcher(DenseNetwork<float> network, float[] pool, int[] quantities, SearchStyle style, int seed)
{
    private const double Budget = 0.5;
    private const int MostTries = 100;
    private readonly Random _random = new(seed);
    private readonly List<float[]> _asked = [];
    private readonly int _width = network.Shape.Inputs;

    /// <summary>The queries in order, its own row first, up to the first that succeeds (logit below 0), or <paramref name="most"/>.</summary>
    internal IEnumerable<(float[] Row, bool Succeeds)> Search(float[] start, int most)
    {
        var (best, score) = (start, LogitOf(start));
        _asked.Add(start);
        yield return (start, false);
        for (var query = 1; query < most; query++)
        {
            if (Propose(start, best) is not { } row)
                yield break;   // no room left between his own queries
            _asked.Add(row);
            var logit = LogitOf(row);
            yield return (row, logit < 0);
            if (logit < 0)
                yield break;
            if (logit < score)
                (best, score) = (row, logit);
        }
    }

    private float[]? Propose(float[] start, float[] best)
    {
        for (var attempt = 0; attempt < MostTries; attempt++)
        {
            var other = pool.AsSpan(_random.Next(pool.Length / _width) * _width, _width);
            float[] row = [.. best];
            for (var change = _random.Next(1, 8); change > 0; change--)
            {
                var column = _random.Next(_width);
                row[column] = other[column];
            }

            if (style.Noise > 0)
            {
                foreach (var column in quantities)
                    row[column] = Math.Clamp(row[column] + (float)(style.Noise * Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble())), 0, 1);
            }

            var distance = TensorPrimitives.Distance<float>(row, start);
            if (distance > Budget)
            {
                for (var column = 0; column < _width; column++)
                    row[column] = start[column] + (float)((row[column] - start[column]) * Budget / distance);
            }

            if (_asked.All(asked => TensorPrimitives.Distance<float>(asked, row) >= Math.Max(style.LeastMove, 1e-6)))
                return row;
        }

        return null;
    }

    private float LogitOf(float[] row)
    {
        Span<float> logit = stackalloc float[1];
        network.Forward(row, 1, logit);
        return logit[0];
    }
}
