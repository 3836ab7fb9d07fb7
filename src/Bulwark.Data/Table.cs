using System.Diagnostics.CodeAnalysis;

namespace Bulwark.Data;

/// <summary>Columns of equal length with distinct names. Immutable but for the arrays that its columns hand out.</summary>
public sealed class Table
{
    private readonly Dictionary<string, Column> _byName = new(StringComparer.Ordinal);

    /// <param name="columns">At least one column, all of one length, no two of one name.</param>
    /// <exception cref="ArgumentException">The columns break one of those rules.</exception>
    public Table(IEnumerable<Column> columns)
    {
        Columns = [.. columns];
        if (Columns.Count == 0)
            throw new ArgumentException("A table needs at least one column.", nameof(columns));
        Rows = Columns[0].Rows;
        foreach (var column in Columns)
        {
            if (column.Rows != Rows)
                throw new ArgumentException($"Column '{column.Name}' has {column.Rows} rows, '{Columns[0].Name}' has {Rows}.", nameof(columns));
            if (!_byName.TryAdd(column.Name, column))
                throw new ArgumentException($"Two columns are named '{column.Name}'.", nameof(columns));
        }
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>The columns in file order.</summary>
    public IReadOnlyList<Column> Columns { get; }

    /// <summary>The column of that name (case matters).</summary>
    /// <exception cref="ArgumentException">There is none; the message lists those there are.</exception>
    public Column this[string name] => TryGet(name, out var column) ? column : throw Missing(name);

    /// <summary>Finds the column of that name (case matters).</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out Column? column) => _byName.TryGetValue(name, out column);

    /// <summary>The numbers of column <paramref name="name"/>, one a row, NaN for missing.</summary>
    /// <exception cref="ArgumentException">There is no such column, or it holds no numbers: the message names the first row that does not.</exception>
    public double[] Numbers(string name) => this[name] switch
    {
        NumberColumn number => number.Values,
        TimeColumn => throw new ArgumentException($"Column '{name}' holds times, not numbers."),
        var text => throw new ArgumentException(NotANumber(text)),
    };

    /// <summary>The instants of column <paramref name="name"/>, microseconds since 1970 in UTC.</summary>
    /// <exception cref="ArgumentException">There is no such column, or it holds no times.</exception>
    public long[] Times(string name) => this[name] is TimeColumn time
        ? time.Values : throw new ArgumentException($"Column '{name}' does not hold times (yyyy-MM-ddTHH:mm:ssZ).");

    /// <summary>The same rows with only <paramref name="names"/>, in that order.</summary>
    public Table Select(IEnumerable<string> names) => new(names.Select(name => this[name]));

    /// <summary>A copy of <paramref name="rows"/>, in that order.</summary>
    public Table Take(ReadOnlySpan<int> rows)
    {
        var taken = new Column[Columns.Count];
        for (var i = 0; i < taken.Length; i++)
            taken[i] = Columns[i].Take(rows);
        return new Table(taken);
    }

    /// <summary>This table with <paramref name="column"/> in place of the column of its name, or after the last.</summary>
    public Table With(Column column) => new(_byName.ContainsKey(column.Name)
        ? Columns.Select(old => old.Name == column.Name ? column : old)
        : Columns.Append(column));

    private ArgumentException Missing(string name)
    {
        var near = Columns.FirstOrDefault(column => string.Equals(column.Name, name, StringComparison.OrdinalIgnoreCase));
        var hint = near is null ? $"The columns are: {string.Join(", ", Columns.Select(column => column.Name))}." : $"Did you mean '{near.Name}'?";
        return new ArgumentException($"There is no column '{name}'. {hint}");
    }

    private static string NotANumber(Column text)
    {
        for (var row = 0; row < text.Rows; row++)
        {
            if (text.Text(row) is { } value && !CellText.TryNumber(System.Text.Encoding.UTF8.GetBytes(value), out _, out _))
                return $"Row {row + 1} of column '{text.Name}' does not hold a number.";
        }

        return $"Column '{text.Name}' holds text, not numbers.";
    }
}
