using System.Globalization;
using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Reads one flat column of a Parquet file piece by piece, whatever number, text or time type it was written in.</summary>
internal sealed class ParquetColumn : IDisposable
{
    private const int LargestPiece = 4096;   // values on their way from the native reader: they stay in the cache

    private readonly ParquetFileReader _file;
    private readonly int _field;
    private readonly string _name;
    private readonly string _fileName;
    private readonly Func<int, Column> _next;
    private IDisposable? _values;
    private Func<bool> _atEnd = () => true;

    /// <exception cref="TableFormatException">The column's type is one that no table column holds.</exception>
    internal ParquetColumn(ParquetFileReader file, int field, string name, string fileName)
    {
        (_file, _field, _name, _fileName) = (file, field, name, fileName);
        (Shape, _next) = Understood(Bind);
    }

    internal ColumnShape Shape { get; }

    /// <summary>True when every value was read.</summary>
    internal bool AtEnd => _atEnd();

    /// <summary>The next <paramref name="rows"/> cells.</summary>
    /// <exception cref="TableFormatException">The column has fewer.</exception>
    internal Column Next(int rows) => Understood(() => _next(rows));

    public void Dispose() => _values?.Dispose();

    /// <summary>Parquet's reader meets types and values that no writer makes with whatever exception comes first.</summary>
    private T Understood<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is ArgumentException or OverflowException or NotSupportedException or InvalidCastException 
            || fault.GetType() == typeof(Exception))   // the library's own, where the schema lies of a column
        {
            throw new TableFormatException($"{_fileName}: column '{_name}' does not hold what its type says: {fault.Message}", 0, _name, fault);
        }
    }

    private (ColumnShape, Func<int, Column>) Bind()
    {
        var descriptor = _file.FileMetaData.Schema.Column(_field);
        var type = descriptor.GetSystemTypes(LogicalTypeFactory.Default, null).Item2;
        var value = Nullable.GetUnderlyingType(type) ?? type;
        var missing = value != type;
        return value switch
        {
            _ when value == typeof(string) => Texts<string?>(text => text),
            _ when value == typeof(byte[]) && descriptor.PhysicalType == PhysicalType.ByteArray => Texts<byte[]?>(bytes => bytes is null ? null : System.Text.Encoding.UTF8.GetString(bytes)),
            _ when value == typeof(bool) => Numbers<bool>(missing, flag => flag ? 1 : 0),
            _ when value == typeof(sbyte) => Numbers<sbyte>(missing, number => number),
            _ when value == typeof(short) => Numbers<short>(missing, number => number),
            _ when value == typeof(int) => Numbers<int>(missing, number => number),
            _ when value == typeof(long) => Integers<long>(missing, number => number),
            _ when value == typeof(byte) => Numbers<byte>(missing, number => number),
            _ when value == typeof(ushort) => Numbers<ushort>(missing, number => number),
            _ when value == typeof(uint) => Numbers<uint>(missing, number => number),
            _ when value == typeof(ulong) => Integers<ulong>(missing, number => number),
            _ when value == typeof(float) => Numbers<float>(missing, number => number, integral: false),
            _ when value == typeof(double) => Numbers<double>(missing, number => number, integral: false),
            _ when value == typeof(decimal) => Numbers<decimal>(missing, number => (double)number, integral: false),
            _ when value == typeof(DateTime) => Times<DateTime>(missing, time => (time.Ticks - DateTime.UnixEpoch.Ticks) / 10),
            _ when value == typeof(DateTimeNanos) => Times<DateTimeNanos>(missing, time => time.Ticks / 1000),
            _ when value == typeof(Date) => Times<Date>(missing, date => date.Days * TimeColumn.Day),
            _ => throw new TableFormatException($"{_fileName}: column '{_name}' has type {descriptor.LogicalType.Type}/{descriptor.PhysicalType}, which no table column can hold; write it as a number, text or time.", 0, _name),
        };
    }

    private (ColumnShape, Func<int, Column>) Texts<T>(Func<T, string?> convert)
    {
        var next = Values(convert);
        return (new(_name, ColumnKind.Text), rows => new TextColumn(_name, next(rows)));
    }

    private (ColumnShape, Func<int, Column>) Numbers<T>(bool missing, Func<T, double> convert, bool integral = true)
        where T : struct
    {
        var next = Values(missing, convert, double.NaN);
        return (new(_name, ColumnKind.Number, integral), rows =>
        {
            var values = next(rows);
            if (!integral && values.AsSpan().ContainsAny(double.PositiveInfinity, double.NegativeInfinity))
                throw new TableFormatException($"{_fileName}: a value of column '{_name}' is infinite.", 0, _name);
            return new NumberColumn(_name, values, integral);
        }
        );
    }

    /// <summary>64-bit integers: numbers when 15 digits hold them all, identifiers (text) otherwise, as from CSV.</summary>
    private (ColumnShape, Func<int, Column>) Integers<T>(bool missing, Func<T, double> convert)
        where T : unmanaged, IFormattable
    {
        if (AllBelowLimit(missing, convert))
        {
            var (shape, numbers) = Numbers(missing, convert);
            return (shape, rows => numbers(rows) is NumberColumn column && !Array.Exists(column.Values, value => Math.Abs(value) >= CellText.IntegralLimit)
                ? column
                : throw new TableFormatException($"{_fileName}: column '{_name}' holds a number beyond its stated range.", 0, _name));
        }

        var next = Values<T, string?>(missing, value => value.ToString(null, CultureInfo.InvariantCulture), null);
        return (new(_name, ColumnKind.Text), rows => new TextColumn(_name, next(rows)));
    }

    /// <summary>By the row groups' statistics, or by reading those that have none.</summary>
    private bool AllBelowLimit<T>(bool missing, Func<T, double> convert)
        where T : unmanaged, IFormattable
    {
        for (var i = 0; i < _file.FileMetaData.NumRowGroups; i++)
        {
            using var group = _file.RowGroup(i);
            using var statistics = group.MetaData.GetColumnChunkMetaData(_field).Statistics;
            var (low, high) = statistics is Statistics<long> { HasMinMax: true } stated
                ? typeof(T) == typeof(long) ? ((double)stated.Min, stated.Max) : (unchecked((ulong)stated.Min), unchecked((ulong)stated.Max))
                : Range(i, missing, convert);
            if (low <= -CellText.IntegralLimit || high >= CellText.IntegralLimit)
                return false;
        }

        return true;
    }

    private (double Low, double High) Range<T>(int group, bool missing, Func<T, double> convert)
        where T : struct => missing
            ? Range<T?>(group, value => value is { } present ? convert(present) : 0)
            : Range(group, convert);

    private (double Low, double High) Range<T>(int group, Func<T, double> convert)
    {
        using var run = new ParquetRun<T>(_file, _field, group, group + 1);
        var (low, high) = (0.0, 0.0);
        var batch = new T[8192];
        for (int read; (read = run.Read(batch)) > 0;)
        {
            for (var i = 0; i < read; i++)
                (low, high) = (Math.Min(low, convert(batch[i])), Math.Max(high, convert(batch[i])));
        }

        return (low, high);
    }

    private (ColumnShape, Func<int, Column>) Times<T>(bool missing, Func<T, long> convert)
        where T : struct
    {
        var next = Values(missing, convert, TimeColumn.Missing);
        return (new(_name, ColumnKind.Time), rows => new TimeColumn(_name, next(rows)));
    }

    private Func<int, TTo[]> Values<TFrom, TTo>(bool missing, Func<TFrom, TTo> convert, TTo none)
        where TFrom : struct => missing
            ? Values<TFrom?, TTo>(value => value is { } present ? convert(present) : none)
            : Values(convert);

    private Func<int, TTo[]> Values<TFrom, TTo>(Func<TFrom, TTo> convert)
    {
        var run = new ParquetRun<TFrom>(_file, _field, 0, _file.FileMetaData.NumRowGroups);
        (_values, _atEnd) = (run, () => run.AtEnd);
        var buffer = Array.Empty<TFrom>();
        return rows =>
        {
            var values = new TTo[rows];
            if (buffer.Length < Math.Min(rows, LargestPiece))
                buffer = new TFrom[Math.Min(rows, LargestPiece)];
            for (var at = 0; at < rows;)
            {
                var read = run.Read(buffer.AsSpan(0, Math.Min(buffer.Length, rows - at)));
                if (read == 0)
                    throw new TableFormatException($"{_fileName}: column '{_name}' has fewer values than the file has rows.", 0, _name);
                for (var k = 0; k < read; k++)
                    values[at++] = convert(buffer[k]);
            }

            return values;
        };
    }
}
