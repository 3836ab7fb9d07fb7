using System.Text;

namespace Bulwark.Data;

/// <summary>Columns back from their canonical texts.</summary>
internal static class CellKind
{
    /// <exception cref="FormatException">A text is no cell of that kind.</exception>
    internal static Column Restore(string name, string?[] texts, FieldFormat format) => format.Kind switch
    {
        ColumnKind.Number => new NumberColumn(name, Array.ConvertAll(texts, Number), format.Integral),
        ColumnKind.Time => new TimeColumn(name, Array.ConvertAll(texts, Time)),
        _ => new TextColumn(name, texts),
    };

    private static double Number(string? text) => text is null ? double.NaN
        : CellText.TryNumber(Encoding.UTF8.GetBytes(text), out var value, out _) ? value : throw new FormatException("A decrypted cell is no number.");

    private static long Time(string? text) => text is null ? TimeColumn.Missing
        : CellText.TryTime(Encoding.UTF8.GetBytes(text), out var value) ? value : throw new FormatException("A decrypted cell is no time.");
}
