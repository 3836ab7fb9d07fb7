using System.Globalization;

namespace Bulwark.Monitoring;

/// <summary>Writes parts of rules, as docs/formats/constraints.md says.</summary>
internal static class RuleText
{
    private static readonly string[] s_words = ["and", "or", "not", "in", "within"];

    /// <summary>Null for a name that no rule can hold.</summary>
    internal static string? Feature(string name)
    {
        if (name.Contains('`', StringComparison.Ordinal))
            return null;
        var plain = name.Length > 0 && !char.IsDigit(name[0]) && name[0] != '.' && name.All(c => char.IsLetterOrDigit(c) || c is '_' or '.') && !s_words.Contains(name, StringComparer.Ordinal);
        return plain ? name : $"`{name}`";
    }

    internal static string Number(double value) => value.ToString("G7", CultureInfo.InvariantCulture);
}
