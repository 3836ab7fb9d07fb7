using System.Numerics.Tensors;

namespace Bulwark.Assurance;

/// <summary>How a searcher hides from a detector of searches.</summary>
internal sealed record HiddenSearchOptions
{
    /// <summary>Largest L2 distance from its own row.</summary>
    internal double Epsilon { get; init; } = 0.5;

    /// <summary>Smallest L2 distance between any two of its queries: detectors count near ones.</summary>
    internal double LeastMove { get; init; } = 1e-6;

    /// <summary>Standard deviation of noise on every quantity of each query: it hides equal values.</summary>
    internal double Noise { get; init; }

    /// <summary>Proposals drawn for one query until one keeps its distance and is not suspicious; of those that are the least suspicious is asked.</summary>
    internal int Tries { get; init; } = 100;

    /// <summary>How suspicious the searcher believes a query to be, above <see cref="Bearable"/> too much; null for no belief.</summary>
    internal Func<float[], double>? Suspicion { get; init; }

    /// <summary>The suspicion that is put up with.</summary>
    internal double Bearable { get; init; }

    /// <summary>Identities that it can lose; a query that is withheld costs one.</summary>
    internal int Identities { get; init; } = 1;

    /// <summary>Most queries.</summary>
    internal int Queries { get; init; } = 500;
}

/// <summary>What came of a hidden search.</summary>
/// <param name="Succeeded">The query that passed, from 1, its answer not withheld; null for none.</param>
/// <param name="Asked">Queries, its own row first.</param>
/// <param name="Withheld">Those whose answer was withheld.</param>
/// <param name="Stuck">Ended because no proposal kept its distance: the searcher's own rule stopped it, not the detector.</param>
internal sealed record HiddenSearchOutcome(int? Succeeded, int Asked, int Withheld, bool Stuck = false);

/// <summary>A search by queries, near a row that a model refuses, for one that passes, by one who knows that searches are looked for: an oracle-guided adaptive rejection-sampling attack.</summary>
/// <remarks>
/// Source: Feng et al., "Stateful Defenses for Machine Learning Models Are Not Yet Secure Against Black-box Attacks", CCS 2023, section 4
/// (arXiv:2303.06280). Two habits make any search adaptive: first the smallest change that is not rejected is looked for by halving, at a hit rate that the
/// searcher chooses; then every proposal is drawn anew until it is not expected to be rejected. Proposals are those of the query search: values of rows that
/// pass are mixed in, what lowers the score is kept. Where the oracle is the detector itself each of its answers costs an identity.
/// </remarks>
/// <param name="pool">Shape (rows, width): rows that pass.</param>
/// <param name="width">Numbers in a row, in [0, 1].</param>
/// <param name="quantities">Columns that hold no flag; only they take noise.</param>
/// <param name="options">How it hides.</param>
/// <param name="seed">Names the draws.</param>
internal sealed class HiddenSearch(float[] pool, int width, int[] quantities, HiddenSearchOptions options, ulong seed)
{
    private const int Halvings = 10;
    private readonly SeededDraws _draws = new(seed);
    private readonly List<float[]> _asked = [];

    /// <summary>Searches until a query passes, all identities are lost, or none is left to ask.</summary>
    /// <param name="start">The refused row.</param>
    /// <param name="ask">A query's score, above 0 where the model refuses; null when the answer is withheld.</param>
    internal HiddenSearchOutcome Run(float[] start, Func<float[], float?> ask)
    {
        var (best, score, withheld) = (start, float.PositiveInfinity, 0);
        for (float[]? row = start; _asked.Count < options.Queries; row = Propose(start, best))
        {
            if (row is null)
                return new(null, _asked.Count, withheld, Stuck: true);
            _asked.Add(row);
            if (ask(row) is not { } answer)
            {
                if (++withheld >= options.Identities)
                    break;
                continue;
            }

            if (answer < 0)
                return new(_asked.Count, _asked.Count, withheld);
            (best, score) = answer < score ? (row, answer) : (best, score);
        }

        return new(null, _asked.Count, withheld);
    }

    /// <summary>The smallest move whose queries are withheld at most as often as <paramref name="hits"/>, by halving between 0 and the distance allowed.</summary>
    /// <param name="search">Makes a search of that least move; its own row is one to throw away.</param>
    /// <param name="hits">The share of withheld queries that is put up with.</param>
    /// <param name="most">The largest move.</param>
    internal static double Tune(Func<double, HiddenSearchOutcome> search, double hits, double most)
    {
        var (low, high) = (0.0, most);
        for (var halving = 0; halving < Halvings; halving++)
        {
            var middle = (low + high) / 2;
            var outcome = search(middle);
            (low, high) = outcome.Withheld > hits * outcome.Asked ? (middle, high) : (low, middle);
        }

        return high;
    }

    private float[]? Propose(float[] start, float[] best)
    {
        var (chosen, least) = ((float[]?)null, double.PositiveInfinity);
        for (var attempt = 0; attempt < options.Tries; attempt++)
        {
            var other = pool.AsSpan(_draws.Below(pool.Length / width) * width, width);
            float[] row = [.. best];
            for (var change = 1 + _draws.Below(7); change > 0; change--)
            {
                var column = _draws.Below(width);
                row[column] = other[column];
            }

            if (options.Noise > 0)
            {
                foreach (var column in quantities)
                    row[column] = Math.Clamp(row[column] + (float)(options.Noise * _draws.Normal()), 0, 1);
            }

            var distance = TensorPrimitives.Distance<float>(row, start);
            if (distance > options.Epsilon)
            {
                for (var column = 0; column < width; column++)
                    row[column] = start[column] + (float)((row[column] - start[column]) * options.Epsilon / distance);
            }

            if (!_asked.TrueForAll(asked => TensorPrimitives.Distance<float>(asked, row) >= options.LeastMove))
                continue;
            var suspicion = options.Suspicion?.Invoke(row) ?? 0;
            (chosen, least) = suspicion < least ? (row, suspicion) : (chosen, least);
            if (least <= options.Bearable)
                break;
        }

        return chosen;
    }
}
