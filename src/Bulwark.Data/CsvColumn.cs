using System.Text;

namespace Bulwark.Data;

/// <summary>One column while a CSV file is read: takes the first value's kind and says when a later value does not fit it.</summary>
internal sealed class CsvColumn(string name, int index, ColumnKind? kind, bool declared, byte[] trimEnd)
{
    private readonly List<double> _numbers = [];
    private readonly List<long> _times = [];
    private readonly List<string?> _texts = [];
    private bool _integral = true;
    private ColumnKind? _kind = kind;

    internal string Name => name;

    internal int Field => index;

    /// <summary>True when the caller said what the column holds.</summary>
    internal bool Declared => declared;

    internal ColumnKind? Kind => _kind;

    /// <summary>Adds a value that is not missing; false when it is not of the column's kind.</summary>
    internal bool TryAdd(ReadOnlySpan<byte> value, CsvHelper.CsvReader reader)
    {
        if (trimEnd.Length > 0)
            value = value.TrimEnd(trimEnd);
        switch (_kind)
        {
            case ColumnKind.Number:
                return TryAddNumber(value);
            case ColumnKind.Time:
                return TryAddTime(value);
            case ColumnKind.Text:
                return AddText(value, reader);
            default:
                return (TryAddNumber(value) && Settle(ColumnKind.Number))
                    || (TryAddTime(value) && Settle(ColumnKind.Time))
                    || (AddText(value, reader) && Settle(ColumnKind.Text));
        }
    }

    internal void AddMissing()
    {
        if (_kind is null or ColumnKind.Number)
            _numbers.Add(double.NaN);
        if (_kind is null or ColumnKind.Time)
            _times.Add(TimeColumn.Missing);
        if (_kind is null or ColumnKind.Text)
            _texts.Add(null);
    }

    internal Column Build() => _kind switch
    {
        ColumnKind.Number => new NumberColumn(name, [.. _numbers], _integral),
        ColumnKind.Time => new TimeColumn(name, [.. _times]),
        _ => new TextColumn(name, [.. _texts]),
    };

    private bool Settle(ColumnKind kind)
    {
        _kind = kind;
        return true;
    }

    private bool AddText(ReadOnlySpan<byte> value, CsvHelper.CsvReader reader)
    {
        _texts.Add(trimEnd.Length > 0 ? string.Intern(Encoding.UTF8.GetString(value)) : reader.GetString(index));
        return true;
    }

    private bool TryAddNumber(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || !CellText.TryNumber(value, out var number, out var integral))
            return false;
        _integral &= integral;
        _numbers.Add(number);
        return true;
    }

    private bool TryAddTime(ReadOnlySpan<byte> value)
    {
        if (!CellText.TryTime(value, out var time))
            return false;
        _times.Add(time);
        return true;
    }
}
