namespace Bulwark.Policy.Schema;

/// <summary>A boolean that is known before any request: what makes <c>&amp;&amp;</c>, <c>||</c> and <c>if</c> skip a side.</summary>
internal sealed record KnownBoolean(bool Value) : SchemaType;

/// <summary>An expression does not fit the schema.</summary>
internal sealed class TypeFaultException(string message) : Exception(message);

/// <summary>How types relate under strict validation.</summary>
/// <remarks>Source: the Cedar language reference, "Policy validation"; Cutler et al., OOPSLA 2024, section 4.2 (strict mode).</remarks>
internal static class TypeLattice
{
    internal static readonly SchemaType Boolean = new NamedType("bool");
    internal static readonly SchemaType Long = new NamedType("long");
    internal static readonly SchemaType Text = new NamedType("string");

    internal static bool IsBoolean(SchemaType type) => type is KnownBoolean || type == Boolean;

    /// <summary>The type of either of two values; null when strict validation lets no value be both.</summary>
    internal static SchemaType? Join(SchemaType a, SchemaType b) => (a, b) switch
    {
        (KnownBoolean x, KnownBoolean y) => x == y ? x : Boolean,
        _ when IsBoolean(a) && IsBoolean(b) => Boolean,
        (SetOf x, SetOf y) => Join(x.Element, y.Element) is { } element ? new SetOf(element) : null,
        (RecordOf x, RecordOf y) => JoinRecords(x, y),
        _ => a == b ? a : null,
    };

    /// <summary>No value of one equals a value of the other: different entity types.</summary>
    internal static bool AreDisjoint(SchemaType a, SchemaType b) => a is EntityReference x && b is EntityReference y && x.Type != y.Type;

    internal static string Describe(SchemaType type) => type switch
    {
        KnownBoolean known => known.Value ? "true" : "false",
        NamedType named => named.Name,
        EntityReference entity => entity.Type,
        SetOf set => $"set of {Describe(set.Element)}",
        _ => "record",
    };

    private static RecordOf? JoinRecords(RecordOf a, RecordOf b)
    {
        if (a.Attributes.Count != b.Attributes.Count)
            return null;
        var joined = new Dictionary<string, SchemaAttribute>(StringComparer.Ordinal);
        foreach (var (name, mine) in a.Attributes)
        {
            if (!b.Attributes.TryGetValue(name, out var other) || mine.Required != other.Required || Join(mine.Type, other.Type) is not { } type)
                return null;
            joined.Add(name, new(type, mine.Required));
        }

        return new(joined);
    }
}
