namespace Bulwark.Data;

/// <summary>Tells whether a column has so few different values that their frequencies alone tell most of them apart, whatever replaces them.</summary>
internal sealed class FewValues
{
    internal const int Enough = 100;
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    /// <summary>Looks at replaced values, which are equal where the values were.</summary>
    internal void Add(IEnumerable<string> replaced)
    {
        foreach (var value in replaced)
        {
            if (_seen.Count >= Enough)
                return;
            _seen.Add(value);
        }
    }

    /// <summary>What the owner should know, once all rows passed.</summary>
    internal IEnumerable<string> Notes(string column, string replacements) => NoteOf(_seen.Count, column, replacements);

    internal static IEnumerable<string> NoteOf(long values, string column, string replacements)
    {
        if (values is > 0 and < Enough)
            yield return $"Column '{column}' has only {values} different values: whoever knows how frequent they are can tell the {replacements} apart. encryptValue hides that.";
    }
}
