namespace Bulwark.Data;

/// <summary>Texts in which what is found of personal and payment data is replaced by its kind.</summary>
internal sealed class MaskStep(string name) : FieldStep(name)
{
    private long _masked, _values;

    internal override Column Apply(Column column, FieldRows rows)
    {
        if (column is not TextColumn)
            throw new ArgumentException($"Column '{Name}' holds no text, so there is nothing to mask in it.");
        var cells = new DistinctCells(column);
        var masked = cells.Values.Select(text => TextMask.Apply(text)).ToArray();
        _values += masked.Length;
        _masked += masked.Where((text, i) => text != cells.Values[i]).Count();
        return new TextColumn(Name, cells.Cells(masked));
    }

    internal override IEnumerable<string> Notes()
    {
        yield return $"Column '{Name}': something was masked in {_masked:N0} of {_values:N0} texts. What has no format, such as most names, is not found; encrypt the column where that matters.";
    }
}
