using System.Globalization;
using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Reads one flat column of a Parquet file, whatever number, text or time type it was written in.</summary>
internal sealed class ParquetColumn(ParquetFileReader file, int field, string column, string fileName, int rows, CancellationToken cancel)
{
    internal Column Read()
    {
        var descriptor = file.FileMetaData.Schema.Column(field);
        var type = descriptor.GetSystemTypes(LogicalTypeFactory.Default, null).Item2;
        var value = Nullable.GetUnderlyingType(type) ?? type;
        var missing = value != type;
        return value switch
        {
            _ when value == typeof(string) => new TextColumn(column, Fill<string?, string?>(text => text)),
            _ when value == typeof(byte[]) && descriptor.PhysicalType == PhysicalType.ByteArray => new TextColumn(column, Fill<byte[]?, string?>(Utf8)),
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
            _ => throw new TableFormatException($"{fileName}: column '{column}' has type {descriptor.LogicalType.Type}/{descriptor.PhysicalType}, which no table column can hold; write it as a number, text or time.", 0, column),
        };
    }

    private NumberColumn Numbers<T>(bool missing, Func<T, double> convert, bool integral = true)
        where T : struct
    {
        var values = Values(missing, convert, double.NaN);
        if (!integral && values.AsSpan().ContainsAny(double.PositiveInfinity, double.NegativeInfinity))
            throw new TableFormatException($"{fileName}: row {Array.FindIndex(values, double.IsInfinity) + 1} of column '{column}' is infinite.", 0, column);
        return new NumberColumn(column, values, integral);
    }

    /// <summary>64-bit integers: numbers when 15 digits hold them all, identifiers (text) otherwise, as from CSV.</summary>
    private Column Integers<T>(bool missing, Func<T, double> convert)
        where T : struct, IFormattable
    {
        var values = Values(missing, convert, double.NaN);
        return values.Any(value => Math.Abs(value) >= CellText.IntegralLimit)
            ? new TextColumn(column, Values<T, string?>(missing, value => value.ToString(null, CultureInfo.InvariantCulture), null))
            : new NumberColumn(column, values, integral: true);
    }

    private TimeColumn Times<T>(bool missing, Func<T, long> convert)
        where T : struct => new(column, Values(missing, convert, TimeColumn.Missing));

    private TTo[] Values<TFrom, TTo>(bool missing, Func<TFrom, TTo> convert, TTo none)
        where TFrom : struct => missing
            ? Fill<TFrom?, TTo>(value => value is { } present ? convert(present) : none)
            : Fill(convert);

    private TTo[] Fill<TFrom, TTo>(Func<TFrom, TTo> convert)
    {
        var values = new TTo[rows];
        var batch = new TFrom[Math.Min(rows, 1 << 16)];
        var at = 0;
        for (var i = 0; i < file.FileMetaData.NumRowGroups; i++)
        {
            cancel.ThrowIfCancellationRequested();
            using var group = file.RowGroup(i);
            using var reader = group.Column(field).LogicalReader<TFrom>();
            while (reader.HasNext)
            {
                var read = reader.ReadBatch(batch.AsSpan(0, Math.Min(batch.Length, rows - at)));
                if (read == 0)
                    throw new TableFormatException($"{fileName}: column '{column}' holds more values than the file has rows.", 0, column);
                for (var k = 0; k < read; k++)
                    values[at++] = convert(batch[k]);
            }
        }

        return at == rows ? values : throw new TableFormatException($"{fileName}: column '{column}' holds {at} values, the file has {rows} rows.", 0, column);
    }

    private string? Utf8(byte[]? bytes) => bytes is null ? null : System.Text.Encoding.UTF8.GetString(bytes);
}
