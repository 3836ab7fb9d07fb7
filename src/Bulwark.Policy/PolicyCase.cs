using System.Text.Json;
using Bulwark.Policy.Json;

namespace Bulwark.Policy;

/// <summary>One question with the answer that its author expects; kept beside the policies.</summary>
/// <param name="Name">What the case shows.</param>
/// <param name="Request">The question.</param>
/// <param name="Expected">The answer.</param>
/// <param name="Reasons">The ids of the policies that must decide; null leaves them open.</param>
public sealed record PolicyCase(string Name, AuthorizationRequest Request, Decision Expected, IReadOnlyList<string>? Reasons)
{
    /// <summary>True when the answer is the expected one, and no policy erred.</summary>
    public bool Agrees(AuthorizationAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return answer.Decision == Expected && answer.Errors.Count == 0 && (Reasons is null || Reasons.ToHashSet().SetEquals(answer.Reasons));
    }
}

/// <summary>Cases and the entities that they are about.</summary>
/// <param name="Entities">The entities.</param>
/// <param name="Cases">The cases.</param>
public sealed record PolicyCases(EntityStore Entities, IReadOnlyList<PolicyCase> Cases)
{
    /// <summary>Reads a JSON object with <c>entities</c> (Cedar's form; may be absent) and <c>requests</c>, named as in Cedar's integration tests.</summary>
    /// <remarks>
    /// A request has <c>principal</c>, <c>action</c>, <c>resource</c> (<c>Type::"id"</c>, or an object of type and id), <c>decision</c>,
    /// and optional <c>description</c>, <c>context</c> and <c>reason</c>.
    /// </remarks>
    /// <param name="json">The text.</param>
    /// <param name="schema">The schema that entities and contexts must fit; none when null.</param>
    /// <exception cref="FormatException">The text is no such object; the message says where.</exception>
    public static PolicyCases Parse(string json, CedarSchema? schema = null) => CedarJson.Guard(json, root =>
    {
        CedarJson.Require(root, JsonValueKind.Object, "The file of cases");
        var entities = root.TryGetProperty("entities", out var given) ? given.GetRawText() : "[]";
        var requests = CedarJson.Member(root, "requests", "The file of cases");
        CedarJson.Require(requests, JsonValueKind.Array, "'requests'");
        return new PolicyCases(
            schema is null ? EntityStore.Parse(entities) : schema.ParseEntities(entities),
            [.. requests.EnumerateArray().Select((request, index) => ReadCase(request, $"request {index}", schema))]);
    });

    private static PolicyCase ReadCase(JsonElement json, string where, CedarSchema? schema)
    {
        CedarJson.Require(json, JsonValueKind.Object, where);
        var name = json.TryGetProperty("description", out var description) ? CedarJson.Text(description, where) : where;
        var action = Uid(json, "action", where);
        var context = json.TryGetProperty("context", out var given) ? given.GetRawText() : "{}";
        var request = new AuthorizationRequest(
            Uid(json, "principal", where), action, Uid(json, "resource", where), schema is null ? CedarRecord.Parse(context) : schema.ParseContext(action, context));
        if (schema?.RequestFaults(request).FirstOrDefault() is { } fault)
            throw new FormatException($"{where}: {fault}");
        var expected = CedarJson.Text(CedarJson.Member(json, "decision", where), where) switch
        {
            "allow" => Decision.Allow,
            "deny" => Decision.Deny,
            var other => throw new FormatException($"{where}: the decision '{other}' is neither allow nor deny."),
        };
        IReadOnlyList<string>? reasons = null;
        if (json.TryGetProperty("reason", out var ids))
        {
            CedarJson.Require(ids, JsonValueKind.Array, $"the reason of {where}");
            reasons = [.. ids.EnumerateArray().Select(id => CedarJson.Text(id, where))];
        }

        return new(name, request, expected, reasons);
    }

    private static EntityUid Uid(JsonElement json, string member, string where)
    {
        var value = CedarJson.Member(json, member, where);
        return value.ValueKind == JsonValueKind.String ? EntityUid.Parse(CedarJson.Text(value, where)) : CedarJson.ReadUid(value, $"the {member} of {where}");
    }
}
