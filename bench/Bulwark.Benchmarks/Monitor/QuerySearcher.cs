using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Benchmarks.Monitor;

/// <summary>A search by queries for a row near one that a model refuses: mixes in values of rows that pass, and keeps what lowers the score.</summary>
/// <param name="network">The model; one logit.</param>
/// <param name="pool">Rows that pass, row-major.</param>
/// <param name="leastMove">Smallest L2 distance between any two of its queries: an attacker who knows that near queries are counted keeps away from his own.</param>
/// <param name="seed">Names the draws.</param>
internal sealed class QuerySearcher(DenseNetwork<float> network, float[] pool, double leastMove, int seed)
{
    private const double Budget = 0.5;
    private const int MostTries = 100;
    private readonly Random _random = new(seed);
    private readonly List<float[]> _asked = [];
    private readonly int _width = network.Shape.Inputs;

    /// <summary>The queries in order, up to the first that succeeds (logit below 0), or <paramref name="most"/>.</summary>
    internal IEnumerable<(float[] Row, bool Succeeds)> Search(float[] start, int most)
    {
        var (best, score) = (start, LogitOf(start));
        for (var query = 0; query < most; query++)
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

            var distance = TensorPrimitives.Distance<float>(row, start);
            if (distance > Budget)
            {
                for (var column = 0; column < _width; column++)
                    row[column] = start[column] + (float)((row[column] - start[column]) * Budget / distance);
            }

            if (_asked.All(asked => TensorPrimitives.Distance<float>(asked, row) >= Math.Max(leastMove, 1e-6)))
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
