namespace Bulwark.Data;

/// <summary>Cuts and joins batches.</summary>
internal static class Tables
{
    internal static Table Slice(Table table, int start, int count) => start == 0 && count == table.Rows
        ? table
        : new(table.Columns.Select(column => Slice(column, start, count)));

    /// <summary>The rows of all <paramref name="parts"/>, whose columns are the same.</summary>
    internal static Table Concatenate(IReadOnlyList<Table> parts) => parts.Count == 1
        ? parts[0]
        : new(parts[0].Columns.Select((column, i) => Concatenate(column, [.. parts.Select(part => part.Columns[i])])));

    internal static Table Empty(IEnumerable<ColumnShape> shapes) => new(shapes.Select(shape => shape.Empty()));

    internal static IReadOnlyList<ColumnShape> Shapes(Table table) =>
        [.. table.Columns.Select(column => new ColumnShape(column.Name, column.Kind, column is NumberColumn { Integral: true }))];

    private static Column Slice(Column column, int start, int count) => column switch
    {
        NumberColumn number => new NumberColumn(column.Name, number.Values[start..(start + count)], number.Integral),
        TimeColumn time => new TimeColumn(column.Name, time.Values[start..(start + count)]),
        _ => new TextColumn(column.Name, ((TextColumn)column).Values[start..(start + count)]),
    };

    private static Column Concatenate(Column first, Column[] parts) => first switch
    {
        NumberColumn => new NumberColumn(first.Name, Join(parts, part => ((NumberColumn)part).Values), parts.All(part => ((NumberColumn)part).Integral)),
        TimeColumn => new TimeColumn(first.Name, Join(parts, part => ((TimeColumn)part).Values)),
        _ => new TextColumn(first.Name, Join(parts, part => ((TextColumn)part).Values)),
    };

    private static T[] Join<T>(Column[] parts, Func<Column, T[]> valuesOf)
    {
        var joined = new T[parts.Sum(part => part.Rows)];
        var at = 0;
        foreach (var part in parts)
        {
            valuesOf(part).CopyTo(joined, at);
            at += part.Rows;
        }

        return joined;
    }
}
