namespace Bulwark.Assurance;

/// <summary>What a relation says of real rows and of rows spoilt on purpose.</summary>
/// <param name="Relation">Its name; or the name of a feature for its type and bounds.</param>
/// <param name="Broken">Real rows that it rejects: above 0 when the rule is wrong, or the data are.</param>
/// <param name="FirstBroken">Index of the first of them; -1 of none.</param>
/// <param name="Planted">Spoilt rows that were tried.</param>
/// <param name="Caught">Those that it rejected: 0 of many when the rule can never be broken.</param>
public sealed record RelationTest(string Relation, int Broken, int FirstBroken, int Planted, int Caught)
{
    /// <summary>Real rows keep it and spoilt rows can break it.</summary>
    public bool Sound => Broken == 0 && Caught > 0;
}

/// <summary>Tests constraints on real data in both directions: real rows keep them, and rows spoilt on purpose break each of them.</summary>
/// <remarks>The second direction finds rules that can never be broken, such as <c>0 &lt;= count or 0 &lt; other</c> for a count.</remarks>
public static class ConstraintSelfTest
{
    private const int Tries = 4000;

    /// <summary>Tests every relation.</summary>
    /// <param name="constraints">The constraints.</param>
    /// <param name="raw">Shape (rows, Width): real rows.</param>
    /// <param name="seed">Names the spoilt rows.</param>
    /// <exception cref="ArgumentException">The values do not make rows, or there are none.</exception>
    public static IReadOnlyList<RelationTest> Run(CompiledConstraints constraints, ReadOnlySpan<float> raw, ulong seed = 1)
    {
        ArgumentNullException.ThrowIfNull(constraints);
        var width = constraints.Width;
        if (raw.IsEmpty || raw.Length % width != 0)
            throw new ArgumentException($"{raw.Length} values do not make rows of {width}.", nameof(raw));
        var rows = raw.Length / width;
        var (broken, first, caught) = (new int[constraints.Relations.Count], new int[constraints.Relations.Count], new int[constraints.Relations.Count]);
        first.AsSpan().Fill(-1);
        for (var row = 0; row < rows; row++)
        {
            for (var relation = 0; relation < broken.Length; relation++)
            {
                if (constraints.Keeps(relation, raw.Slice(row * width, width)))
                    continue;
                broken[relation]++;
                if (first[relation] < 0)
                    first[relation] = row;
            }
        }

        var draws = new SeededDraws(seed);
        var spoilt = new float[width];
        for (var relation = 0; relation < broken.Length; relation++)
        {
            for (var i = 0; i < Tries; i++)
            {
                raw.Slice(draws.Below(rows) * width, width).CopyTo(spoilt);
                constraints.Spoil(relation, spoilt, draws);
                caught[relation] += constraints.Keeps(relation, spoilt) ? 0 : 1;
            }
        }

        return [.. Enumerable.Range(0, broken.Length).Select(relation => new RelationTest(constraints.Relations[relation], broken[relation], first[relation], Tries, caught[relation]))];
    }
}
