namespace Bulwark.Policy;

/// <summary>The name of an entity: its type and its id, written <c>Type::"id"</c>. Also a value that policies compare.</summary>
public sealed class EntityUid : CedarValue, IEquatable<EntityUid>
{
    private readonly int _hash;

    /// <param name="type">The type's path, parts joined by <c>::</c>, such as <c>Bank::Client</c>; identifiers of letters, digits and <c>_</c>.</param>
    /// <param name="id">Any text, also empty.</param>
    /// <exception cref="ArgumentException"><paramref name="type"/> is no path.</exception>
    public EntityUid(string type, string id)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(id);
        if (!Syntax.Names.IsPath(type))
            throw new ArgumentException($"'{type}' is no entity type: identifiers joined by '::' are.", nameof(type));
        Type = type;
        Id = id;
        _hash = HashCode.Combine(type, id);
    }

    /// <summary>The type's path.</summary>
    public string Type { get; }

    /// <summary>The id within the type.</summary>
    public string Id { get; }

    internal override string TypeName => "entity";

    /// <summary>Reads <c>Type::"id"</c>.</summary>
    /// <exception cref="FormatException">The text is no such name.</exception>
    public static EntityUid Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var reader = new Syntax.TokenReader(text);
        var uid = new Syntax.ExpressionParser(reader).Entity();
        return reader.Current.Kind == Syntax.TokenKind.End ? uid : throw reader.Fault("an entity's name ends with its id.");
    }

    /// <inheritdoc/>
    public bool Equals(EntityUid? other) =>
        ReferenceEquals(this, other) || (other is not null && _hash == other._hash && Id == other.Id && Type == other.Type);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as EntityUid);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <inheritdoc/>
    public override string ToString() => $"{Type}::{CedarString.Quote(Id)}";
}
