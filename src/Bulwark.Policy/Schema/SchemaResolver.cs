using Bulwark.Policy.Syntax;

namespace Bulwark.Policy.Schema;

/// <summary>Turns names into the types that they mean: common types before entity types, the own namespace before the empty one, built-ins last.</summary>
internal sealed class SchemaResolver
{
    private static readonly Dictionary<string, string> BuiltIns = new(StringComparer.Ordinal)
    {
        ["Bool"] = "bool",
        ["Boolean"] = "bool",
        ["Long"] = "long",
        ["String"] = "string",
        ["ipaddr"] = "ipaddr",
        ["decimal"] = "decimal",
        ["datetime"] = "datetime",
        ["duration"] = "duration",
    };

    private readonly string _source;
    private readonly Dictionary<string, (NamespaceSyntax Space, CommonTypeSyntax Type)> _common = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SchemaType> _resolved = new(StringComparer.Ordinal);
    private readonly HashSet<string> _underway = new(StringComparer.Ordinal);
    private readonly HashSet<string> _entities = new(StringComparer.Ordinal);

    private SchemaResolver(string source, IReadOnlyCollection<NamespaceSyntax> spaces)
    {
        _source = source;
        foreach (var space in spaces)
        {
            foreach (var entity in space.Entities)
                if (!_entities.Add(space.Qualify(entity.Name)))
                    throw Fault(entity.Position, $"the entity type {space.Qualify(entity.Name)} is declared twice.");
            foreach (var type in space.Types)
                if (!_common.TryAdd(space.Qualify(type.Name), (space, type)))
                    throw Fault(type.Position, $"the type {space.Qualify(type.Name)} is declared twice.");
        }
    }

    internal static (Dictionary<string, SchemaEntityType> Entities, Dictionary<EntityUid, SchemaAction> Actions) Resolve(string source)
    {
        var spaces = new SchemaParser(source).Parse();
        var resolver = new SchemaResolver(source, spaces);
        foreach (var name in resolver._common.Keys)
            resolver.Common(name);
        var entities = spaces.SelectMany(space => space.Entities.Select(entity => resolver.Entity(space, entity))).ToDictionary(type => type.Name, StringComparer.Ordinal);
        var actions = new Dictionary<EntityUid, SchemaAction>();
        foreach (var space in spaces)
            foreach (var syntax in space.Actions)
            {
                var action = resolver.Action(space, syntax);
                if (!actions.TryAdd(action.Uid, action))
                    throw resolver.Fault(syntax.Position, $"the action {action.Uid} is declared twice.");
            }

        foreach (var action in actions.Values)
            foreach (var group in action.Groups)
                if (!actions.ContainsKey(group))
                    throw new PolicySyntaxException($"the action {action.Uid} is in {group}, which is not declared.", 1, 1);
        return (entities, actions);
    }

    private SchemaEntityType Entity(NamespaceSyntax space, EntitySyntax syntax) => new(
        space.Qualify(syntax.Name),
        syntax.Parents.Select(parent => EntityName(space, parent)).ToHashSet(StringComparer.Ordinal),
        Record(space, syntax.Attributes),
        syntax.Tags is null ? null : Type(space, syntax.Tags),
        syntax.Ids?.ToHashSet(StringComparer.Ordinal));

    private SchemaAction Action(NamespaceSyntax space, ActionSyntax syntax) => new(
        new(space.Qualify("Action"), syntax.Id),
        [.. syntax.Groups.Select(group => new EntityUid(ActionType(space, group), group.Id))],
        syntax.Principals.Select(type => EntityName(space, type)).ToHashSet(StringComparer.Ordinal),
        syntax.Resources.Select(type => EntityName(space, type)).ToHashSet(StringComparer.Ordinal),
        Record(space, syntax.Context));

    private string ActionType(NamespaceSyntax space, ActionReference group) =>
        group.Type is null or "Action" ? space.Qualify("Action")
        : group.Type.EndsWith("::Action", StringComparison.Ordinal) ? group.Type
        : throw Fault(group.Position, $"{group.Type} is no action type.");

    private string EntityName(NamespaceSyntax space, NameSyntax name) =>
        Candidates(space, name.Path).FirstOrDefault(_entities.Contains) ?? throw Fault(name.Position, $"there is no entity type {name.Path}.");

    private RecordOf Record(NamespaceSyntax space, TypeSyntax? syntax) =>
        syntax is null ? RecordOf.Empty : Type(space, syntax) as RecordOf ?? throw Fault(syntax.Position, "a record is needed here.");

    private SchemaType Type(NamespaceSyntax space, TypeSyntax syntax) => syntax switch
    {
        SetSyntax set => new SetOf(Type(space, set.Element)),
        RecordSyntax record => new RecordOf(record.Attributes.ToDictionary(a => a.Name, a => new SchemaAttribute(Type(space, a.Type), a.Required), StringComparer.Ordinal)),
        NameSyntax name => Named(space, name),
        _ => throw Fault(syntax.Position, "no type."),
    };

    private SchemaType Named(NamespaceSyntax space, NameSyntax name)
    {
        foreach (var candidate in Candidates(space, name.Path))
        {
            if (_common.ContainsKey(candidate))
                return Common(candidate);
            if (_entities.Contains(candidate))
                return new EntityReference(candidate);
        }

        var builtIn = name.Path.StartsWith("__cedar::", StringComparison.Ordinal) ? name.Path["__cedar::".Length..] : name.Path;
        return BuiltIns.TryGetValue(builtIn, out var known) ? new NamedType(known) : throw Fault(name.Position, $"there is no type {name.Path}.");
    }

    private SchemaType Common(string name)
    {
        if (_resolved.TryGetValue(name, out var type))
            return type;
        var (space, syntax) = _common[name];
        if (!_underway.Add(name))
            throw Fault(syntax.Position, $"the type {name} is defined by itself.");
        type = Type(space, syntax.Type);
        _underway.Remove(name);
        return _resolved[name] = type;
    }

    private static IEnumerable<string> Candidates(NamespaceSyntax space, string path) =>
        space.Name.Length == 0 || path.Contains("::", StringComparison.Ordinal) ? [path] : [space.Qualify(path), path];

    private PolicySyntaxException Fault(int position, string message) => Lexer.Fault(_source, position, message);
}
