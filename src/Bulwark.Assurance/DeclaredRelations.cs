using Bulwark.Monitoring;

namespace Bulwark.Assurance;

/// <summary>The relations of an attacker's constraints as an input screen's, and back: one language says what rows can be sent and which are refused.</summary>
internal static class DeclaredRelations
{
    /// <summary>Relations and one-hot groups; types, bounds and prices are not the screen's.</summary>
    internal static IReadOnlyList<ScreenRelation> Of(TabularConstraints constraints) =>
    [
        .. constraints.OneHot.Select((group, i) => new ScreenRelation { Name = $"one-hot group {i + 1} ({group[0]}, …)", Rule = $"{string.Join(" + ", group.Select(Quoted))} = 1" }),
        .. constraints.Relations.Select(relation => new ScreenRelation { Name = relation.Name, Rule = relation.Rule }),
    ];

    /// <summary>A screen's relations as constraints.</summary>
    internal static TabularConstraints Constraints(IEnumerable<ScreenRelation> relations) => new()
    {
        Format = TabularConstraints.FormatName,
        Relations = [.. relations.Select(relation => new RelationRule { Name = relation.Name, Rule = relation.Rule })],
    };

    private static string Quoted(string name) => RuleText.Feature(name) ?? throw new InvalidDataException($"The feature '{name}' cannot stand in a rule: its name holds a backtick.");
}
