using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Attestation.Sources;
using Bulwark.Attestation.Tpm;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Attestation;

/// <summary>Evidence of hardware kinds through the one verifier, and the attacks that it must refuse.</summary>
public sealed class HardwareEvidenceTests(HardwareWorld world) : IClassFixture<HardwareWorld>
{
    public static TheoryData<string> Kinds => [.. HardwareWorld.Kinds];

    [Theory, MemberData(nameof(Kinds))]
    public void Genuine_evidence_is_trusted_after_the_wire_too_with_at_least_25_legs(string kind)
    {
        var appraisal = world.Verify(Evidence.FromJson(world.Evidence(kind).ToJson()));
        Assert.True(appraisal.Verdict is EvidenceVerdict.Trusted, appraisal.Reason);
        Assert.True(appraisal.Legs.Count >= 25, $"{appraisal.Legs.Count} legs");
        Assert.Equal(appraisal.Legs.Count, appraisal.Legs.Select(leg => leg.Name).Distinct().Count());
        Assert.All(["binding", "measurement", "platform", "nonce", "model"], name => Assert.Contains(appraisal.Legs, leg => leg.Name == name));
        Assert.NotNull(appraisal.Measurement);
        Assert.NotNull(appraisal.PlatformId);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Another_nonce_key_model_or_start_breaks_the_binding(string kind)
    {
        using var attacker = HpkeKeyPair.Generate();
        using var signer = Signer.Generate();
        var evidence = world.Evidence(kind);
        var stale = RandomNumberGenerator.GetBytes(32);
        Refused(world.Verify(evidence, nonce: stale), "nonce");
        Refused(world.Verify(evidence with { Nonce = stale }, nonce: stale), "binding");
        Evidence[] swapped =
        [
            evidence with { Keys = evidence.Keys with { Hpke = attacker.PublicKey.ToArray() } }, evidence with { Keys = evidence.Keys with { Receipt = signer.PublicKey } },
            evidence with { Keys = evidence.Keys with { TlsSpki = [] } }, evidence with { BootId = [.. Enumerable.Repeat((byte)1, 16)] },
        ];
        Assert.All(swapped, one => Refused(world.Verify(one), "binding"));
        Assert.Contains(world.Verify(evidence with { Model = Digest.Of("other"u8) }).Legs, leg => leg is { Name: "binding", Outcome: LegOutcome.Failed });
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Evidence_relayed_from_another_machine_is_refused(string kind)
    {
        var policy = world.Policy with
        {
            Snp = world.Policy.Snp! with { Platforms = ["00"] },
            Tdx = world.Policy.Tdx! with { Platforms = ["00"] },
            Sgx = world.Policy.Sgx! with { Platforms = ["00"] },
            Tpm = world.Policy.Tpm! with { EndorsementKeys = [Digest.Of("another TPM"u8)] },
        };
        Refused(world.Verify(world.Evidence(kind), policy), "platform");
    }

    [Theory]
    [InlineData(EvidenceKinds.SevSnp, 0x00A, 0x0B, "snp.debug")]
    [InlineData(EvidenceKinds.AzureVtpm, 0x00A, 0x0B, "snp.debug")]
    [InlineData(EvidenceKinds.Tdx, 120, 1, "tdx.debug")]
    [InlineData(EvidenceKinds.Sgx, 48, 7, "sgx.debug")]
    [InlineData(EvidenceKinds.SevSnp, 0x1E6, 22, "snp.committed-tcb")]
    [InlineData(EvidenceKinds.SevSnp, 0x1F6, 22, "snp.launch-tcb")]
    [InlineData(EvidenceKinds.Tdx, 2, 3, "tdx.tcb-status")]
    [InlineData(EvidenceKinds.SevSnp, 0x090, 1, "measurement")]
    [InlineData(EvidenceKinds.Tdx, 136, 1, "measurement")]
    [InlineData(EvidenceKinds.Sgx, 64, 1, "measurement")]
    public void Debug_an_older_platform_and_another_program_are_refused(string kind, int at, int value, string leg) =>
        Refused(world.Verify(world.Evidence(kind, bytes => bytes[at] = (byte)value)), leg);

    [Theory, MemberData(nameof(Kinds))]
    public void A_part_that_the_kind_does_not_know_is_refused(string kind)
    {
        var evidence = world.Evidence(kind);
        Refused(world.Verify(evidence with { Parts = new Dictionary<string, byte[]>(evidence.Parts) { ["extra"] = [1] } }), "parts");
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Without_its_parts_evidence_is_refused_by_name_and_never_throws(string kind)
    {
        var evidence = world.Evidence(kind);
        foreach (var part in evidence.Parts.Keys)
        {
            var without = evidence.Parts.Where(one => one.Key != part).ToDictionary();
            Assert.Equal(EvidenceVerdict.Refused, world.Verify(evidence with { Parts = without }).Verdict);
            Assert.Equal(EvidenceVerdict.Refused, world.Verify(evidence with { Parts = new Dictionary<string, byte[]>(without) { [part] = [0x30, 0x80, 0xFF] } }).Verdict);
        }

        Assert.Equal(EvidenceVerdict.Refused, world.Verify(evidence with { Payload = [] }).Verdict);
    }

    [Fact]
    public void What_evidence_does_not_bring_is_taken_from_the_verifiers_own_folder()
    {
        using var folder = new TemporaryFolder();
        var (snp, tdx) = (world.Evidence(EvidenceKinds.SevSnp), world.Evidence(EvidenceKinds.Tdx));
        File.WriteAllBytes(folder["amd-genoa-signing.pem"], world.Snp.Ask.RawData);
        File.WriteAllBytes(folder["amd-genoa-root.pem"], world.Snp.Ark.RawData);
        File.WriteAllBytes(folder["amd-genoa.crl"], world.Snp.RevocationList());
        File.WriteAllBytes(folder[$"vcek-{Convert.ToHexStringLower(Snp.SnpPlatform.Chip)}-0a00000000001754.der"], world.Snp.Vcek.RawData);
        File.WriteAllBytes(folder["tdx-00806f050000.json"], world.Intel.Collateral());
        var collateral = new CollateralFolder(folder.Path);
        Assert.Equal("", world.Verify(snp with { Parts = new Dictionary<string, byte[]>() }, collateral: collateral).Reason);
        Assert.Equal("", world.Verify(tdx with { Parts = new Dictionary<string, byte[]>() }, collateral: collateral).Reason);
        File.Delete(folder["amd-genoa.crl"]);
        Refused(world.Verify(snp with { Parts = new Dictionary<string, byte[]>() }, collateral: collateral), "snp.revocation-list");
    }

    [Fact]
    public void An_event_log_is_believed_only_when_it_gives_the_quoted_registers()
    {
        var evidence = world.Evidence(EvidenceKinds.Tpm);
        Evidence With(byte[] log) => evidence with { Parts = new Dictionary<string, byte[]>(evidence.Parts) { [EvidenceParts.EventLog] = log } };
        Assert.Equal("", world.Verify(With(Tpm.TpmPlatform.EventLog("eleven"u8))).Reason);
        Refused(world.Verify(With(Tpm.TpmPlatform.EventLog("twelve"u8))), "tpm.event-log");
        Refused(world.Verify(evidence, world.Policy with { Tpm = world.Policy.Tpm! with { RequireEventLog = true } }), "tpm.event-log");
    }

    [Fact]
    public void Azures_quote_needs_the_key_that_the_processors_report_vouches_for()
    {
        using var other = new HardwareWorld();
        var (mine, theirs) = (world.Evidence(EvidenceKinds.AzureVtpm), other.Evidence(EvidenceKinds.AzureVtpm));
        Refused(world.Verify(mine with { Parts = new Dictionary<string, byte[]>(mine.Parts) { [EvidenceParts.Signature] = theirs.Parts[EvidenceParts.Signature] } }), "tpm.quote-signature");
        var hcl = mine.Parts[EvidenceParts.HclReport].ToArray();
        hcl[^3] ^= 1;
        Refused(world.Verify(mine with { Parts = new Dictionary<string, byte[]>(mine.Parts) { [EvidenceParts.HclReport] = hcl } }), "runtime-binding");
    }

    [Fact]
    public async Task A_production_policy_with_published_measurements_vouches_and_one_without_proof_does_not()
    {
        using var folder = new TemporaryFolder();
        using Signer logKey = Signer.Generate(), publisher = Signer.Generate(), stranger = Signer.Generate();
        await using var log = await TransparencyLog.CreateAsync(folder["log"], "measurements.example/log", logKey, Cancel);
        var value = world.Policy.Measurements[0].Value;
        Task<ReferenceValue> PublishAsync(string what, Signer by) => MeasurementProvenance.PublishAsync(log, by, new() { Value = what, Kind = EvidenceKinds.SevSnp, Program = "worker 1", Time = DateTimeOffset.UnixEpoch }, Cancel);
        var published = await PublishAsync(value, publisher);
        var policy = world.Policy with
        {
            Environment = EvidenceEnvironment.Production,
            Kinds = [EvidenceKinds.SevSnp],
            Measurements = [published],
            Provenance = new() { Log = logKey.PublicKey, Publishers = [publisher.PublicKey] },
        };

        var appraisal = world.Verify(world.Evidence(EvidenceKinds.SevSnp), policy);
        Assert.Equal((EvidenceVerdict.Trusted, false), (appraisal.Verdict, appraisal.Insecure));
        var read = EvidencePolicySignature.Open(EvidencePolicySignature.Sign(policy, publisher), [publisher.PublicKey]);
        Assert.Equal(policy.Digest(), read.Digest());
        Assert.Equal(1, read.Version);

        ReferenceValue[] refused = [new(value), published with { Value = $"sha384:{new string('0', 96)}" }, await PublishAsync(value, stranger), published with { Proof = published.Proof! with { Place = "rubbish" } }];
        Assert.All(refused, one => Refused(world.Verify(world.Evidence(EvidenceKinds.SevSnp), policy with { Measurements = [one] }), "policy"));
        Refused(world.Verify(world.Evidence(EvidenceKinds.SevSnp), policy with { Provenance = policy.Provenance with { Log = stranger.PublicKey } }), "policy");
        Refused(world.Verify(world.Evidence(EvidenceKinds.SevSnp), policy with { Provenance = null, Measurements = [new(value)] }), "policy");
        Assert.Throws<InvalidDataException>(() => EvidencePolicySignature.Open(policy.ToJson(), [publisher.PublicKey]));
        Assert.Throws<InvalidDataException>(() => EvidencePolicySignature.Open(EvidencePolicySignature.Sign(policy, stranger), [publisher.PublicKey]));
        var development = world.Policy with { Kinds = [EvidenceKinds.SevSnp] };
        Assert.Equal(development.Digest(), EvidencePolicySignature.Open(development.ToJson(), []).Digest());
    }

    [Theory, InlineData(EvidenceKinds.SevSnp, "warning"), InlineData(EvidenceKinds.Tdx, "warning")]
    public void The_result_as_a_token_says_what_the_appraisal_says_and_verifies(string kind, string status)
    {
        using var verifier = Signer.Generate();
        var (good, bad) = (world.Evidence(kind), world.Evidence(kind) with { BootId = [.. Enumerable.Repeat((byte)9, 16)] });
        foreach (var (evidence, expected) in ((Evidence, string)[])[(good, status), (bad, "contraindicated")])
        {
            var parts = EarToken.Create(world.Verify(evidence), evidence, world.Policy, verifier, AttestationPki.Now).Split('.');
            Assert.True(verifier.PublicKey.Verify(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), System.Buffers.Text.Base64Url.DecodeFromChars(parts[2])));
            using var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]));
            var submodule = claims.RootElement.GetProperty("submods").GetProperty(kind);
            Assert.Equal(expected, submodule.GetProperty("ear_status").GetString());
            Assert.True(submodule.GetProperty("ear_verifier_claims").GetProperty("insecure").GetBoolean());
            Assert.Equal(expected != "contraindicated", claims.RootElement.TryGetProperty("exp", out _));
        }
    }

    [Fact]
    public async Task A_real_TPM_opens_the_credential_and_gets_the_key_and_another_TPM_does_not()
    {
        using SoftwareTpm server = SoftwareTpm.Start(), elsewhere = SoftwareTpm.Start();
        var selection = new PcrSelection(TpmHash.Sha256, [0, 7, 16]);
        using TpmEvidenceSource source = new(server.Address, selection), other = new(elsewhere.Address, selection);
        using var root = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (policy, chain) = await TpmEnrolment.EnrolAsync(source, selection, root, world.Model, world.Receipts.PublicKey);
        var broker = new KeyBroker(policy, (_, _) => ValueTask.FromResult<SecretBytes?>(SecretBytes.CopyOf(new byte[32])), (_, _) => ValueTask.CompletedTask, world.Time);

        async Task<KeyReleaseAnswer> AskAsync(TpmEvidenceSource introduces, TpmEvidenceSource answers)
        {
            var challenge = await broker.ChallengeAsync(await introduces.IntroduceAsync(Cancel), Cancel);
            Evidence evidence;
            try
            {
                evidence = await answers.CollectAsync(challenge, new() { Hpke = world.Hpke.PublicKey.ToArray(), Receipt = world.Receipts.PublicKey }, world.Model, Cancel);
            }
            catch (IOException)
            {
                evidence = await answers.CollectAsync(new() { Nonce = challenge.Nonce }, new() { Hpke = world.Hpke.PublicKey.ToArray(), Receipt = world.Receipts.PublicKey }, world.Model, Cancel);
            }

            return await broker.ReleaseAsync(evidence with { Parts = new Dictionary<string, byte[]>(evidence.Parts) { [EvidenceParts.EndorsementChain] = chain } }, Cancel);
        }

        var answer = await AskAsync(source, source);
        Assert.True(answer.Key is not null, answer.Record.Reason);
        Assert.Contains("tpm.ek-binding", (await AskAsync(source, other)).Record.FailedLegs);
        Assert.Contains("tpm.ek-binding", (await AskAsync(other, other)).Record.FailedLegs);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static void Refused(EvidenceAppraisal appraisal, string leg)
    {
        Assert.Equal(EvidenceVerdict.Refused, appraisal.Verdict);
        Assert.StartsWith(leg + ":", appraisal.Reason, StringComparison.Ordinal);
    }
}
