using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bulwark.Deployment;

/// <summary>A place in a manifest and what stands there. Reading is for a checker: a value of the wrong type never counts as the safe one.</summary>
internal readonly record struct ManifestNode(JsonNode? Value, string Path)
{
    /// <summary>Absent and <c>null</c> are the same in Kubernetes.</summary>
    internal bool IsAbsent => Value is null;

    internal string Text => Value switch
    {
        null => "",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => Value.ToJsonString(),
    };

    /// <summary>False when absent or <c>false</c>; anything else, of whatever type, is dangerous.</summary>
    internal bool MayBeTrue => Value is not null && Value.GetValueKind() != JsonValueKind.False;

    /// <summary>True only for the boolean itself.</summary>
    internal bool IsTrue => Value?.GetValueKind() == JsonValueKind.True;

    /// <summary>True only for the boolean itself.</summary>
    internal bool IsFalse => Value?.GetValueKind() == JsonValueKind.False;

    /// <summary>False when absent or the number 0; anything else is not zero.</summary>
    internal bool MayBeNonZero => Value is not null && !IsZero;

    internal bool IsZero => Value is JsonValue value && value.GetValueKind() == JsonValueKind.Number && double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture) == 0;

    internal ManifestNode this[string member] =>
        new(Value is JsonObject members && members.TryGetPropertyValue(member, out var value) ? value : null, Path.Length == 0 ? member : $"{Path}.{member}");

    /// <summary>The elements of a list; none when it is no list.</summary>
    internal IEnumerable<ManifestNode> Elements
    {
        get
        {
            if (Value is not JsonArray list)
                yield break;
            for (var i = 0; i < list.Count; i++)
                yield return new(list[i], $"{Path}[{i}]");
        }
    }

    /// <summary>The members that are not null; none when it is no mapping.</summary>
    internal IEnumerable<(string Name, ManifestNode Node)> Members
    {
        get
        {
            if (Value is not JsonObject members)
                yield break;
            foreach (var (name, value) in members)
            {
                if (value is not null)
                    yield return (name, new(value, Path.Length == 0 ? name : name.Contains('.') ? $"{Path}['{name}']" : $"{Path}.{name}"));
            }
        }
    }
}
