using System.Text;
using Bulwark.Attestation;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Attestation;

public sealed class EvidenceTests : IDisposable
{
    private readonly AttestedWorld _world = new();
    private readonly byte[] _nonce = AttestedWorld.Nonce();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Sound_evidence_passes_every_leg_and_is_still_called_insecure()
    {
        var appraisal = _world.Verify(Collect(), _nonce);
        Assert.Equal(EvidenceVerdict.Trusted, appraisal.Verdict);
        Assert.Equal(["policy", "kind", "environment", "nonce", "keys", "boot-id", "parts", "payload", "signer", "signature", "binding", "not-future", "age", "measurement", "platform", "model", "model-version"], appraisal.Legs.Select(leg => leg.Name));
        Assert.True(appraisal.Insecure);
        Assert.Equal(_world.Program.ToString(), appraisal.Measurement);
    }

    [Fact]
    public void An_appraisal_without_legs_is_no_trust() =>
        Assert.Equal(EvidenceVerdict.Unverified, new EvidenceAppraisal { Legs = [], Insecure = false, Evidence = default }.Verdict);

    [Fact]
    public void Stale_evidence_fails_the_age_leg()
    {
        var evidence = Collect();
        _world.Time.Advance(TimeSpan.FromSeconds(300));
        Assert.Equal(EvidenceVerdict.Trusted, _world.Verify(evidence, _nonce).Verdict);
        _world.Time.Advance(TimeSpan.FromSeconds(1));
        Refused(_world.Verify(evidence, _nonce), "age");
    }

    [Fact]
    public void Evidence_from_the_future_fails_its_own_leg()
    {
        var ahead = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(_world.Time.GetUtcNow().AddSeconds(31));
        var source = new SimulatedEvidenceSource(_world.DevelopmentKey, _world.Program, ahead);
        Refused(_world.Verify(source.Collect(_nonce, _world.Keys, _world.Model), _nonce), "not-future");
    }

    [Fact]
    public void Another_verifiers_nonce_is_refused() => Refused(_world.Verify(Collect(), AttestedWorld.Nonce()), "nonce");

    [Fact]
    public void A_nonce_changed_after_the_report_breaks_the_binding()
    {
        var other = AttestedWorld.Nonce();
        Refused(_world.Verify(Collect() with { Nonce = other }, other), "binding");
    }

    [Fact]
    public void Every_bound_key_and_name_breaks_the_binding_when_exchanged()
    {
        using var attacker = HpkeKeyPair.Generate();
        using var signer = Signer.Generate();
        var evidence = Collect();
        Evidence[] changed =
        [
            evidence with { Keys = evidence.Keys with { Hpke = attacker.PublicKey.ToArray() } },
            evidence with { Keys = evidence.Keys with { Receipt = signer.PublicKey } },
            evidence with { Keys = evidence.Keys with { TlsSpki = [1] } },
            evidence with { BootId = new byte[Evidence.BootIdSizeInBytes] },
        ];
        Assert.All(changed, one => Refused(_world.Verify(one, _nonce), "binding"));
    }

    [Fact]
    public void Fields_cannot_be_shifted_between_each_other_without_changing_the_report_data()
    {
        var evidence = Collect();
        var keys = evidence.Keys;
        var shifted = evidence with { Nonce = [.. evidence.Nonce, keys.Hpke[0]], Keys = keys with { Hpke = keys.Hpke[1..] } };
        Assert.NotEqual(evidence.ReportData(), shifted.ReportData());
        Assert.Equal(Evidence.ReportDataSizeInBytes, evidence.ReportData().Length);
    }

    [Fact]
    public void A_report_of_a_key_that_the_policy_does_not_trust_fails_the_signature_leg()
    {
        using var stranger = Signer.Generate();
        var source = new SimulatedEvidenceSource(stranger, _world.Program, _world.Time);
        Refused(_world.Verify(source.Collect(_nonce, _world.Keys, _world.Model), _nonce), "signature");
    }

    [Fact]
    public void Any_flipped_bit_of_the_report_is_refused()
    {
        var evidence = Collect();
        for (var bit = 0; bit < evidence.Payload.Length * 8; bit++)
        {
            var payload = evidence.Payload.ToArray();
            payload[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(EvidenceVerdict.Refused, _world.Verify(evidence with { Payload = payload }, _nonce).Verdict);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(191)]
    [InlineData(193)]
    public void A_report_of_another_length_fails_the_payload_leg_and_what_stands_on_it_is_not_checked(int length)
    {
        var evidence = Collect();
        var payload = new byte[length];
        evidence.Payload.AsSpan(0, Math.Min(length, evidence.Payload.Length)).CopyTo(payload);
        var appraisal = _world.Verify(evidence with { Payload = payload }, _nonce);
        Refused(appraisal, "payload");
        Assert.Equal(LegOutcome.NotChecked, appraisal.Legs.Single(leg => leg.Name == "signature").Outcome);
        Assert.Equal(LegOutcome.NotChecked, appraisal.Legs.Single(leg => leg.Name == "binding").Outcome);
    }

    [Fact]
    public void A_program_that_the_policy_does_not_list_fails_the_measurement_leg() =>
        Refused(_world.Verify(Collect(), _nonce, _world.Policy with { Measurements = [Digest.Of("another"u8)] }), "measurement");

    [Fact]
    public void A_model_that_the_policy_does_not_list_fails_the_model_leg() =>
        Refused(_world.Verify(Collect(), _nonce, _world.Policy with { Models = [Digest.Of("another"u8)] }), "model");

    [Fact]
    public void A_key_that_is_no_point_on_the_curve_fails_the_keys_leg()
    {
        var bad = _world.Keys.Hpke.ToArray();
        bad[^1] ^= 1;
        Refused(_world.Verify(_world.Source.Collect(_nonce, _world.Keys with { Hpke = bad }, _world.Model), _nonce), "keys");
        Refused(_world.Verify(_world.Source.Collect(_nonce, _world.Keys with { Hpke = [] }, _world.Model), _nonce), "keys");
    }

    [Fact]
    public void A_kind_that_is_not_built_fails_the_kind_leg() => Refused(_world.Verify(Collect() with { Kind = "sev-snp" }, _nonce), "kind");

    [Fact]
    public void A_production_policy_refuses_simulated_evidence_even_when_it_was_built_in_code()
    {
        var policy = _world.Policy with { Environment = EvidenceEnvironment.Production };
        var appraisal = _world.Verify(Collect(), _nonce, policy);
        Refused(appraisal, "policy");
        Assert.Equal(LegOutcome.Failed, appraisal.Legs.Single(leg => leg.Name == "environment").Outcome);
    }

    [Fact]
    public void Evidence_reads_back_as_it_was_written()
    {
        var evidence = Collect();
        var read = Evidence.FromJson(evidence.ToJson());
        Assert.Equal(evidence.Digest(), read.Digest());
        Assert.Equal(EvidenceVerdict.Trusted, _world.Verify(read, _nonce).Verdict);
    }

    [Theory]
    [InlineData("\"kind\":", "\"kind\":\"simulated\",\"kind\":")]
    [InlineData("\"kind\":", "\"extra\":1,\"kind\":")]
    [InlineData("\"nonce\":", "\"nonse\":")]
    [InlineData("evidence/v1", "evidence/v2")]
    public void A_document_with_a_doubled_unknown_missing_or_foreign_member_is_refused(string from, string to)
    {
        var text = Encoding.UTF8.GetString(Collect().ToJson()).Replace(from, to, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => Evidence.FromJson(Encoding.UTF8.GetBytes(text)));
    }

    private Evidence Collect() => _world.Source.Collect(_nonce, _world.Keys, _world.Model);

    private static void Refused(EvidenceAppraisal appraisal, string leg)
    {
        Assert.Equal(EvidenceVerdict.Refused, appraisal.Verdict);
        Assert.StartsWith(leg + ":", appraisal.Reason, StringComparison.Ordinal);
    }
}
