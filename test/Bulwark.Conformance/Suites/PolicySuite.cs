using System.Text.Json;
using Bulwark.Policy;

namespace Bulwark.Conformance.Suites;

/// <summary>Cedar's integration tests: per request the decision, its reasons and the policies that erred; per test whether the policies fit the schema.</summary>
internal static class PolicySuite
{
    internal static Suite? Cases => Run;

    private static IEnumerable<CaseResult> Run(DirectoryInfo directory)
    {
        var tree = new VectorTree(directory);
        foreach (var path in tree.Paths.Where(path => path.EndsWith(".json", StringComparison.Ordinal)))
        {
            using var test = Parse(tree.Read(path));
            if (test is null)
                yield return CaseResult.Fail(path, "this is no JSON");
            if (test is null || test.RootElement.ValueKind != JsonValueKind.Object || !test.RootElement.TryGetProperty("requests", out _))
                continue;
            foreach (var result in RunTest(tree, path, test.RootElement))
                yield return result;
        }
    }

    private static JsonDocument? Parse(string text)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static List<CaseResult> RunTest(VectorTree tree, string path, JsonElement test)
    {
        var results = new List<CaseResult>();
        try
        {
            string Text(string member) => tree.Resolve(path, test.GetProperty(member).GetString()!) is { } found
                ? tree.Read(found) : throw new FileNotFoundException($"{member} of {path} is absent.");
            var policies = PolicySet.Parse(Text("policies"));
            var schema = CedarSchema.Parse(Text("schema"));
            var entities = schema.ParseEntities(Text("entities"));
            var faults = schema.PolicyFaults(policies);
            results.Add(CaseResult.Of($"{path}#validation", test.GetProperty("shouldValidate").GetBoolean() == (faults.Count == 0),
                $"shouldValidate is {test.GetProperty("shouldValidate")}; {(faults.Count == 0 ? "no fault was found" : faults[0])}"));
            foreach (var (index, request) in test.GetProperty("requests").EnumerateArray().Index())
                results.Add(Judge($"{path}#{index}", request, policies, schema, entities));
        }
        catch (Exception failure)
        {
            results.Add(CaseResult.Fail(path, failure.Message));
        }

        return results;
    }

    private static CaseResult Judge(string id, JsonElement json, PolicySet policies, CedarSchema schema, EntityStore entities)
    {
        var action = Uid(json.GetProperty("action"));
        var request = new AuthorizationRequest(
            Uid(json.GetProperty("principal")), action, Uid(json.GetProperty("resource")), schema.ParseContext(action, json.GetProperty("context").GetRawText()));
        if (schema.RequestFaults(request).FirstOrDefault() is { } fault)
            return CaseResult.Fail(id, $"a request that fits its schema was refused: {fault}");
        var answer = policies.Authorize(request, entities);
        var expected = $"{json.GetProperty("decision").GetString()} by [{Texts(json, "reason")}], errors [{Texts(json, "errors")}]";
        var actual = $"{(answer.Decision == Decision.Allow ? "allow" : "deny")} by [{Join(answer.Reasons)}], errors [{Join(answer.Errors.Select(e => e.PolicyId))}]";
        return CaseResult.Of(id, expected == actual, $"expected {expected}; got {actual} {string.Join("; ", answer.Errors.Select(e => e.Message))}");
    }

    private static EntityUid Uid(JsonElement json) => new(json.GetProperty("type").GetString()!, json.GetProperty("id").GetString()!);

    private static string Texts(JsonElement json, string member) => Join(json.GetProperty(member).EnumerateArray().Select(text => text.GetString()!));

    private static string Join(IEnumerable<string> ids) => string.Join(" ", ids.Order(StringComparer.Ordinal));
}
