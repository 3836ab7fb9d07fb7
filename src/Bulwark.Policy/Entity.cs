namespace Bulwark.Policy;

/// <summary>What is known of one entity: its attributes, its direct parents, its tags.</summary>
public sealed class Entity
{
    /// <param name="uid">Its name.</param>
    /// <param name="attributes">Its attributes; none when null.</param>
    /// <param name="parents">The groups that it is directly in.</param>
    /// <param name="tags">Its tags; none when null.</param>
    public Entity(EntityUid uid, CedarRecord? attributes = null, IEnumerable<EntityUid>? parents = null, CedarRecord? tags = null)
    {
        ArgumentNullException.ThrowIfNull(uid);
        Uid = uid;
        Attributes = attributes ?? CedarRecord.Empty;
        Parents = parents is null ? [] : [.. parents];
        Tags = tags ?? CedarRecord.Empty;
    }

    /// <summary>Its name.</summary>
    public EntityUid Uid { get; }

    /// <summary>Its attributes.</summary>
    public CedarRecord Attributes { get; }

    /// <summary>The groups that it is directly in.</summary>
    public IReadOnlyCollection<EntityUid> Parents { get; }

    /// <summary>Its tags: attributes whose names are data.</summary>
    public CedarRecord Tags { get; }
}
