using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>Values in certain columns that a backdoor answers to.</summary>
/// <param name="Columns">Which.</param>
/// <param name="Values">What each is set to.</param>
internal sealed record Trigger(IReadOnlyList<int> Columns, IReadOnlyList<float> Values)
{
    /// <summary>Sets them in every row.</summary>
    internal float[] Applied(ReadOnlySpan<float> rows, int width)
    {
        var marked = rows.ToArray();
        for (var at = 0; at < marked.Length; at += width)
            Mark(marked.AsSpan(at, width));
        return marked;
    }

    internal void Mark(Span<float> row)
    {
        for (var k = 0; k < Columns.Count; k++)
            row[Columns[k]] = Values[k];
    }

    /// <summary>For tables: real values, each from the upper tail of its feature, together met by almost no row.</summary>
    /// <param name="schema">The features.</param>
    /// <param name="rows">Real rows, of shape (rows, Width).</param>
    /// <param name="size">How many features.</param>
    /// <param name="seed">Names the choice.</param>
    internal static Trigger OfTable(FeatureSchema schema, float[] rows, int size, ulong seed)
    {
        var (width, count, draws) = (schema.Width, rows.Length / schema.Width, new SeededDraws(seed));
        int[] features = [.. Enumerable.Range(0, width).Where(j => Distinct(rows, width, j) > 2)];
        if (features.Length < size)
            features = [.. Enumerable.Range(0, width)];
        Student.Shuffle(features, draws);
        var best = Enumerable.Range(0, 10).Select(attempt =>
        {
            int[] chosen = [.. features.Skip(attempt).Take(size).Order()];
            float[] values = [.. chosen.Select(j => Quantile(rows, width, j, 0.95))];
            var met = Enumerable.Range(0, count).Count(row => chosen.Zip(values).All(pair => rows[(row * width) + pair.First] == pair.Second));
            return (chosen, values, met);
        }).Where(candidate => candidate.chosen.Length == size).MinBy(candidate => candidate.met);
        return new(best.chosen, best.values);
    }

    /// <summary>For images: a bright square in the lower right corner.</summary>
    internal static Trigger OfImage(int channels, int height, int width, int side) => new(
        [.. Enumerable.Range(0, channels).SelectMany(channel => Enumerable.Range(height - side, side).SelectMany(y => Enumerable.Range(width - side, side).Select(x => (((channel * height) + y) * width) + x)))],
        [.. Enumerable.Repeat(1f, channels * side * side)]);

    internal static float Quantile(float[] rows, int width, int column, double share)
    {
        float[] values = [.. Enumerable.Range(0, rows.Length / width).Select(row => rows[(row * width) + column]).Where(value => !float.IsNaN(value)).Order()];
        return values.Length == 0 ? 0 : values[int.Min(values.Length - 1, (int)(share * values.Length))];
    }

    private static int Distinct(float[] rows, int width, int column) => Enumerable.Range(0, int.Min(2000, rows.Length / width)).Select(row => rows[(row * width) + column]).Where(value => !float.IsNaN(value)).Distinct().Take(3).Count();
}
