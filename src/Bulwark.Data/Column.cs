using System.Text;

namespace Bulwark.Data;

/// <summary>What the cells of a column hold.</summary>
public enum ColumnKind
{
    /// <summary>Finite numbers; see <see cref="NumberColumn"/>.</summary>
    Number,

    /// <summary>Text; see <see cref="TextColumn"/>.</summary>
    Text,

    /// <summary>Instants in UTC; see <see cref="TimeColumn"/>.</summary>
    Time,
}

/// <summary>One named column of a <see cref="Table"/>. A cell holds a value or is missing.</summary>
/// <remarks>The arrays of the subclasses are the column's own memory, not copies: whoever changes them changes the table.</remarks>
public abstract class Column
{
    private protected Column(string name) => Name = name is { Length: > 0 }
        ? name : throw new ArgumentException("A column needs a name.", nameof(name));

    /// <summary>The name, not empty, as the file gives it.</summary>
    public string Name { get; }

    /// <summary>What the cells hold.</summary>
    public abstract ColumnKind Kind { get; }

    /// <summary>Number of cells.</summary>
    public abstract int Rows { get; }

    /// <summary>True when the cell of <paramref name="row"/> holds no value.</summary>
    public abstract bool IsMissing(int row);

    /// <summary>The same cells under another name; shares memory with this column.</summary>
    public abstract Column Renamed(string name);

    /// <summary>A copy of the cells of <paramref name="rows"/>, in that order.</summary>
    public abstract Column Take(ReadOnlySpan<int> rows);

    /// <summary>The cell's canonical text (see <see cref="CellText"/>), or null when missing.</summary>
    public abstract string? Text(int row);

    /// <summary>The cell's canonical text in UTF-8, valid until <paramref name="buffer"/> is used again; empty when missing.</summary>
    internal abstract ReadOnlySpan<byte> Utf8(int row, ref byte[] buffer);

    private protected static T[] Take<T>(T[] values, ReadOnlySpan<int> rows)
    {
        var taken = new T[rows.Length];
        for (var i = 0; i < taken.Length; i++)
            taken[i] = values[rows[i]];
        return taken;
    }
}

/// <summary>A column of finite numbers; <see cref="double.NaN"/> stands for a missing one.</summary>
/// <param name="name">The column's name.</param>
/// <param name="values">One value a row; NaN is missing. Used as given, not copied.</param>
/// <param name="integral">True when every value is a whole number of at most 15 digits; such a column is written as 64-bit integers.</param>
public sealed class NumberColumn(string name, double[] values, bool integral = false) : Column(name)
{
    /// <summary>One value a row; NaN is missing.</summary>
    public double[] Values { get; } = values;

    /// <summary>True when every value is a whole number of at most 15 digits.</summary>
    public bool Integral { get; } = integral;

    /// <inheritdoc/>
    public override ColumnKind Kind => ColumnKind.Number;

    /// <inheritdoc/>
    public override int Rows => Values.Length;

    /// <inheritdoc/>
    public override bool IsMissing(int row) => double.IsNaN(Values[row]);

    /// <inheritdoc/>
    public override Column Renamed(string name) => new NumberColumn(name, Values, Integral);

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows) => new NumberColumn(Name, Take(Values, rows), Integral);

    /// <inheritdoc/>
    public override string? Text(int row) => IsMissing(row) ? null : CellText.Number(Values[row]);

    internal override ReadOnlySpan<byte> Utf8(int row, ref byte[] buffer) => CellText.Number(Values[row], buffer);
}

/// <summary>A column of text; null stands for a missing one.</summary>
/// <param name="name">The column's name.</param>
/// <param name="values">One value a row; null is missing. Used as given, not copied. Equal strings may be one object.</param>
public sealed class TextColumn(string name, string?[] values) : Column(name)
{
    /// <summary>One value a row; null is missing.</summary>
    public string?[] Values { get; } = values;

    /// <inheritdoc/>
    public override ColumnKind Kind => ColumnKind.Text;

    /// <inheritdoc/>
    public override int Rows => Values.Length;

    /// <inheritdoc/>
    public override bool IsMissing(int row) => string.IsNullOrEmpty(Values[row]);

    /// <inheritdoc/>
    public override Column Renamed(string name) => new TextColumn(name, Values);

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows) => new TextColumn(Name, Take(Values, rows));

    /// <inheritdoc/>
    public override string? Text(int row) => IsMissing(row) ? null : Values[row];

    internal override ReadOnlySpan<byte> Utf8(int row, ref byte[] buffer)
    {
        var value = Values[row];
        if (string.IsNullOrEmpty(value))
            return default;
        if (buffer.Length < value.Length * 3)
            buffer = new byte[value.Length * 3];
        return buffer.AsSpan(0, Encoding.UTF8.GetBytes(value, buffer));
    }
}

/// <summary>A column of instants; <see cref="Missing"/> stands for a missing one.</summary>
/// <param name="name">The column's name.</param>
/// <param name="values">Microseconds since 1970-01-01T00:00:00Z, one a row. Used as given, not copied.</param>
public sealed class TimeColumn(string name, long[] values) : Column(name)
{
    /// <summary>The value of a missing cell.</summary>
    public const long Missing = long.MinValue;

    /// <summary>Microseconds in a second.</summary>
    public const long Second = 1_000_000;

    /// <summary>Microseconds in a day.</summary>
    public const long Day = 86_400 * Second;

    /// <summary>Microseconds since 1970-01-01T00:00:00Z, one a row; <see cref="Missing"/> where there is none.</summary>
    public long[] Values { get; } = values;

    /// <inheritdoc/>
    public override ColumnKind Kind => ColumnKind.Time;

    /// <inheritdoc/>
    public override int Rows => Values.Length;

    /// <inheritdoc/>
    public override bool IsMissing(int row) => Values[row] == Missing;

    /// <inheritdoc/>
    public override Column Renamed(string name) => new TimeColumn(name, Values);

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows) => new TimeColumn(Name, Take(Values, rows));

    /// <inheritdoc/>
    public override string? Text(int row)
    {
        var buffer = new byte[CellText.FixedBytes];
        return IsMissing(row) ? null : Encoding.ASCII.GetString(Utf8(row, ref buffer));
    }

    internal override ReadOnlySpan<byte> Utf8(int row, ref byte[] buffer) => CellText.Time(Values[row], buffer);
}
