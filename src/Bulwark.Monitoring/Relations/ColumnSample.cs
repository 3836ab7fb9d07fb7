namespace Bulwark.Monitoring;

/// <summary>Some training rows by column, once as they are and once with every column shuffled on its own: what the single columns alone would give.</summary>
internal sealed class ColumnSample
{
    private const int MostRows = 2048;

    internal ColumnSample(ScreenField[] fields, ReadOnlySpan<float> raw, int seed)
    {
        var width = fields.Length;
        var rows = raw.Length / width;
        var random = new Random(seed);
        Rows = Math.Min(rows, MostRows);
        var chosen = Enumerable.Range(0, rows).ToArray();
        if (rows > MostRows)
            random.Shuffle(chosen);
        Real = new float[width][];
        Shuffled = new float[width][];
        for (var column = 0; column < width; column++)
        {
            var values = new float[Rows];
            for (var row = 0; row < Rows; row++)
            {
                var value = raw[(chosen[row] * width) + column];
                values[row] = fields[column].Kind is ScreenFieldKind.Categorical && value == -1 ? float.NaN : value;
            }

            Real[column] = values;
            Shuffled[column] = [.. values];
            random.Shuffle(Shuffled[column]);
        }
    }

    internal int Rows { get; }

    /// <summary>By column; NaN where missing.</summary>
    internal float[][] Real { get; }

    internal float[][] Shuffled { get; }

    internal bool IsConstant(int column)
    {
        var present = Real[column].Where(value => !float.IsNaN(value)).ToArray();
        return present.Length == 0 || present.All(value => value == present[0]);
    }
}
