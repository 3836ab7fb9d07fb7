using Bulwark.Data;

namespace Bulwark.Training;

/// <summary>Which rows train and which rows test; no row does both.</summary>
/// <param name="Train">Indices of the training rows, ascending.</param>
/// <param name="Test">Indices of the test rows, ascending.</param>
public sealed record RowSplit(int[] Train, int[] Test)
{
    /// <summary>The latest rows test, so that nothing is learnt from the future: every test row is later than every training row.</summary>
    /// <param name="table">The table.</param>
    /// <param name="column">A column of times or numbers without a missing cell.</param>
    /// <param name="testFraction">Share of rows to test on, above 0 and below 1; rows of the same time as the first test row stay together and test.</param>
    /// <exception cref="DatasetException">There is no such column, a cell is missing, or one side would be empty.</exception>
    public static RowSplit ByTime(Table table, string column, double testFraction)
    {
        ArgumentNullException.ThrowIfNull(table);
        RequireFraction(testFraction);
        return ByTime(Times(Columns.Require(table, column)), column, testFraction);
    }

    internal static RowSplit ByTime(double[] times, string column, double testFraction)
    {
        var sorted = times.ToArray();
        Array.Sort(sorted);
        var tests = Math.Max(1, (int)Math.Round(testFraction * sorted.Length));
        var cut = sorted.Length == 0 ? 0 : sorted[^tests];
        return Of(times.Length, row => times[row] >= cut, $"Column '{column}' does not split the rows: too many share one time.");
    }

    /// <summary>A row tests when its keyed hash falls below the fraction: the same seed and row give the same side whatever rows surround it, and equal rows share a side.</summary>
    /// <param name="table">The table; every column enters the hash.</param>
    /// <param name="seed">Names the split.</param>
    /// <param name="testFraction">Expected share of rows to test on, above 0 and below 1.</param>
    /// <exception cref="DatasetException">One side would be empty.</exception>
    public static RowSplit ByHash(Table table, long seed, double testFraction)
    {
        ArgumentNullException.ThrowIfNull(table);
        RequireFraction(testFraction);
        using var hash = new RowHash(seed, testFraction);
        return Of(table.Rows, row => hash.Tests(table, row), $"{table.Rows} rows are too few to split off {testFraction:P0}.");
    }

    internal static double[] Times(Column column)
    {
        var times = new double[column.Rows];
        for (var row = 0; row < times.Length; row++)
        {
            if (column.IsMissing(row))
                throw Columns.Refused(column, row, "is missing, and the rows are split by it");
            times[row] = column is TimeColumn time ? time.Values[row] : Columns.Number(column, row);
        }

        return times;
    }

    internal static RowSplit Of(int rows, Func<int, bool> tests, string refusal)
    {
        var (train, test) = (new List<int>(rows), new List<int>());
        for (var row = 0; row < rows; row++)
            (tests(row) ? test : train).Add(row);
        return train.Count > 0 && test.Count > 0 ? new RowSplit([.. train], [.. test]) : throw new DatasetException(refusal);
    }

    internal static void RequireFraction(double fraction)
    {
        if (!(fraction > 0 && fraction < 1))
            throw new ArgumentOutOfRangeException(nameof(fraction), fraction, "The test fraction must lie between 0 and 1.");
    }
}
