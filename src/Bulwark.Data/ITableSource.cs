namespace Bulwark.Data;

/// <summary>What is known of a column before its rows pass.</summary>
/// <param name="Name">The column's name.</param>
/// <param name="Kind">What its cells hold.</param>
/// <param name="Integral">For numbers: whether every value is a whole number of at most 15 digits.</param>
public sealed record ColumnShape(string Name, ColumnKind Kind, bool Integral = false)
{
    internal Column Empty() => Kind switch
    {
        ColumnKind.Number => new NumberColumn(Name, [], Integral),
        ColumnKind.Time => new TimeColumn(Name, []),
        _ => new TextColumn(Name, []),
    };
}

/// <summary>A table that passes once in batches of rows: a file or a query's answer, however large.</summary>
public interface ITableSource : IDisposable
{
    /// <summary>What the rows come from, for messages.</summary>
    string Name { get; }

    /// <summary>The columns in order; every batch has exactly these.</summary>
    IReadOnlyList<ColumnShape> Columns { get; }

    /// <summary>The part of the source that has been read, 0 to 1; 0 when that cannot be told.</summary>
    double Fraction { get; }

    /// <summary>The rows in order; every batch but the last has a multiple of <see cref="DatasetCommitment.BlockRows"/> of them. May be called once.</summary>
    /// <exception cref="TableFormatException">The source does not hold such a table.</exception>
    IEnumerable<Table> Batches(CancellationToken cancel);
}
