using System.Collections.Frozen;
using System.Text;

namespace Bulwark.Policy;

/// <summary>A value of the Cedar language. Immutable; equality is by value and never fails across types.</summary>
/// <remarks>Source: the Cedar policy language reference, "Data types"; Cutler et al., "Cedar", OOPSLA 2024, section 3.</remarks>
public abstract class CedarValue
{
    private protected CedarValue()
    {
    }

    /// <summary>The type's name as error messages say it.</summary>
    internal abstract string TypeName { get; }

    /// <summary>A boolean as a value.</summary>
    public static implicit operator CedarValue(bool value) => CedarBoolean.Of(value);

    /// <summary>A whole number as a value.</summary>
    public static implicit operator CedarValue(long value) => new CedarLong(value);

    /// <summary>A text as a value.</summary>
    public static implicit operator CedarValue(string value) => new CedarString(value);
}

/// <summary>True or false.</summary>
public sealed class CedarBoolean : CedarValue
{
    /// <summary>True.</summary>
    public static readonly CedarBoolean True = new(true);

    /// <summary>False.</summary>
    public static readonly CedarBoolean False = new(false);

    private CedarBoolean(bool value) => Value = value;

    /// <summary>The truth value.</summary>
    public bool Value { get; }

    internal override string TypeName => "bool";

    /// <summary>One of the two shared instances.</summary>
    public static CedarBoolean Of(bool value) => value ? True : False;

    /// <inheritdoc/>
    public override string ToString() => Value ? "true" : "false";
}

/// <summary>A signed 64-bit whole number; arithmetic that overflows is an evaluation error.</summary>
/// <param name="value">Any.</param>
public sealed class CedarLong(long value) : CedarValue
{
    /// <summary>The number.</summary>
    public long Value { get; } = value;

    internal override string TypeName => "long";

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CedarLong other && Value == other.Value;

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}

/// <summary>A text, compared by code points.</summary>
public sealed class CedarString : CedarValue
{
    /// <param name="value">Any text.</param>
    public CedarString(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Value = value;
    }

    /// <summary>The text.</summary>
    public string Value { get; }

    internal override string TypeName => "string";

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CedarString other && Value == other.Value;

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Quote(Value);

    internal static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
            _ = c switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\0' => quoted.Append("\\0"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                < ' ' or '\x7f' => quoted.Append($"\\u{{{(int)c:x}}}"),
                _ => quoted.Append(c),
            };
        return quoted.Append('"').ToString();
    }
}

/// <summary>A set: no order, no duplicates, types may mix.</summary>
public sealed class CedarSet : CedarValue
{
    private readonly HashSet<CedarValue> _items;
    private readonly int _hash;

    /// <param name="items">The members; duplicates count once.</param>
    public CedarSet(IEnumerable<CedarValue> items)
    {
        _items = [.. items];
        foreach (var item in _items)
            _hash ^= HashCode.Combine('s', item);
    }

    /// <summary>The members, in no promised order.</summary>
    public IReadOnlyCollection<CedarValue> Items => _items;

    internal override string TypeName => "set";

    internal bool Contains(CedarValue item) => _items.Contains(item);

    internal bool ContainsAll(CedarSet other) => _items.IsSupersetOf(other._items);

    internal bool ContainsAny(CedarSet other) => _items.Overlaps(other._items);

    /// <inheritdoc/>
    public override bool Equals(object? obj) =>
        ReferenceEquals(this, obj) || (obj is CedarSet other && _hash == other._hash && _items.SetEquals(other._items));

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", _items)}]";
}

/// <summary>A record: values by name. The context of a request is one.</summary>
public sealed class CedarRecord : CedarValue
{
    private readonly FrozenDictionary<string, CedarValue> _members;
    private readonly int _hash;

    /// <param name="members">The members; a name given twice is a fault.</param>
    /// <exception cref="ArgumentException">A name is given twice.</exception>
    public CedarRecord(IEnumerable<KeyValuePair<string, CedarValue>> members)
    {
        _members = new Dictionary<string, CedarValue>(members, StringComparer.Ordinal).ToFrozenDictionary(StringComparer.Ordinal);
        foreach (var (name, value) in _members)
            _hash ^= HashCode.Combine(name, value);
    }

    /// <summary>The record without members.</summary>
    public static CedarRecord Empty { get; } = new(Array.Empty<KeyValuePair<string, CedarValue>>());

    /// <summary>The members by name.</summary>
    public IReadOnlyDictionary<string, CedarValue> Members => _members;

    internal override string TypeName => "record";

    /// <summary>A record of the members given.</summary>
    /// <exception cref="ArgumentException">A name is given twice.</exception>
    public static CedarRecord Of(params IEnumerable<(string Name, CedarValue Value)> members) =>
        new(members.Select(member => KeyValuePair.Create(member.Name, member.Value)));

    /// <summary>Reads a JSON object in Cedar's form: <c>__entity</c> and <c>__extn</c> escapes, no null, whole numbers only.</summary>
    /// <exception cref="FormatException">The text is no such object; the message says where.</exception>
    public static CedarRecord Parse(string json) => Json.CedarJson.ReadRecordText(json);

    internal bool TryGet(string name, out CedarValue value) => _members.TryGetValue(name, out value!);

    /// <inheritdoc/>
    public override bool Equals(object? obj) =>
        ReferenceEquals(this, obj) || (obj is CedarRecord other && _hash == other._hash && _members.Count == other._members.Count
            && _members.All(member => other._members.TryGetValue(member.Key, out var value) && member.Value.Equals(value)));

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{{{string.Join(", ", _members.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => $"{CedarString.Quote(m.Key)}: {m.Value}"))}}}";
}
