using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Attestation;

namespace Bulwark.Tests.Attestation;

public sealed class EvidencePolicyTests : IDisposable
{
    private readonly AttestedWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Simulated_evidence_is_registered_under_a_development_policy_that_spells_it_out_and_nowhere_else()
    {
        IReadOnlyCollection<string> Kinds(EvidencePolicy policy) => new EvidenceVerifier(policy, TimeProvider.System).Kinds;
        Assert.Contains(EvidenceKinds.Simulated, Kinds(_world.Policy));
        Assert.DoesNotContain(EvidenceKinds.Simulated, Kinds(_world.Policy with { InsecureSimulated = false }));
        Assert.DoesNotContain(EvidenceKinds.Simulated, Kinds(_world.Policy with { Environment = EvidenceEnvironment.Production }));
    }

    [Fact]
    public void A_development_policy_reads_back_as_it_was_written()
    {
        var read = EvidencePolicy.FromJson(_world.Policy.ToJson());
        Assert.Equal(_world.Policy.Digest(), read.Digest());
        Assert.Empty(read.Faults());
    }

    [Theory]
    [InlineData("environment", "\"production\"", "production policy refuses simulated")]
    [InlineData("environment", "\"staging\"", "environment")]
    [InlineData("environment", "1", "environment")]
    [InlineData("insecureSimulated", "false", "insecureSimulated")]
    [InlineData("simulatedKeys", "[]", "no development key")]
    [InlineData("kinds", "[\"nvidia-gpu\"]", "not built")]
    [InlineData("kinds", "[\"sev-snp\"]", "no \"snp\"")]
    [InlineData("kinds", "[\"tdx\"]", "no \"tdx\"")]
    [InlineData("kinds", "[\"sgx\"]", "no \"sgx\"")]
    [InlineData("kinds", "[\"tpm\"]", "no \"tpm\"")]
    [InlineData("version", "0", "version")]
    [InlineData("kinds", "[]", "No kind")]
    [InlineData("measurements", "[]", "No measurement")]
    [InlineData("measurements", "[{\"value\":\"any\"}]", "digest")]
    [InlineData("models", "[]", "No model")]
    [InlineData("maximumAgeSeconds", "0", "maximum age")]
    [InlineData("maximumAgeSeconds", "86400", "maximum age")]
    [InlineData("format", "\"v9\"", "format")]
    [InlineData("allow", "true", "allow")]
    public void An_unsound_policy_is_refused_when_it_is_loaded(string member, string value, string reason)
    {
        var document = JsonNode.Parse(_world.Policy.ToJson())!.AsObject();
        document[member] = JsonNode.Parse(value);
        var failure = Assert.Throws<InvalidDataException>(() => EvidencePolicy.FromJson(Encoding.UTF8.GetBytes(document.ToJsonString())));
        Assert.Contains(reason, failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("environment")]
    [InlineData("kinds")]
    [InlineData("measurements")]
    [InlineData("models")]
    [InlineData("maximumAgeSeconds")]
    public void A_policy_that_leaves_a_rule_out_is_refused(string member)
    {
        var document = JsonNode.Parse(_world.Policy.ToJson())!.AsObject();
        document.Remove(member);
        Assert.Throws<InvalidDataException>(() => EvidencePolicy.FromJson(Encoding.UTF8.GetBytes(document.ToJsonString())));
    }
}
