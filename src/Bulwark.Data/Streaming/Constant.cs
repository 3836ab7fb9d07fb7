using System.Text;

namespace Bulwark.Data;

/// <summary>A column of one value, from its text.</summary>
internal static class Constant
{
    internal static Column Column(ColumnShape shape, string? text, int rows)
    {
        switch (shape.Kind)
        {
            case ColumnKind.Number:
                var number = double.NaN;
                if (text is not null && !CellText.TryNumber(Encoding.UTF8.GetBytes(text), out number, out _))
                    throw NoValue(shape);
                return new NumberColumn(shape.Name, Filled(number, rows), shape.Integral);
            case ColumnKind.Time:
                var time = TimeColumn.Missing;
                if (text is not null && !CellText.TryTime(Encoding.UTF8.GetBytes(text), out time))
                    throw NoValue(shape);
                return new TimeColumn(shape.Name, Filled(time, rows));
            default:
                return new TextColumn(shape.Name, Filled(text, rows));
        }
    }

    private static TableFormatException NoValue(ColumnShape shape) => new($"The folder's value of column '{shape.Name}' is no {shape.Kind.ToString().ToLowerInvariant()}.", 0, shape.Name);

    private static T[] Filled<T>(T value, int rows)
    {
        var values = new T[rows];
        Array.Fill(values, value);
        return values;
    }
}
