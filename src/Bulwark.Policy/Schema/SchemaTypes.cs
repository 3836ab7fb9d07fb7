namespace Bulwark.Policy.Schema;

/// <summary>The type of a value, with every name resolved.</summary>
internal abstract record SchemaType;

/// <summary>bool, long, string, or an extension type, by the name that values give themselves.</summary>
internal sealed record NamedType(string Name) : SchemaType;

internal sealed record EntityReference(string Type) : SchemaType;

internal sealed record SetOf(SchemaType Element) : SchemaType;

internal sealed record RecordOf(IReadOnlyDictionary<string, SchemaAttribute> Attributes) : SchemaType
{
    internal static RecordOf Empty { get; } = new(new Dictionary<string, SchemaAttribute>());
}

internal sealed record SchemaAttribute(SchemaType Type, bool Required);

/// <summary>A declared entity type. <paramref name="Ids"/> is null unless the type is an enumeration.</summary>
internal sealed record SchemaEntityType(string Name, IReadOnlySet<string> Parents, RecordOf Attributes, SchemaType? Tags, IReadOnlySet<string>? Ids);

/// <summary>A declared action; its groups, and what it may be asked of.</summary>
internal sealed record SchemaAction(EntityUid Uid, IReadOnlyList<EntityUid> Groups, IReadOnlySet<string> Principals, IReadOnlySet<string> Resources, RecordOf Context);
