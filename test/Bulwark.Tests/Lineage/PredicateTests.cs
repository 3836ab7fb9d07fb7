using System.Text.Json.Nodes;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Tests.Lineage;

public sealed class PredicateTests
{
    public static TheoryData<string> Types() => [.. Predicates.Types];

    [Fact]
    public void Every_claim_has_a_sample_and_every_sample_is_a_claim() =>
        Assert.Equal(Predicates.Types.Order(), SampleClaims.All().Select(statement => statement.PredicateType).Order());

    [Theory]
    [MemberData(nameof(Types))]
    public void A_claim_comes_back_from_its_bytes(string type)
    {
        var statement = Sample(type);
        var read = Statement.Parse(statement.ToBytes());
        Assert.NotNull(Predicates.Read(read));
        Assert.Equal(statement.ToBytes(), read.ToBytes());
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void An_unknown_member_at_any_depth_is_refused(string type)
    {
        var places = 0;
        foreach (var path in Objects(Wire(type)["predicate"]!))
        {
            var wire = Wire(type);
            path.Aggregate(wire["predicate"]!, (node, step) => step is int index ? node[index]! : node[(string)step]!).AsObject()["surprise"] = 1;
            if (IsFree(type, path))
                continue;
            places++;
            Assert.Throws<FormatException>(() => Predicates.Read(Statement.Parse(Bytes(wire))));
        }

        Assert.True(places > 0);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_member_that_is_null_or_of_another_kind_is_refused(string type)
    {
        foreach (var name in Wire(type)["predicate"]!.AsObject().Select(member => member.Key))
        {
            foreach (var wrong in new Func<JsonNode?>[] { () => JsonValue.Create(true), () => new JsonArray(new JsonArray()) })
            {
                var wire = Wire(type);
                if (wire["predicate"]![name] is JsonValue value && value.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False && wrong() is JsonValue)
                    continue;
                wire["predicate"]![name] = wrong();
                Assert.Throws<FormatException>(() => Predicates.Read(Statement.Parse(Bytes(wire))));
            }
        }
    }

    [Fact]
    public void Claims_that_contradict_themselves_are_refused()
    {
        Refused(SampleClaims.Trained(SampleClaims.Onnx, SampleClaims.Data, 1), predicate => predicate["runDetails"]!["bulwark_privacy"]!["epsilon"] = -1);
        Refused(SampleClaims.Trained(SampleClaims.Onnx, SampleClaims.Data, 1), predicate => predicate["buildDefinition"]!["buildType"] = "https://example.com/other");
        Refused(SampleClaims.Trained(SampleClaims.Onnx, SampleClaims.Data, 1), predicate => predicate["buildDefinition"]!["resolvedDependencies"]!.AsArray().RemoveAt(0));
        Refused(SampleClaims.Promoted(), predicate => predicate["gates"]![0]!["passed"] = false);
        Refused(SampleClaims.Accessed(), predicate => predicate["by"] = "Alice");
        Refused(SampleClaims.Released(SampleClaims.Package, SampleClaims.Evidence, new VerificationKey(new byte[32])), predicate => predicate["failedLegs"]!.AsArray().Add("measurement"));
        Refused(SampleClaims.Sealed(SampleClaims.Package, SampleClaims.Onnx, SampleClaims.Data), predicate => predicate.AsObject().Remove("delta"));
    }

    [Fact]
    public void Faults_are_found_before_anything_is_signed() => Assert.Throws<ArgumentException>(() =>
        Statement.Of("model.onnx", SampleClaims.Onnx, new ModelEvaluated { Dataset = SampleClaims.Test, Figures = new Dictionary<string, double>(), Time = SampleClaims.Now }));

    [Fact]
    public void A_claim_of_somebody_else_is_none_of_ours()
    {
        var other = Statement.Create("https://example.com/claim/v1", [new Subject("a", SampleClaims.Data)], new { anything = 1 });
        Assert.Null(Predicates.Read(other));
        Assert.Null(Predicates.TryRead<ModelEvaluated>(other));
    }

    private static void Refused(Statement statement, Action<JsonNode> change)
    {
        var wire = JsonNode.Parse(statement.ToBytes())!;
        change(wire["predicate"]!);
        Assert.Throws<FormatException>(() => Predicates.Read(Statement.Parse(Bytes(wire))));
    }

    private static Statement Sample(string type) => SampleClaims.All().Single(statement => statement.PredicateType == type);

    private static JsonNode Wire(string type) => JsonNode.Parse(Sample(type).ToBytes())!;

    private static byte[] Bytes(JsonNode wire) => System.Text.Encoding.UTF8.GetBytes(wire.ToJsonString());

    /// <summary>Objects whose member names are data: dictionaries, and the reports of attacks and of training.</summary>
    private static bool IsFree(string type, object[] path) =>
        path.Any(step => step is "figures" or "settings" or "report" or "externalParameters" or "internalParameters" or "digest" or "version" or "booking");

    private static IEnumerable<object[]> Objects(JsonNode node)
    {
        if (node is JsonObject members)
        {
            yield return [];
            foreach (var (name, value) in members.Where(member => member.Value is not null))
            {
                foreach (var path in Objects(value!))
                    yield return [name, .. path];
            }
        }

        if (node is JsonArray items)
        {
            for (var i = 0; i < items.Count; i++)
            {
                foreach (var path in Objects(items[i]!))
                    yield return [i, .. path];
            }
        }
    }
}
