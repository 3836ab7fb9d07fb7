using Bulwark.Policy.Json;
using Bulwark.Policy.Schema;

namespace Bulwark.Policy;

/// <summary>Which entities and actions there are, and what they look like. Immutable and thread-safe.</summary>
public sealed class CedarSchema
{
    private readonly Dictionary<string, SchemaEntityType> _entities;
    private readonly Dictionary<EntityUid, SchemaAction> _actions;

    private CedarSchema(Dictionary<string, SchemaEntityType> entities, Dictionary<EntityUid, SchemaAction> actions)
    {
        _entities = entities;
        _actions = actions;
    }

    /// <summary>The names of the entity types.</summary>
    public IReadOnlyCollection<string> EntityTypes => _entities.Keys;

    /// <summary>The actions.</summary>
    public IReadOnlyCollection<EntityUid> Actions => _actions.Keys;

    /// <summary>Reads a schema in Cedar's syntax.</summary>
    /// <exception cref="PolicySyntaxException">The text does not parse or a name means nothing; the exception says where.</exception>
    public static CedarSchema Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (entities, actions) = SchemaResolver.Resolve(text);
        return new(entities, actions);
    }

    /// <summary>Reads entities as the schema types them: references and extension values may be written short. Adds the schema's actions.</summary>
    /// <exception cref="FormatException">The entities do not parse or do not fit the schema; the message says where.</exception>
    public EntityStore ParseEntities(string json) => CedarJson.ReadEntities(json, this);

    /// <summary>Reads a request's context as the schema types it for an action.</summary>
    /// <exception cref="FormatException">The action is not declared, or the context does not fit it.</exception>
    public CedarRecord ParseContext(EntityUid action, string json)
    {
        ArgumentNullException.ThrowIfNull(action);
        return _actions.TryGetValue(action, out var known)
            ? CedarJson.ReadRecordText(json, known.Context) : throw new FormatException($"The schema has no action {action}.");
    }

    /// <summary>What does not fit the schema in a request; empty when it fits.</summary>
    public IEnumerable<string> RequestFaults(AuthorizationRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!_actions.TryGetValue(request.Action, out var action))
        {
            yield return $"The schema has no action {request.Action}.";
            yield break;
        }

        if (!action.Principals.Contains(request.Principal.Type))
            yield return $"{request.Action} does not apply to principals of type {request.Principal.Type}.";
        if (!action.Resources.Contains(request.Resource.Type))
            yield return $"{request.Action} does not apply to resources of type {request.Resource.Type}.";
        foreach (var uid in (EntityUid[])[request.Principal, request.Resource])
            if (_entities.GetValueOrDefault(uid.Type) is { Ids: { } ids } && !ids.Contains(uid.Id))
                yield return $"{uid} is not in its enumeration.";
    }

    /// <summary>What does not fit the schema in policies, by strict validation; empty when nothing can go wrong in them but arithmetic overflow and entities that are absent.</summary>
    /// <param name="policies">The policies; a template's slots stand for any entity that fits.</param>
    public IReadOnlyList<PolicyError> PolicyFaults(PolicySet policies)
    {
        ArgumentNullException.ThrowIfNull(policies);
        var validator = new PolicyValidator(this);
        return [.. policies.Policies.SelectMany(policy => validator.Faults(policy).Select(fault => new PolicyError(policy.Id, fault)))];
    }

    internal static bool IsActionType(string type) => type == "Action" || type.EndsWith("::Action", StringComparison.Ordinal);

    /// <summary>True when the action is the group or within it, by the schema's own hierarchy.</summary>
    internal bool IsActionIn(EntityUid action, EntityUid group)
    {
        var seen = new HashSet<EntityUid>();
        var open = new Stack<EntityUid>([action]);
        while (open.TryPop(out var next))
        {
            if (next.Equals(group))
                return true;
            if (seen.Add(next) && _actions.TryGetValue(next, out var known))
                foreach (var above in known.Groups)
                    open.Push(above);
        }

        return false;
    }

    /// <summary>True when the schema lets an entity of one type be one of the other, or within one.</summary>
    internal bool MayBeIn(string type, string group)
    {
        if (type == group)
            return true;
        if (IsActionType(type))
            return _actions.Keys.Any(action => action.Type == type && _actions.Keys.Any(above => above.Type == group && IsActionIn(action, above)));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([type]);
        while (open.TryPop(out var next))
        {
            if (next == group)
                return true;
            if (seen.Add(next) && _entities.TryGetValue(next, out var known))
                foreach (var above in known.Parents)
                    open.Push(above);
        }

        return false;
    }

    internal SchemaEntityType? EntityType(string name) => _entities.GetValueOrDefault(name);

    internal SchemaAction? Action(EntityUid uid) => _actions.GetValueOrDefault(uid);

    internal IEnumerable<SchemaAction> AllActions => _actions.Values;
}
