using Bulwark.Data;

namespace Bulwark.Training;

/// <summary>The label of each row as 1 or 0, and how the file spells the two.</summary>
internal sealed record LabelColumn(int[] Labels, string Positive, string Negative)
{
    /// <exception cref="DatasetException">There is no row, a label is missing or unknown, or all are the same.</exception>
    internal static LabelColumn Read(Column column, SchemaOptions options)
    {
        if (column.Rows == 0)
            throw new DatasetException("The table has no rows.");
        var labels = new int[column.Rows];
        string? positive = null, negative = null;
        for (var row = 0; row < labels.Length; row++)
        {
            var text = column.Text(row) ?? throw Columns.Refused(column, row, "is the label and has no value");
            if (options.Positive.Contains(text, StringComparer.Ordinal))
            {
                labels[row] = 1;
                positive ??= text;
            }
            else if (options.Negative.Count > 0 ? options.Negative.Contains(text, StringComparer.Ordinal) : negative is null || negative == text)
            {
                negative ??= text;
            }
            else
            {
                throw Columns.Refused(column, row, "is the label and is neither positive nor the negative value: name every value of the label");
            }
        }

        if (positive is null || negative is null)
            throw new DatasetException($"Label '{column.Name}' is constant: all {labels.Length} rows are {(positive is null ? "negative" : "positive")}.", column.Name);
        return new LabelColumn(labels, positive, negative);
    }
}
