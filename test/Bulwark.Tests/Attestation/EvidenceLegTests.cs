using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Tests.Attestation.Dcap;
using Bulwark.Tests.Attestation.Snp;
using Bulwark.Tests.Attestation.Tpm;

namespace Bulwark.Tests.Attestation;

/// <summary>Every leg of every kind has a case in which it fails; a leg that is added without one fails here.</summary>
public sealed class EvidenceLegTests(HardwareWorld world) : IClassFixture<HardwareWorld>
{
    /// <summary>Legs that no evidence of any hardware kind can fail, and why.</summary>
    private static readonly string[] s_simulatedOnly = ["environment"];

    private static readonly string[] s_outer = ["policy", "kind", "nonce", "keys", "boot-id", "parts", "model", "model-version", "binding", "measurement", "platform"];

    public static TheoryData<string, string> Outer()
    {
        var rows = new TheoryData<string, string>();
        foreach (var kind in HardwareWorld.Kinds)
            foreach (var leg in (string[])[.. s_outer, .. OwnTo(kind)])
                rows.Add(kind, leg);
        return rows;
    }

    [Fact]
    public void Every_leg_of_every_kind_has_its_negative_test()
    {
        foreach (var kind in HardwareWorld.Kinds)
        {
            var covered = new HashSet<string>([.. s_outer, .. OwnTo(kind), .. s_simulatedOnly]);
            covered.UnionWith(SnpLegTests.Legs.Select(row => $"snp.{row.Data.Item1}"));
            covered.UnionWith(DcapVerifierTests.Legs.SelectMany(row => (string[])[$"tdx.{row.Data.Item1}", $"sgx.{row.Data.Item1}"]));
            covered.UnionWith(TpmVerifierTests.Legs.Select(row => $"tpm.{row.Data.Item1}"));
            var legs = world.Verify(world.Evidence(kind)).Legs.Select(leg => leg.Name).ToList();
            Assert.True(legs.Count >= 25, $"{kind}: {legs.Count} legs");
            Assert.Empty(legs.Where(leg => !covered.Contains(leg)).Select(leg => $"{kind}: {leg}"));
        }
    }

    [Theory, MemberData(nameof(Outer))]
    public void Each_leg_that_kinds_share_fails_under_its_own_name(string kind, string name)
    {
        var (evidence, policy, nonce) = Bent(kind, name);
        var appraisal = world.Verify(evidence, policy, nonce);
        Assert.Equal(EvidenceVerdict.Refused, appraisal.Verdict);
        Assert.Equal(LegOutcome.Failed, appraisal.Legs.Single(leg => leg.Name == name).Outcome);
        var genuine = world.Verify(world.Evidence(kind), name == "model-version" ? policy with { MinimumModelVersions = new Dictionary<string, string> { ["fraud"] = "1.9" } } : null);
        Assert.Equal(name == "event-log" ? LegOutcome.NotApplicable : LegOutcome.Passed, genuine.Legs.Single(leg => leg.Name == name).Outcome);   // no log came along: nothing is believed of one
    }

    [Fact]
    public void Every_leg_of_simulated_evidence_has_its_negative_test()
    {
        using var simulated = new AttestedWorld();
        using var stranger = Signer.Generate();
        var nonce = AttestedWorld.Nonce();
        var genuine = simulated.Source.Collect(nonce, simulated.Keys, simulated.Model);
        Evidence At(TimeSpan when) => new SimulatedEvidenceSource(simulated.DevelopmentKey, simulated.Program, new Microsoft.Extensions.Time.Testing.FakeTimeProvider(simulated.Time.GetUtcNow() + when)).Collect(nonce, simulated.Keys, simulated.Model);
        var policy = simulated.Policy;
        var other = AttestedWorld.Nonce();
        var cases = new Dictionary<string, (Evidence Evidence, EvidencePolicy Policy, byte[] Nonce)>
        {
            ["policy"] = (genuine, policy with { MaximumAgeSeconds = 0 }, nonce),
            ["kind"] = (genuine, policy with { Kinds = [EvidenceKinds.Tpm] }, nonce),
            ["environment"] = (genuine, policy with { Environment = EvidenceEnvironment.Production }, nonce),
            ["nonce"] = (genuine, policy, other),
            ["keys"] = (genuine with { Keys = genuine.Keys with { Hpke = new byte[65] } }, policy, nonce),
            ["boot-id"] = (genuine with { BootId = new byte[15] }, policy, nonce),
            ["parts"] = (genuine with { Parts = new Dictionary<string, byte[]> { ["extra"] = [1] } }, policy, nonce),
            ["payload"] = (genuine with { Payload = [1] }, policy, nonce),
            ["signer"] = (genuine, policy with { SimulatedKeys = [] }, nonce),
            ["signature"] = (genuine, policy with { SimulatedKeys = [stranger.PublicKey] }, nonce),
            ["binding"] = (genuine with { Nonce = other }, policy, other),
            ["not-future"] = (At(TimeSpan.FromSeconds(31)), policy, nonce),
            ["age"] = (At(TimeSpan.FromSeconds(-301)), policy, nonce),
            ["measurement"] = (genuine, policy with { Measurements = [Digest.Of("another"u8)] }, nonce),
            ["model"] = (genuine, policy with { Models = [Digest.Of("another"u8)] }, nonce),
            ["model-version"] = (genuine, policy with { Models = [new ModelRule(simulated.Model, "fraud", "1.9")], MinimumModelVersions = new Dictionary<string, string> { ["fraud"] = "1.10" } }, nonce),
        };
        var legs = simulated.Verify(genuine, nonce).Legs.Select(leg => leg.Name);
        Assert.Equal(legs.Except(["platform"]).Order(), cases.Keys.Order());   // there is no platform: nothing could fail
        foreach (var (name, one) in cases)
            Assert.Equal((name, LegOutcome.Failed), (name, simulated.Verify(one.Evidence, one.Nonce, one.Policy).Legs.Single(leg => leg.Name == name).Outcome));
    }

    private static string[] OwnTo(string kind) => kind switch
    {
        EvidenceKinds.Tpm => ["pcrs"],
        EvidenceKinds.Tdx => ["tee", "event-log"],
        EvidenceKinds.Sgx => ["tee"],
        EvidenceKinds.AzureVtpm => ["pcrs", "hcl-format", "runtime-binding"],
        _ => [],
    };

    private (Evidence Evidence, EvidencePolicy Policy, byte[] Nonce) Bent(string kind, string leg)
    {
        var (evidence, policy, nonce, other) = (world.Evidence(kind), world.Policy, world.Nonce, AttestedWorld.Nonce());
        Evidence With(string part, byte[] bytes) => evidence with { Parts = new Dictionary<string, byte[]>(evidence.Parts) { [part] = bytes } };
        byte[] OtherRuntime()
        {
            var hcl = evidence.Parts[EvidenceParts.HclReport].ToArray();
            hcl[^3] ^= 1;
            return hcl;
        }

        return leg switch
        {
            "policy" => (evidence, policy with { MaximumAgeSeconds = 0 }, nonce),
            "kind" => (evidence, policy with { Kinds = [.. HardwareWorld.Kinds.Where(one => one != kind)] }, nonce),
            "nonce" => (evidence, policy, other),
            "keys" => (evidence with { Keys = evidence.Keys with { Hpke = new byte[65] } }, policy, nonce),
            "boot-id" => (evidence with { BootId = new byte[15] }, policy, nonce),
            "parts" => (With("extra", [1]), policy, nonce),
            "model" => (evidence, policy with { Models = [Digest.Of("another"u8)] }, nonce),
            "model-version" => (evidence, policy with { Models = [new ModelRule(world.Model, "fraud", "1.9")], MinimumModelVersions = new Dictionary<string, string> { ["fraud"] = "1.10" } }, nonce),
            "binding" => (evidence with { Nonce = other }, policy, other),
            "measurement" => (evidence, policy with { Measurements = [Digest.Of("another"u8), new ReferenceValue($"sha384:{new string('0', 96)}")] }, nonce),
            "platform" => (evidence, policy with
            {
                Snp = policy.Snp! with { Platforms = ["00"] },
                Tdx = policy.Tdx! with { Platforms = ["00"] },
                Sgx = policy.Sgx! with { Platforms = ["00"] },
                Tpm = policy.Tpm! with { EndorsementKeys = [Digest.Of("another TPM"u8)] },
            }, nonce),
            "tee" => (evidence with { Payload = world.Evidence(kind == EvidenceKinds.Tdx ? EvidenceKinds.Sgx : EvidenceKinds.Tdx).Payload }, policy, nonce),
            "event-log" => (With(EvidenceParts.EventLog, [1, 2, 3]), policy, nonce),
            "pcrs" => (With(EvidenceParts.Pcrs, [1, 2, 3]), policy, nonce),
            "hcl-format" => (With(EvidenceParts.HclReport, [1]), policy, nonce),
            "runtime-binding" => (With(EvidenceParts.HclReport, OtherRuntime()), policy, nonce),
            _ => throw new ArgumentOutOfRangeException(nameof(leg), leg, "There is no change that makes this leg fail."),
        };
    }
}
