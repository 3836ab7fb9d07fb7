using System.Text.Json;

namespace Bulwark.Server;

/// <summary>JSON objects of tokens and keys: no member twice, no comment, no trailing comma, shallow, valid UTF-8.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = true, MaxDepth = 16 };

    internal enum Fault { None, Malformed, DuplicateMember }

    internal static Fault TryReadObject(ReadOnlyMemory<byte> utf8, out JsonElement json)
    {
        json = default;
        try
        {
            using var document = JsonDocument.Parse(utf8, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return Fault.Malformed;
            if (HasDuplicates(document.RootElement))
                return Fault.DuplicateMember;
            json = document.RootElement.Clone();
            return Fault.None;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return Fault.Malformed;
        }
    }

    /// <summary>The text of a member; null when absent or no string.</summary>
    internal static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;

    private static bool HasDuplicates(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => !json.EnumerateObject().Select(member => member.Name).ToHashSet(StringComparer.Ordinal).Count.Equals(json.GetPropertyCount())
            || json.EnumerateObject().Any(member => HasDuplicates(member.Value)),
        JsonValueKind.Array => json.EnumerateArray().Any(HasDuplicates),
        JsonValueKind.String => json.GetString() is null,   // reads it: half a surrogate pair throws
        _ => false,
    };
}
