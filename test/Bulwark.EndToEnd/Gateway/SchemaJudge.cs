using System.Text.Json;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>Holds an answer to the OpenAPI document that the gateway serves: status, media type, schema. Knows the keywords that the document uses, and fails on any other.</summary>
internal sealed class SchemaJudge(JsonElement document)
{
    private static readonly HashSet<string> Known = ["type", "properties", "required", "additionalProperties", "items", "anyOf", "$ref", "enum", "minimum", "maxLength", "minItems", "maxItems", "nullable", "format", "description"];

    /// <summary>What is wrong with an answer; null when the document foresees it.</summary>
    internal string? Fault(string path, string method, int status, string? mediaType, ReadOnlyMemory<byte> body)
    {
        if (!document.GetProperty("paths").TryGetProperty(path, out var item) || !item.TryGetProperty(method, out var operation))
            return $"{method} {path} is not in the document";
        if (!operation.GetProperty("responses").TryGetProperty($"{status}", out var response))
            return $"{method} {path} answers {status}, which the document does not foresee";
        if (!response.GetProperty("content").TryGetProperty(mediaType ?? "", out var content))
            return $"{method} {path} answers {status} as {mediaType}";
        if (mediaType != "application/json")
            return null;
        using var json = JsonDocument.Parse(body);
        return Fault(json.RootElement, content.GetProperty("schema"), "$");
    }

    private string? Fault(JsonElement value, JsonElement schema, string at)
    {
        foreach (var keyword in schema.EnumerateObject())
            if (!Known.Contains(keyword.Name))
                return $"{at}: this judge does not know the keyword {keyword.Name}";
        if (schema.TryGetProperty("$ref", out var reference))
            return Fault(value, document.GetProperty("components").GetProperty("schemas").GetProperty(reference.GetString()!.Split('/')[^1]), at);
        if (schema.TryGetProperty("anyOf", out var choices))
            return choices.EnumerateArray().Any(choice => Fault(value, choice, at) is null) ? null : $"{at}: none of the choices fits";
        if (value.ValueKind == JsonValueKind.Null && schema.TryGetProperty("nullable", out var nullable) && nullable.GetBoolean())
            return null;
        if (schema.TryGetProperty("type", out var type) && !IsOf(value, type.GetString()!))
            return $"{at}: {value.ValueKind} is no {type.GetString()}";
        if (schema.TryGetProperty("enum", out var words) && !words.EnumerateArray().Any(word => word.ValueEquals(value.GetString())))
            return $"{at}: {value} is none of the words";
        return value.ValueKind switch { JsonValueKind.Object => Members(value, schema, at), JsonValueKind.Array => Items(value, schema, at), _ => null };
    }

    private string? Members(JsonElement value, JsonElement schema, string at)
    {
        if (schema.TryGetProperty("required", out var required))
            foreach (var name in required.EnumerateArray())
                if (!value.TryGetProperty(name.GetString()!, out _))
                    return $"{at}: {name} is missing";
        foreach (var member in value.EnumerateObject())
        {
            var fault = schema.TryGetProperty("properties", out var properties) && properties.TryGetProperty(member.Name, out var known) ? Fault(member.Value, known, $"{at}.{member.Name}")
                : !schema.TryGetProperty("additionalProperties", out var others) ? null
                : others.ValueKind == JsonValueKind.Object ? Fault(member.Value, others, $"{at}.{member.Name}")
                : others.GetBoolean() ? null : $"{at}: {member.Name} is not in the schema";
            if (fault is not null)
                return fault;
        }

        return null;
    }

    private string? Items(JsonElement value, JsonElement schema, string at) =>
        schema.TryGetProperty("items", out var items) ? value.EnumerateArray().Select((item, i) => Fault(item, items, $"{at}[{i}]")).FirstOrDefault(fault => fault is not null) : null;

    private static bool IsOf(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        _ => false,
    };
}
