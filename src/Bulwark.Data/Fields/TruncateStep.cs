namespace Bulwark.Data;

/// <summary>The first and last characters of a value, the rest hidden; the whole of it where fewer than four would be.</summary>
internal sealed class TruncateStep(string name, int keepFirst, int keepLast) : FieldStep(name)
{
    private const int LeastHidden = 4;
    private const char Hidden = '*';

    internal override Column Apply(Column column, FieldRows rows)
    {
        var cells = new DistinctCells(column);
        return new TextColumn(Name, cells.Cells([.. cells.Values.Select(Truncate)]));
    }

    /// <summary>Only letters and digits count, so that grouping neither shows nor hides one more.</summary>
    private string Truncate(string text)
    {
        var count = text.Count(char.IsLetterOrDigit);
        var whole = count - keepFirst - keepLast < LeastHidden;
        var place = 0;
        return string.Concat(text.Select(c =>
        {
            if (!char.IsLetterOrDigit(c))
                return char.IsSurrogate(c) || whole ? Hidden : c;
            var shown = !whole && (place < keepFirst || place >= count - keepLast);
            place++;
            return shown ? c : Hidden;
        }));
    }
}
