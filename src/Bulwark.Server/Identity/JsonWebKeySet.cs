using System.Text;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>The keys that tokens may be signed with (RFC 7517, section 5). One bad key refuses the whole set.</summary>
public sealed class JsonWebKeySet : IEquatable<JsonWebKeySet>
{
    /// <param name="keys">At least one; no <c>kid</c> twice; symmetric and asymmetric keys do not mix.</param>
    /// <exception cref="FormatException">The keys break one of these rules.</exception>
    public JsonWebKeySet(params IReadOnlyList<JsonWebKey> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (keys.Count == 0)
            throw new FormatException("A key set needs a key.");
        if (keys.Count > 1 && (keys.Any(key => key.Id is null) || keys.DistinctBy(key => key.Id).Count() != keys.Count))
            throw new FormatException("Every key of a set needs its own kid.");
        if (keys.DistinctBy(key => key.KeyType == "oct").Count() != 1)
            throw new FormatException("Symmetric and public keys in one set invite algorithm confusion.");
        Keys = keys;
    }

    /// <summary>The keys.</summary>
    public IReadOnlyList<JsonWebKey> Keys { get; }

    /// <summary>True when both hold the same keys under the same names for the same algorithms, in any order.</summary>
    public bool Equals(JsonWebKeySet? other) => other is not null && Names().SetEquals(other.Names());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as JsonWebKeySet);

    /// <inheritdoc/>
    public override int GetHashCode() => Keys.Count;

    /// <summary>Reads <c>{"keys":[…]}</c>.</summary>
    /// <exception cref="FormatException">The set or one of its keys is refused; the message says why.</exception>
    public static JsonWebKeySet Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (StrictJson.TryReadObject(Encoding.UTF8.GetBytes(json), out var set) != StrictJson.Fault.None
            || !set.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
            throw new FormatException("A key set is a JSON object with an array 'keys', no member twice.");
        return new([.. keys.EnumerateArray().Select(JsonWebKey.Read)]);
    }

    private HashSet<(string? Id, string? Algorithm, string Thumbprint)> Names() => [.. Keys.Select(key => (key.Id, key.Algorithm, key.Thumbprint()))];

    /// <summary>The key that a header names; without a name, the only key there is.</summary>
    internal JsonWebKey? Find(string? id) =>
        id is null ? Keys.Count == 1 ? Keys[0] : null : Keys.FirstOrDefault(key => key.Id == id);
}
