using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Replaces the values of one column, batch after batch, or turns them back.</summary>
/// <param name="name">The column that it makes.</param>
internal abstract class FieldStep(string name) : IDisposable
{
    internal string Name => name;

    /// <exception cref="ArgumentException">A cell does not fit; the message names row and column, never the value.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A cell does not open.</exception>
    internal abstract Column Apply(Column column, FieldRows rows);

    /// <summary>What is wrong with the column as a whole, once all rows passed.</summary>
    internal virtual IEnumerable<string> Faults() => [];

    /// <summary>What the owner should know of the column as a whole, once all rows passed.</summary>
    internal virtual IEnumerable<string> Notes() => [];

    public void Dispose() => Release();

    /// <summary>Wipes the keys.</summary>
    protected virtual void Release()
    {
    }

    protected ArgumentException Misfit(FieldRows rows, int row, string what) => new($"Row {rows.First + row + 1} of column '{name}' {what}.");

    protected System.Security.Cryptography.CryptographicException Shut(FieldRows rows, int row) =>
        new($"Row {rows.First + row + 1} of column '{name}' does not open: it was changed, moved from another place, or is another key's.");
}

/// <summary>What a step may know of a batch beside its column.</summary>
/// <param name="First">The number of the batch's first row in the table, from 0.</param>
/// <param name="RowKey">The column that names the rows; null when there is none.</param>
/// <param name="Subjects">The token of each row's subject; null when rows are nobody's.</param>
/// <param name="SubjectKey">A subject's key by its token; null when it was erased.</param>
internal sealed record FieldRows(long First, Column? RowKey = null, string?[]? Subjects = null, Func<string, SecretBytes?>? SubjectKey = null);

/// <summary>The different texts of a column, each once, so that each is replaced once a batch.</summary>
internal sealed class DistinctCells
{
    private readonly int[] _of;

    /// <param name="column">The column.</param>
    /// <param name="normal">What to replace in place of a text; given the row and the text.</param>
    internal DistinctCells(Column column, Func<int, string, string>? normal = null)
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var values = new List<string>();
        _of = new int[column.Rows];
        for (var row = 0; row < _of.Length; row++)
        {
            if (column.Text(row) is not { } text)
            {
                _of[row] = -1;
                continue;
            }

            var value = normal is null ? text : normal(row, text);
            if (numbers.TryGetValue(value, out _of[row]))
                continue;
            numbers.Add(value, _of[row] = values.Count);
            values.Add(value);
        }

        Values = [.. values];
    }

    internal string[] Values { get; }

    /// <summary>The first row that holds value <paramref name="number"/>.</summary>
    internal int RowOf(int number) => Array.IndexOf(_of, number);

    /// <summary>The column with each value replaced.</summary>
    internal string?[] Cells(string?[] replaced) => Array.ConvertAll(_of, number => number < 0 ? null : replaced[number]);
}
