using System.Text.Json;
using Bulwark.Policy.Schema;

namespace Bulwark.Policy.Json;

/// <summary>One entity in Cedar's JSON form, held to the schema where there is one.</summary>
internal static class EntityJson
{
    internal static Entity Read(JsonElement json, CedarSchema? schema)
    {
        CedarJson.Require(json, JsonValueKind.Object, "an entity");
        foreach (var member in json.EnumerateObject())
            if (member.Name is not ("uid" or "attrs" or "parents" or "tags"))
                throw new FormatException($"An entity has no member '{member.Name}'; uid, attrs, parents and tags it has.");
        var uid = CedarJson.ReadUid(CedarJson.Member(json, "uid", "an entity"), "an entity's uid");
        var type = TypeOf(uid, schema);
        var attributes = CedarJson.ReadRecord(CedarJson.Member(json, "attrs", uid.ToString()), type?.Attributes, $"the attributes of {uid}");
        var parents = CedarJson.Member(json, "parents", uid.ToString());
        CedarJson.Require(parents, JsonValueKind.Array, $"the parents of {uid}");
        var uids = parents.EnumerateArray().Select(parent => CedarJson.ReadUid(parent, $"a parent of {uid}")).ToArray();
        if (type is not null && uids.FirstOrDefault(parent => !type.Parents.Contains(parent.Type)) is { } stranger)
            throw new FormatException($"The schema does not let {uid} be in {stranger}.");
        return new(uid, attributes, uids, json.TryGetProperty("tags", out var tags) ? Tags(tags, uid, type) : null);
    }

    private static SchemaEntityType? TypeOf(EntityUid uid, CedarSchema? schema)
    {
        if (schema is null || schema.Action(uid) is not null)
            return null;
        var type = schema.EntityType(uid.Type) ?? throw new FormatException($"The schema has no entity type {uid.Type}.");
        return type.Ids is null || type.Ids.Contains(uid.Id) ? type : throw new FormatException($"{uid} is not in its enumeration.");
    }

    private static CedarRecord Tags(JsonElement json, EntityUid uid, SchemaEntityType? type)
    {
        var where = $"the tags of {uid}";
        if (type is null)
            return CedarJson.ReadRecord(json, type: null, where);
        CedarJson.Require(json, JsonValueKind.Object, where);
        if (type.Tags is null && json.GetPropertyCount() > 0)
            throw new FormatException($"The schema gives {uid.Type} no tags.");
        return new(json.EnumerateObject().Select(tag => KeyValuePair.Create(tag.Name, CedarJson.ReadValue(tag.Value, type.Tags, $"{where}, {tag.Name}"))));
    }
}
