using System.Text.Json;
using Bulwark.Policy.Evaluation;

namespace Bulwark.Policy.Json;

/// <summary>Values and entities in Cedar's JSON form.</summary>
internal static class CedarJson
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    internal static CedarRecord ReadRecordText(string json) => Guard(json, root => ReadRecord(root, "the record"));

    internal static EntityStore ReadEntities(string json) => Guard(json, root =>
    {
        if (root.ValueKind != JsonValueKind.Array)
            throw new FormatException("Entities are a JSON array.");
        try
        {
            return new EntityStore(root.EnumerateArray().Select(ReadEntity));
        }
        catch (ArgumentException fault)
        {
            throw new FormatException(fault.Message, fault);
        }
    });

    private static T Guard<T>(string json, Func<JsonElement, T> read)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            return read(document.RootElement);
        }
        catch (JsonException fault)
        {
            throw new FormatException($"This is no JSON that can be read: {fault.Message}", fault);
        }
    }

    private static Entity ReadEntity(JsonElement json)
    {
        Require(json, JsonValueKind.Object, "an entity");
        foreach (var member in json.EnumerateObject())
            if (member.Name is not ("uid" or "attrs" or "parents" or "tags"))
                throw new FormatException($"An entity has no member '{member.Name}'; uid, attrs, parents and tags it has.");
        var uid = ReadUid(Member(json, "uid", "an entity"), "an entity's uid");
        var attributes = Member(json, "attrs", uid.ToString());
        var parents = Member(json, "parents", uid.ToString());
        Require(parents, JsonValueKind.Array, $"the parents of {uid}");
        var tags = json.TryGetProperty("tags", out var found) ? ReadRecord(found, $"the tags of {uid}") : null;
        return new(uid, ReadRecord(attributes, $"the attributes of {uid}"), parents.EnumerateArray().Select(parent => ReadUid(parent, $"a parent of {uid}")), tags);
    }

    internal static EntityUid ReadUid(JsonElement json, string where)
    {
        Require(json, JsonValueKind.Object, where);
        if (json.TryGetProperty("__entity", out var inner) && json.GetPropertyCount() == 1)
            return ReadUid(inner, where);
        if (json.GetPropertyCount() != 2)
            throw new FormatException($"{where} must hold type and id only.");
        var type = Text(Member(json, "type", where), where);
        var id = Text(Member(json, "id", where), where);
        return Syntax.Names.IsPath(type) ? new(type, id) : throw new FormatException($"{where}: '{type}' is no entity type.");
    }

    private static CedarRecord ReadRecord(JsonElement json, string where)
    {
        Require(json, JsonValueKind.Object, where);
        return new(json.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, ReadValue(member.Value, $"{where}, {member.Name}"))));
    }

    private static CedarValue ReadValue(JsonElement json, string where) => json.ValueKind switch
    {
        JsonValueKind.True => CedarBoolean.True,
        JsonValueKind.False => CedarBoolean.False,
        JsonValueKind.String => new CedarString(Text(json, where)),
        JsonValueKind.Number => json.TryGetInt64(out var number) ? new CedarLong(number) : throw new FormatException($"{where}: {json.GetRawText()} is no 64-bit whole number."),
        JsonValueKind.Array => new CedarSet(json.EnumerateArray().Select(item => ReadValue(item, where))),
        JsonValueKind.Object => ReadObject(json, where),
        _ => throw new FormatException($"{where} must not be null."),
    };

    private static CedarValue ReadObject(JsonElement json, string where)
    {
        if (json.GetPropertyCount() == 1 && json.TryGetProperty("__entity", out var entity))
            return ReadUid(entity, where);
        if (json.GetPropertyCount() == 1 && json.TryGetProperty("__extn", out var extension))
            return ReadExtension(extension, where);
        foreach (var name in (string[])["__entity", "__extn", "__expr"])
            if (json.TryGetProperty(name, out _))
                throw new FormatException($"{where}: '{name}' cannot stand here.");
        return ReadRecord(json, where);
    }

    internal static CedarValue ReadExtension(JsonElement json, string where)
    {
        Require(json, JsonValueKind.Object, where);
        var name = Text(Member(json, "fn", where), where);
        if (json.GetPropertyCount() != 2)
            throw new FormatException($"{where}: an extension value has fn and one of arg and args.");
        var arguments = json.TryGetProperty("arg", out var one) ? [ReadValue(one, where)]
            : Member(json, "args", where) is { ValueKind: JsonValueKind.Array } many ? many.EnumerateArray().Select(item => ReadValue(item, where)).ToArray()
            : throw new FormatException($"{where}: args must be an array.");
        var function = ExtensionFunction.Find(name) ?? throw new FormatException($"{where}: there is no extension function '{name}'.");
        return function.Call(arguments, out var error) ?? throw new FormatException($"{where}: {error}.");
    }

    internal static string Text(JsonElement json, string where)
    {
        Require(json, JsonValueKind.String, where);
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException fault)
        {
            throw new FormatException($"{where} holds half a surrogate pair.", fault);
        }
    }

    private static JsonElement Member(JsonElement json, string name, string where) =>
        json.TryGetProperty(name, out var member) ? member : throw new FormatException($"{where} lacks '{name}'.");

    private static void Require(JsonElement json, JsonValueKind kind, string where)
    {
        if (json.ValueKind != kind)
            throw new FormatException($"{where} must be a JSON {kind.ToString().ToLowerInvariant()}.");
    }
}
