using System.Globalization;
using System.Numerics;
using Bulwark.Data;
using DuckDB.NET.Data;

namespace Bulwark.Queries;

/// <summary>One column of an answer while its rows come.</summary>
internal abstract class Cell(ColumnShape shape, int ordinal)
{
    internal ColumnShape Shape => shape;

    protected int Field => ordinal;

    internal abstract void Add(DuckDBDataReader reader);

    /// <summary>The cells since the last batch.</summary>
    internal abstract Column Take();

    /// <exception cref="TableFormatException">No table column holds the type.</exception>
    internal static Cell Of(DuckDBDataReader reader, int field)
    {
        var name = reader.GetName(field);
        var type = reader.GetFieldType(field);
        return type switch
        {
            _ when type == typeof(string) => new Texts(new(name, ColumnKind.Text), field, static (reader, field) => reader.GetString(field)),
            _ when type == typeof(Guid) => new Texts(new(name, ColumnKind.Text), field, static (reader, field) => reader.GetGuid(field).ToString()),
            _ when type == typeof(double) => Number(false, static (reader, field) => reader.GetDouble(field)),
            _ when type == typeof(float) => Number(false, static (reader, field) => reader.GetFloat(field)),
            _ when type == typeof(decimal) => Number(false, static (reader, field) => Exact(reader.GetDecimal(field))),
            _ when type == typeof(bool) => Number(true, static (reader, field) => reader.GetBoolean(field) ? 1 : 0),
            _ when type == typeof(int) => Number(true, static (reader, field) => reader.GetInt32(field)),
            _ when type == typeof(long) => Number(true, static (reader, field) => Exact((decimal)reader.GetInt64(field))),
            _ when type == typeof(BigInteger) => Number(true, static (reader, field) => Exact(reader.GetFieldValue<BigInteger>(field))),
            _ when type == typeof(short) || type == typeof(sbyte) || type == typeof(byte) || type == typeof(ushort) || type == typeof(uint) || type == typeof(ulong) =>
                Number(true, static (reader, field) => Exact(Convert.ToDecimal(reader.GetValue(field), CultureInfo.InvariantCulture))),
            _ when type == typeof(DateTime) || type == typeof(DateOnly) || type == typeof(DateTimeOffset) => new Times(new(name, ColumnKind.Time), field),
            _ => throw new TableFormatException($"Column '{name}' of the query's answer has the type {reader.GetDataTypeName(field)}, which no table column holds: cast it in the query, for example CAST({name} AS VARCHAR).", 0, name),
        };

        Cell Number(bool integral, Func<DuckDBDataReader, int, double> read) => new Numbers(new(name, ColumnKind.Number, integral), field, read);
    }

    private const decimal Limit = 1e15m;

    private static double Exact(decimal value) => Math.Abs(value) < Limit ? (double)value : throw new TableFormatException("The query's answer holds a number of more than 15 digits: cast its column to VARCHAR.");

    private static double Exact(BigInteger value) => BigInteger.Abs(value) < new BigInteger(Limit) ? (double)value : Exact(Limit);

    private sealed class Numbers(ColumnShape shape, int field, Func<DuckDBDataReader, int, double> read) : Cell(shape, field)
    {
        private readonly List<double> _values = [];

        internal override void Add(DuckDBDataReader reader)
        {
            var value = reader.IsDBNull(Field) ? double.NaN : read(reader, Field);
            _values.Add(double.IsInfinity(value) ? throw new TableFormatException($"A value of column '{Shape.Name}' is infinite.", 0, Shape.Name) : value);
        }

        internal override Column Take()
        {
            var column = new NumberColumn(Shape.Name, [.. _values], Shape.Integral);
            _values.Clear();
            return column;
        }
    }

    private sealed class Texts(ColumnShape shape, int field, Func<DuckDBDataReader, int, string> read) : Cell(shape, field)
    {
        private readonly List<string?> _values = [];

        internal override void Add(DuckDBDataReader reader) => _values.Add(reader.IsDBNull(Field) ? null : read(reader, Field));

        internal override Column Take()
        {
            var column = new TextColumn(Shape.Name, [.. _values]);
            _values.Clear();
            return column;
        }
    }

    private sealed class Times(ColumnShape shape, int field) : Cell(shape, field)
    {
        private readonly List<long> _values = [];

        internal override void Add(DuckDBDataReader reader) => _values.Add(reader.IsDBNull(Field) ? TimeColumn.Missing : reader.GetValue(Field) switch
        {
            DateTime time => (time.Ticks - DateTime.UnixEpoch.Ticks) / 10,
            DateTimeOffset time => (time.UtcTicks - DateTime.UnixEpoch.Ticks) / 10,
            DateOnly date => (date.ToDateTime(TimeOnly.MinValue).Ticks - DateTime.UnixEpoch.Ticks) / 10,
            _ => throw new TableFormatException($"A value of column '{Shape.Name}' is no instant.", 0, Shape.Name),
        });

        internal override Column Take()
        {
            var column = new TimeColumn(Shape.Name, [.. _values]);
            _values.Clear();
            return column;
        }
    }
}
