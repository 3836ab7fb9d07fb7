namespace Bulwark.Data;

/// <summary>One column while a CSV file is read: takes the first value's kind and says when a later value does not fit it.</summary>
internal sealed class CsvColumn(string name, int index, ColumnKind? kind, bool declared, byte[] trimEnd)
{
    private readonly List<double> _numbers = [];
    private readonly List<long> _times = [];
    private readonly List<string?> _texts = [];
    private readonly Utf8Pool _pool = new();
    private bool _integral = true;
    private ColumnKind? _kind = kind;

    internal string Name => name;

    internal int Field => index;

    /// <summary>True when the caller said what the column holds.</summary>
    internal bool Declared => declared;

    internal ColumnKind? Kind => _kind;

    internal ColumnShape Shape => new(name, _kind ?? ColumnKind.Text, _kind == ColumnKind.Number && _integral);

    /// <summary>Adds a value that is not missing; false when it is not of the column's kind.</summary>
    internal bool TryAdd(ReadOnlySpan<byte> value)
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
                return AddText(value);
            default:
                return (TryAddNumber(value) && Settle(ColumnKind.Number))
                    || (TryAddTime(value) && Settle(ColumnKind.Time))
                    || (AddText(value) && Settle(ColumnKind.Text));
        }
    }

    /// <summary>Takes note of a value that is not missing and keeps nothing of it; false when a declared column does not hold its kind.</summary>
    internal bool TryNote(ReadOnlySpan<byte> value)
    {
        if (_kind == ColumnKind.Text)
            return true;
        if (trimEnd.Length > 0)
            value = value.TrimEnd(trimEnd);
        if (_kind is null or ColumnKind.Number && !value.IsEmpty && CellText.TryNumber(value, out _, out var integral))
        {
            _integral &= integral;
            return Settle(ColumnKind.Number);
        }

        if (_kind is null or ColumnKind.Time && CellText.TryTime(value, out _))
            return Settle(ColumnKind.Time);
        return !declared && Settle(ColumnKind.Text);
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

    /// <summary>An empty column of the same field whose kind is settled.</summary>
    internal CsvColumn As(ColumnKind settled) => new(name, index, settled, declared, trimEnd);

    internal Column Build() => Build(_integral);

    /// <summary>The rows since the last batch, and begins the next.</summary>
    internal Column TakeBatch(ColumnShape shape)
    {
        var batch = Build(shape.Integral);
        _numbers.Clear();
        _times.Clear();
        _texts.Clear();
        return batch;
    }

    private Column Build(bool integral) => _kind switch
    {
        ColumnKind.Number => new NumberColumn(name, [.. _numbers], integral),
        ColumnKind.Time => new TimeColumn(name, [.. _times]),
        _ => new TextColumn(name, [.. _texts]),
    };

    private bool Settle(ColumnKind kind)
    {
        _kind = kind;
        return true;
    }

    private bool AddText(ReadOnlySpan<byte> value)
    {
        _texts.Add(_pool.Get(value));
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
