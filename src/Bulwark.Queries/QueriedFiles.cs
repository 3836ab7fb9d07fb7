using System.Text.Json;

namespace Bulwark.Queries;

/// <summary>Names in a parsed query that may be files: of tables, and texts among the arguments of table functions.</summary>
internal static class QueriedFiles
{
    internal static void Find(JsonElement node, HashSet<string> names)
    {
        switch (node.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (var item in node.EnumerateArray())
                    Find(item, names);
                break;
            case JsonValueKind.Object:
                var type = node.TryGetProperty("type", out var kind) && kind.ValueKind == JsonValueKind.String ? kind.GetString() : null;
                if (type == "BASE_TABLE")
                    names.Add(node.GetProperty("table_name").GetString()!);
                else if (type == "TABLE_FUNCTION")
                    Texts(node, names);
                foreach (var property in node.EnumerateObject())
                    Find(property.Value, names);
                break;
        }
    }

    private static void Texts(JsonElement node, HashSet<string> names)
    {
        if (node.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in node.EnumerateArray())
                Texts(item, names);
        }
        else if (node.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in node.EnumerateObject())
            {
                if (property.NameEquals("value") && property.Value.ValueKind == JsonValueKind.String)
                    names.Add(property.Value.GetString()!);
                else
                    Texts(property.Value, names);
            }
        }
    }
}
