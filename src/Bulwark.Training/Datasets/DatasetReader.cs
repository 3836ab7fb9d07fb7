using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Models;

namespace Bulwark.Training;

/// <summary>Turns a table into rows that can be learnt from, and refuses what does not fit, with row and column.</summary>
public static class DatasetReader
{
    /// <summary>Reads all rows.</summary>
    /// <param name="table">The table.</param>
    /// <param name="options">What the columns mean.</param>
    /// <param name="schema">The schema of the training set, when this is a test set; null completes one from this table.</param>
    /// <param name="commitments">What blinds the data set's commitment; null for one that hides nothing and is not to be published.</param>
    /// <exception cref="ArgumentException">Options or schema have faults.</exception>
    /// <exception cref="DatasetException">The table does not hold such a data set; the message names column and row.</exception>
    public static Dataset Read(Table table, SchemaOptions options, FeatureSchema? schema = null, CommitmentKey? commitments = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        return Read(table, options, schema, DatasetCommitment.Of(table, commitments).Root);
    }

    /// <summary>Reads the two sides of a split; what must be inferred is inferred from the training rows alone. Both sides keep the commitment of the whole table.</summary>
    /// <remarks>So the privacy budget belongs to the table: splitting it another way buys no second one.</remarks>
    /// <exception cref="ArgumentException">The options have faults.</exception>
    /// <exception cref="DatasetException">The table does not hold such a data set; the message names the column and the table's row.</exception>
    public static (Dataset Train, Dataset Test) Read(Table table, SchemaOptions options, RowSplit split, CommitmentKey? commitments = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(split);
        var commitment = DatasetCommitment.Of(table, commitments).Root;
        var train = ReadSide(split.Train, null);
        return (train, ReadSide(split.Test, train.Schema));

        Dataset ReadSide(int[] rows, FeatureSchema? schema)
        {
            try
            {
                return Read(table.Take(rows), options, schema, commitment);
            }
            catch (DatasetException fault)
            {
                throw fault.InTable(rows);
            }
        }
    }

    private static Dataset Read(Table table, SchemaOptions options, FeatureSchema? schema, Digest commitment)
    {
        ArgumentNullException.ThrowIfNull(options);
        schema ??= SchemaInference.Infer(table, options);
        var label = LabelColumn.Read(Columns.Require(table, options.Label), options);
        var raw = new float[checked(table.Rows * schema.Width)];
        var unknown = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var index = 0; index < schema.Width; index++)
        {
            var feature = schema.Features[index];
            var strangers = Fill(Columns.Require(table, feature.Name), feature, raw, index, schema.Width);
            if (strangers > 0)
                unknown.Add(feature.Name, strangers);
        }

        return new Dataset(schema, raw, label.Labels, unknown, commitment);
    }

    /// <summary>Writes one feature of every row; returns how many texts were no category.</summary>
    internal static int Fill(Column column, Feature feature, float[] raw, int index, int width)
    {
        if (feature.Kind == FeatureKind.Categorical)
            return FillCategories(column, feature, raw, index, width);
        for (var row = 0; row < column.Rows; row++)
        {
            var value = Columns.Number(column, row);
            if (feature.Kind == FeatureKind.Binary && value is not (0 or 1 or double.NaN))
                throw Columns.Refused(column, row, "is neither 0 nor 1");
            if (feature.Kind == FeatureKind.Integer && value != Math.Floor(value) && !double.IsNaN(value))
                throw Columns.Refused(column, row, "is no whole number");
            raw[(row * width) + index] = (float)value;
        }

        return 0;
    }

    private static int FillCategories(Column column, Feature feature, float[] raw, int index, int width)
    {
        var codes = feature.Categories.Index().ToDictionary(pair => pair.Item, pair => pair.Index, StringComparer.Ordinal);
        var unknown = 0;
        for (var row = 0; row < column.Rows; row++)
        {
            ref var value = ref raw[(row * width) + index];
            value = float.NaN;
            if (column.Text(row) is not { } text)
                continue;
            var known = codes.TryGetValue(text, out var code);
            value = known ? code : -1;
            unknown += known ? 0 : 1;
        }

        return unknown;
    }
}
