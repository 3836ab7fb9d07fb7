using Tomlyn;
using Tomlyn.Model;
using Tomlyn.Parsing;

namespace Bulwark.Deployment;

/// <summary>Reads the TOML of initdata and of Gramine's manifests by Tomlyn, within bounds: these documents come from anywhere. Dates are refused: neither form has any.</summary>
/// <remarks>Values are <see cref="string"/>, <see cref="long"/>, <see cref="double"/>, <see cref="bool"/>, <see cref="List{T}"/> and <see cref="Dictionary{TKey, TValue}"/> of objects.</remarks>
internal static class Toml
{
    /// <summary>The longest text that is read, in characters: a manifest that lists 20,000 files by digest has 3 million.</summary>
    internal const int LongestText = 4 << 20;

    private const int DeepestNesting = 32;
    private static readonly TomlSerializerOptions s_options = new() { MaxDepth = DeepestNesting, DuplicateKeyHandling = TomlDuplicateKeyHandling.Error };

    /// <exception cref="FormatException">The text is no such TOML; the message names the line.</exception>
    internal static Dictionary<string, object> Parse(string text)
    {
        if (text.Length > LongestText)
            throw new FormatException($"At most {LongestText:N0} characters are read.");
        try
        {
            SyntaxParser.ParseStrict(text, s_options, sourceName: null, validate: true);   // the deserializer alone takes keys and tables that are said twice
            return Table(TomlSerializer.Deserialize<TomlTable>(text, s_options) ?? [], DeepestNesting);
        }
        catch (TomlException failure)
        {
            throw new FormatException($"Line {failure.Line ?? 1}: {failure.Message}", failure);
        }
    }

    private static Dictionary<string, object> Table(TomlTable table, int depth) =>
        table.ToDictionary(entry => entry.Key, entry => Value(entry.Key, entry.Value, depth), StringComparer.Ordinal);

    private static object Value(string key, object? value, int depth) => value switch
    {
        _ when depth == 0 => throw new FormatException($"'{key}' lies too deep: at most {DeepestNesting} levels are read."),
        string or long or double or bool => value,
        TomlTable table => Table(table, depth - 1),
        TomlTableArray tables => tables.Select(one => Value(key, one, depth - 1)).ToList(),
        TomlArray list => list.Select(one => Value(key, one, depth - 1)).ToList(),
        _ => throw new FormatException($"'{key}' is a date: no document of this kind has one."),
    };
}
