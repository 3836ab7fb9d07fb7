using System.Text;
using System.Text.Json;
using Bulwark.Policy.Evaluation;
using Bulwark.Policy.Schema;

namespace Bulwark.Policy.Json;

/// <summary>Values and entities in Cedar's JSON form. Where a type is given, values must be of it, and may then be written short.</summary>
internal static class CedarJson
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    internal static CedarRecord ReadRecordText(string json, RecordOf? type = null) => Guard(json, root => ReadRecord(root, type, "the record"));

    internal static EntityStore ReadEntities(string json, CedarSchema? schema = null) => Guard(json, root =>
    {
        if (root.ValueKind != JsonValueKind.Array)
            throw new FormatException("Entities are a JSON array.");
        try
        {
            var entities = root.EnumerateArray().Select(entity => EntityJson.Read(entity, schema));
            return schema is null ? new EntityStore(entities)
                : new EntityStore(entities.Where(entity => schema.Action(entity.Uid) is null)
                    .Concat(schema.AllActions.Select(action => new Entity(action.Uid, parents: action.Groups))));
        }
        catch (ArgumentException fault)
        {
            throw new FormatException(fault.Message, fault);
        }
    });

    internal static T Guard<T>(string json, Func<JsonElement, T> read)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(json), Options);
            return read(document.RootElement);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw new FormatException($"This is no JSON that can be read: {fault.Message}", fault);   // InvalidOperation: half a surrogate pair in a name
        }
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

    internal static CedarRecord ReadRecord(JsonElement json, RecordOf? type, string where)
    {
        Require(json, JsonValueKind.Object, where);
        if (type is not null)
            foreach (var (name, attribute) in type.Attributes)
                if (attribute.Required && !json.TryGetProperty(name, out _))
                    throw new FormatException($"{where} lacks '{name}'.");
        return new(json.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, ReadMember(member, type, where))));
    }

    private static CedarValue ReadMember(JsonProperty member, RecordOf? type, string where)
    {
        SchemaAttribute? attribute = null;
        if (type is not null && !type.Attributes.TryGetValue(member.Name, out attribute))
            throw new FormatException($"{where}: the schema has no '{member.Name}' here.");
        return ReadValue(member.Value, attribute?.Type, $"{where}, {member.Name}");
    }

    internal static CedarValue ReadValue(JsonElement json, SchemaType? type, string where)
    {
        var value = type switch
        {
            EntityReference when json.ValueKind == JsonValueKind.Object => ReadUid(json, where),
            RecordOf record when json.ValueKind == JsonValueKind.Object => ReadRecord(json, record, where),
            SetOf set when json.ValueKind == JsonValueKind.Array => new CedarSet(json.EnumerateArray().Select(item => ReadValue(item, set.Element, where))),
            NamedType { Name: "ipaddr" or "decimal" or "datetime" or "duration" } extension => ReadShortExtension(json, extension.Name, where),
            _ => ReadUntyped(json, where),
        };
        return type is null || Fits(value, type) ? value : throw new FormatException($"{where}: {value.TypeName} is not of the type that the schema gives.");
    }

    private static bool Fits(CedarValue value, SchemaType type) => type switch
    {
        NamedType named => value.TypeName == named.Name,
        EntityReference reference => value is EntityUid uid && uid.Type == reference.Type,
        SetOf => value is CedarSet,
        _ => value is CedarRecord,
    };

    /// <summary>A text, or fn and arg without their escape, where the type is known.</summary>
    private static CedarValue ReadShortExtension(JsonElement json, string type, string where) => json.ValueKind switch
    {
        JsonValueKind.String => ExtensionFunction.Find(type == "ipaddr" ? "ip" : type)!.Construct(Text(json, where))
            ?? throw new FormatException($"{where}: {json} is no {type}."),
        JsonValueKind.Object when json.TryGetProperty("fn", out _) => ReadExtension(json, where),
        _ => ReadUntyped(json, where),
    };

    private static CedarValue ReadUntyped(JsonElement json, string where) => json.ValueKind switch
    {
        JsonValueKind.True => CedarBoolean.True,
        JsonValueKind.False => CedarBoolean.False,
        JsonValueKind.String => new CedarString(Text(json, where)),
        JsonValueKind.Number => json.TryGetInt64(out var number) ? new CedarLong(number) : throw new FormatException($"{where}: {json.GetRawText()} is no 64-bit whole number."),
        JsonValueKind.Array => new CedarSet(json.EnumerateArray().Select(item => ReadUntyped(item, where))),
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
        return ReadRecord(json, type: null, where);
    }

    private static CedarValue ReadExtension(JsonElement json, string where)
    {
        Require(json, JsonValueKind.Object, where);
        var name = Text(Member(json, "fn", where), where);
        if (json.GetPropertyCount() != 2)
            throw new FormatException($"{where}: an extension value has fn and one of arg and args.");
        var function = ExtensionFunction.Find(name) ?? throw new FormatException($"{where}: there is no extension function '{name}'.");
        var arguments = json.TryGetProperty("arg", out var one) ? [one] : Member(json, "args", where) is { ValueKind: JsonValueKind.Array } many
            ? many.EnumerateArray().ToArray() : throw new FormatException($"{where}: args must be an array.");
        var values = arguments.Select((argument, i) => i < function.Parameters.Length && function.Parameters[i] is not "string"
            ? ReadShortExtension(argument, function.Parameters[i], where) : ReadUntyped(argument, where)).ToArray();
        return function.Call(values, out var error) ?? throw new FormatException($"{where}: {error}.");
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

    internal static JsonElement Member(JsonElement json, string name, string where) =>
        json.TryGetProperty(name, out var member) ? member : throw new FormatException($"{where} lacks '{name}'.");

    internal static void Require(JsonElement json, JsonValueKind kind, string where)
    {
        if (json.ValueKind != kind)
            throw new FormatException($"{where} must be a JSON {kind.ToString().ToLowerInvariant()}.");
    }
}
