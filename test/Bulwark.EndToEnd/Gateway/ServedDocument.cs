using System.Text.Json.Nodes;
using NJsonSchema;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>The served OpenAPI document as a foreign judge reads it: NJsonSchema holds every request and every answer to its schemas.</summary>
internal sealed class ServedDocument
{
    private readonly JsonObject _document;
    private readonly Dictionary<string, JsonSchema> _schemas = new(StringComparer.Ordinal);

    private ServedDocument(JsonObject document) => _document = document;

    internal static async Task<ServedDocument> ReadAsync(string json)
    {
        var document = new ServedDocument(JsonNode.Parse(json)!.AsObject());
        foreach (var (path, item) in document._document["paths"]!.AsObject())
            foreach (var (method, operation) in item!.AsObject().Where(member => member.Key != "parameters"))
            {
                if (operation!["requestBody"] is { } request)
                    await document.AddAsync($"{method} {path} request", request["content"]!.AsObject());
                foreach (var (status, answer) in operation["responses"]!.AsObject())
                    await document.AddAsync($"{method} {path} {status}", answer!["content"]!.AsObject());
            }

        return document;
    }

    /// <summary>What a message breaks; null when the document foresees it.</summary>
    /// <param name="what">As <c>post /v2/models/{model}/infer 200</c>, or <c>request</c> for the status.</param>
    /// <param name="mediaType">Its media type.</param>
    /// <param name="body">Its bytes as text.</param>
    internal string? Fault(string what, string? mediaType, string body)
    {
        if (!_schemas.TryGetValue($"{what} {mediaType}", out var schema))
            return $"The document does not foresee {what} as {mediaType}.";
        if (mediaType != "application/json")
            return null;
        return schema.Validate(body) is { Count: > 0 } errors ? $"{what}: {string.Join("; ", errors)}" : null;
    }

    /// <summary>The path of the document that an address is of; null when it is none.</summary>
    internal string? PathOf(string address)
    {
        var parts = address.TrimStart('/').Split('/');
        return _document["paths"]!.AsObject().Select(path => path.Key).OrderByDescending(path => !path.Contains('{', StringComparison.Ordinal)).FirstOrDefault(path =>
        {
            var pattern = path.TrimStart('/').Split('/');
            return pattern.Length == parts.Length && pattern.Zip(parts).All(pair => pair.First[0] == '{' || pair.First == pair.Second);
        });
    }

    /// <summary>Each schema stands alone, with the document's components as definitions beside it.</summary>
    private async Task AddAsync(string what, JsonObject content)
    {
        foreach (var (mediaType, form) in content)
        {
            var schema = new JsonObject { ["allOf"] = new JsonArray(form!["schema"]!.DeepClone()), ["definitions"] = _document["components"]!["schemas"]!.DeepClone() };
            Nullable(schema);
            _schemas.Add($"{what} {mediaType}", await JsonSchema.FromJsonAsync(schema.ToJsonString().Replace("#/components/schemas/", "#/definitions/", StringComparison.Ordinal), GatewayWorld.Cancel));
        }
    }

    /// <summary>OpenAPI 3.0 says nullable where JSON Schema names the type null.</summary>
    private static void Nullable(JsonNode? node)
    {
        if (node is JsonArray items)
        {
            foreach (var item in items)
                Nullable(item);
        }
        else if (node is JsonObject members)
        {
            if (members.Remove("nullable"))
                members["type"] = new JsonArray(members["type"]!.DeepClone(), "null");
            foreach (var (_, member) in members)
                Nullable(member);
        }
    }
}
