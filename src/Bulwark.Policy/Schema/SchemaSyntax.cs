namespace Bulwark.Policy.Schema;

/// <summary>What the text says, names not yet resolved. Positions are offsets in the source.</summary>
internal abstract record TypeSyntax(int Position);

internal sealed record NameSyntax(string Path, int Position) : TypeSyntax(Position);

internal sealed record SetSyntax(TypeSyntax Element, int Position) : TypeSyntax(Position);

internal sealed record RecordSyntax(IReadOnlyList<AttributeSyntax> Attributes, int Position) : TypeSyntax(Position);

internal sealed record AttributeSyntax(string Name, bool Required, TypeSyntax Type);

internal sealed record EntitySyntax(string Name, IReadOnlyList<NameSyntax> Parents, TypeSyntax? Attributes, TypeSyntax? Tags, IReadOnlyList<string>? Ids, int Position);

/// <summary>A group of an action: <paramref name="Type"/> is null where it is an action of the same namespace.</summary>
internal sealed record ActionReference(string? Type, string Id, int Position);

internal sealed record ActionSyntax(string Id, IReadOnlyList<ActionReference> Groups, IReadOnlyList<NameSyntax> Principals, IReadOnlyList<NameSyntax> Resources, TypeSyntax? Context, int Position);

internal sealed record CommonTypeSyntax(string Name, TypeSyntax Type, int Position);

/// <summary>One namespace; the empty name is that of declarations outside any.</summary>
internal sealed class NamespaceSyntax(string name)
{
    internal string Name => name;
    internal List<EntitySyntax> Entities { get; } = [];
    internal List<ActionSyntax> Actions { get; } = [];
    internal List<CommonTypeSyntax> Types { get; } = [];

    internal string Qualify(string id) => name.Length == 0 ? id : $"{name}::{id}";
}
