namespace Bulwark.Data;

/// <summary>A file does not hold the table it should: the message names the file, the line and the column.</summary>
public sealed class TableFormatException : FormatException
{
    /// <param name="message">What is wrong, with line and column.</param>
    /// <param name="line">The line of the file, from 1; 0 when the fault has none.</param>
    /// <param name="column">The column's name, or null.</param>
    /// <param name="inner">What found the fault.</param>
    public TableFormatException(string message, long line = 0, string? column = null, Exception? inner = null)
        : base(message, inner) => (Line, Column) = (line, column);

    /// <summary>The line of the file, from 1; 0 when the fault has none.</summary>
    public long Line { get; }

    /// <summary>The column's name, or null.</summary>
    public string? Column { get; }
}
