namespace Bulwark.Training;

/// <summary>A table is not the data set it was declared to be; the message names the column and, where there is one, the row.</summary>
public sealed class DatasetException : FormatException
{
    /// <param name="message">What is wrong; no cell's value, which may be personal.</param>
    /// <param name="column">The column's name, or null.</param>
    /// <param name="row">The table's row, from 1, or null.</param>
    public DatasetException(string message, string? column = null, int? row = null)
        : base(message) => (Column, Row) = (column, row);

    private readonly string? _fault;

    private DatasetException(string column, int row, string fault)
        : this($"Row {row} of column '{column}' {fault}.", column, row) => _fault = fault;

    /// <summary>The column's name, or null.</summary>
    public string? Column { get; }

    /// <summary>The table's row, from 1, or null.</summary>
    public int? Row { get; }

    internal static DatasetException AtCell(string column, int row, string fault) => new(column, row, fault);

    /// <summary>The same of the whole table, when the row was counted in a part of it.</summary>
    /// <param name="rows">The part's rows by their index in the table.</param>
    internal DatasetException InTable(int[] rows) => _fault is null ? this : new(Column!, rows[Row!.Value - 1] + 1, _fault);
}
