namespace Bulwark.Training;

/// <summary>A table is not the data set it was declared to be; the message names the column and, where there is one, the row.</summary>
public sealed class DatasetException : FormatException
{
    /// <param name="message">What is wrong; no cell's value, which may be personal.</param>
    /// <param name="column">The column's name, or null.</param>
    /// <param name="row">The table's row, from 1, or null.</param>
    public DatasetException(string message, string? column = null, int? row = null)
        : base(message) => (Column, Row) = (column, row);

    /// <summary>The column's name, or null.</summary>
    public string? Column { get; }

    /// <summary>The table's row, from 1, or null.</summary>
    public int? Row { get; }
}
