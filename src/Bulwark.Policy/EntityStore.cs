namespace Bulwark.Policy;

/// <summary>The entities that a decision may look at, with the hierarchy closed. Immutable and thread-safe.</summary>
public sealed class EntityStore
{
    private static readonly HashSet<EntityUid> None = [];
    private readonly Dictionary<EntityUid, Entity> _entities = [];
    private readonly Dictionary<EntityUid, HashSet<EntityUid>> _ancestors = [];

    /// <param name="entities">Each entity once; a parent need not be among them.</param>
    /// <exception cref="ArgumentException">An entity is given twice, or the hierarchy has a cycle.</exception>
    public EntityStore(params IEnumerable<Entity> entities)
    {
        ArgumentNullException.ThrowIfNull(entities);
        foreach (var entity in entities)
            if (!_entities.TryAdd(entity.Uid, entity))
                throw new ArgumentException($"The entity {entity.Uid} is given twice.", nameof(entities));
        Close();
    }

    /// <summary>The store without entities.</summary>
    public static EntityStore Empty { get; } = new();

    /// <summary>The entities.</summary>
    public IReadOnlyCollection<Entity> Entities => _entities.Values;

    /// <summary>Reads a JSON array of entities in Cedar's form.</summary>
    /// <param name="json">Objects with <c>uid</c>, <c>attrs</c>, <c>parents</c> and optional <c>tags</c>.</param>
    /// <exception cref="FormatException">The text is no such array, or two entities or a cycle disagree; the message says where.</exception>
    public static EntityStore Parse(string json) => Json.CedarJson.ReadEntities(json);

    internal bool TryGet(EntityUid uid, out Entity entity) => _entities.TryGetValue(uid, out entity!);

    /// <summary>Everything above an entity.</summary>
    internal HashSet<EntityUid> AncestorsOf(EntityUid entity) => _ancestors.GetValueOrDefault(entity, None);

    internal bool IsIn(EntityUid entity, EntityUid group) =>
        entity.Equals(group) || _ancestors.GetValueOrDefault(entity, None).Contains(group);

    /// <summary>Every ancestor of every entity; children first waits on parents, without recursion.</summary>
    private void Close()
    {
        foreach (var entity in _entities.Values)
        {
            if (entity.Parents.Count == 0)
                continue;
            var ancestors = new HashSet<EntityUid>();
            var open = new Stack<EntityUid>(entity.Parents);
            while (open.TryPop(out var next))
            {
                if (next.Equals(entity.Uid))
                    throw new ArgumentException($"The entity {entity.Uid} is its own ancestor.");
                if (!ancestors.Add(next))
                    continue;
                if (_ancestors.TryGetValue(next, out var known))
                    ancestors.UnionWith(known);
                else if (_entities.TryGetValue(next, out var parent))
                    foreach (var above in parent.Parents)
                        open.Push(above);
            }

            if (ancestors.Contains(entity.Uid))
                throw new ArgumentException($"The entity {entity.Uid} is its own ancestor.");
            _ancestors.Add(entity.Uid, ancestors);
        }
    }
}
