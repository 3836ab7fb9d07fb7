namespace Bulwark.Data;

/// <summary>One step of protecting or revealing a table that passes in batches, for tables larger than memory.</summary>
/// <remarks>
/// Called by one thread, in row order; it may keep state from batch to batch. Every batch of one table has the same columns, and so
/// must every answer: the same names, kinds and order. A step that fails throws, and nothing is written.
/// </remarks>
public interface IBatchTransform : IDisposable
{
    /// <summary>Replaces, adds or drops columns of one batch; never rows.</summary>
    /// <param name="batch">Some rows of the table; left as it is.</param>
    /// <param name="firstRow">The number of the batch's first row in the table, from 0.</param>
    /// <returns>A table of as many rows.</returns>
    /// <exception cref="ArgumentException">A cell does not fit the action; the message names row and column, never the value.</exception>
    Table Apply(Table batch, long firstRow);
}
