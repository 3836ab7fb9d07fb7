using Bulwark.Data;
using Bulwark.Models;

namespace Bulwark.Training;

/// <summary>How a table's rows are divided into training and test rows.</summary>
/// <param name="TestFraction">Share of rows to test on, above 0 and below 1.</param>
/// <param name="Seed">Names a split by hash.</param>
/// <param name="TimeColumn">The column whose last rows test; null splits by hash.</param>
public sealed record SplitRule(double TestFraction, long Seed = 1, string? TimeColumn = null);

/// <summary>Reads data sets from files. A Parquet file, protected or not, that is too large for a table is read by batches of rows and of columns: what stays in memory is the matrix of floats.</summary>
/// <remarks>
/// The data sets are the same, number for number, as <see cref="DatasetReader"/> makes of the whole table. The large file is read twice: once
/// row by row for its commitment and the split, once column by column for the features; another thread reads and decrypts ahead. Nothing is written to disk.
/// </remarks>
public static class DatasetFile
{
    /// <summary>Cells of a table, 64 MB of numbers, up to which it is simply read.</summary>
    public const long CellsOfATable = 1 << 23;

    /// <summary>Reads all rows.</summary>
    /// <param name="path">The file, or a folder of protected parts.</param>
    /// <param name="reading">How the file is read; a protected one needs keys.</param>
    /// <param name="options">What the columns mean.</param>
    /// <param name="schema">The schema of the training set, when this is a test set; null completes one from this table.</param>
    /// <param name="cellsOfATable">Cells up to which the table is read whole.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="ArgumentException">Options or schema have faults.</exception>
    /// <exception cref="DatasetException">The table does not hold such a data set; the message names column and row.</exception>
    public static Task<Dataset> ReadAsync(
        string path, TableReadOptions? reading, SchemaOptions options, FeatureSchema? schema = null, long cellsOfATable = CellsOfATable, CancellationToken cancel = default) => Task.Run(async () =>
        {
            var large = Large(path, reading, cellsOfATable, cancel);
            if (large is null)
                return DatasetReader.Read(await TableFile.ReadAsync(path, reading, cancel: cancel).ConfigureAwait(false), options, schema, reading?.Commitments);
            return (await new ColumnwiseReader(path, reading, options, large.Value, cellsOfATable, cancel).ReadAsync(null, schema).ConfigureAwait(false)).Train;
        }, cancel);

    /// <summary>Reads the two sides of a split; what must be inferred is inferred from the training rows alone.</summary>
    /// <inheritdoc cref="ReadAsync(string, TableReadOptions?, SchemaOptions, FeatureSchema?, long, CancellationToken)"/>
    public static Task<(Dataset Train, Dataset Test)> ReadAsync(
        string path, TableReadOptions? reading, SchemaOptions options, SplitRule split, long cellsOfATable = CellsOfATable, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(split);
        return Task.Run(async () =>
        {
            var large = Large(path, reading, cellsOfATable, cancel);
            if (large is not null)
            {
                var (train, test) = await new ColumnwiseReader(path, reading, options, large.Value, cellsOfATable, cancel).ReadAsync(split, null).ConfigureAwait(false);
                return (train, test!);
            }

            var table = await TableFile.ReadAsync(path, reading, cancel: cancel).ConfigureAwait(false);
            return DatasetReader.Read(table, options, split.TimeColumn is { } time ? RowSplit.ByTime(table, time, split.TestFraction) : RowSplit.ByHash(table, split.Seed, split.TestFraction), reading?.Commitments);
        }, cancel);
    }

    /// <summary>The rows of a file that is to be read in pieces; null where its table is small, or it is text, whose columns do not lie apart.</summary>
    private static long? Large(string path, TableReadOptions? reading, long cellsOfATable, CancellationToken cancel)
    {
        if (TableSource.RowsOf(path, reading) is not { } shape)
            return null;
        cancel.ThrowIfCancellationRequested();
        return shape.Rows * shape.Columns > cellsOfATable ? shape.Rows : null;
    }
}
