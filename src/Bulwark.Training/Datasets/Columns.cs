using System.Globalization;
using Bulwark.Data;

namespace Bulwark.Training;

/// <summary>Reads cells for training: every refusal names column and row, none shows a value.</summary>
internal static class Columns
{
    internal static Column Require(Table table, string name)
    {
        if (table.TryGet(name, out var column))
            return column;
        var near = table.Columns.FirstOrDefault(other => string.Equals(other.Name, name, StringComparison.OrdinalIgnoreCase));
        var hint = near is null ? $"The columns are: {string.Join(", ", table.Columns.Select(other => other.Name))}." : $"Did you mean '{near.Name}'?";
        throw new DatasetException($"There is no column '{name}'. {hint}", name);
    }

    /// <summary>The cell as a number, NaN when missing.</summary>
    internal static double Number(Column column, int row)
    {
        if (column is NumberColumn number)
        {
            var value = number.Values[row];
            return double.IsInfinity(value) ? throw Refused(column, row, "is not finite") : value;
        }

        if (column is not TextColumn)
            throw Refused(column, row, "holds a time, not a number");
        if (column.Text(row) is not { } text)
            return double.NaN;
        const NumberStyles Plain = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(text, Plain, CultureInfo.InvariantCulture, out var parsed) && double.IsFinite(parsed)
            ? parsed
            : throw Refused(column, row, "does not hold a number");
    }

    internal static DatasetException Refused(Column column, int row, string fault) =>
        DatasetException.AtCell(column.Name, row + 1, fault);
}
