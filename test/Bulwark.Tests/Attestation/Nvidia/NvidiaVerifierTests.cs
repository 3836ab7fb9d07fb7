using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Attestation.Kinds;
using Bulwark.Attestation.Nvidia;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Attestation.Nvidia;

/// <summary>A GPU's report by itself, and beside a processor's.</summary>
public sealed class NvidiaVerifierTests : IDisposable
{
    private readonly GpuPlatform _gpu = new();
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(32);

    public void Dispose() => _gpu.Dispose();

    [Fact]
    public void A_genuine_report_passes_every_leg()
    {
        var appraisal = Verify(_gpu.Report(_nonce));
        Assert.Equal(PlatformDecision.Accepted, appraisal.Decision);
        Assert.All(appraisal.Legs.Where(leg => leg.Name is not "revocation"), leg => Assert.Equal(LegOutcome.Passed, leg.Outcome));
        Assert.Equal("550.1", appraisal.Claims["gpu.driver"]);
    }

    [Fact]
    public void No_flipped_bit_of_the_signed_bytes_or_the_signature_is_accepted()
    {
        var (report, key) = (_gpu.Report(_nonce), _gpu.Leaf.PublicKey.ExportSubjectPublicKeyInfo());
        for (var at = 0; at < report.Length; at++)
        {
            report[at] ^= (byte)(1 << (at % 8));
            Assert.False(GpuReport.TryRead(report, out var flipped) && flipped!.IsSignedBy(key), $"byte {at}");
            report[at] ^= (byte)(1 << (at % 8));
        }

        foreach (var length in new[] { 0, 36, 100, report.Length - 1 })
            Assert.Equal(PlatformDecision.Rejected, Verify(report[..length]).Decision);
        Assert.Equal(PlatformDecision.Rejected, Verify([.. report, 0]).Decision);
    }

    [Fact]
    public void Each_leg_fails_under_its_own_name()
    {
        var report = _gpu.Report(_nonce);
        using var other = new GpuPlatform();
        var late = new FakeTimeProvider(AttestationPki.End.AddDays(1));
        (string Leg, PlatformAppraisal Appraisal)[] cases =
        [
            ("report", Verify(report[..^1])),
            ("chain", Verify(report, chain: [])),
            ("root", Verify(report, chain: other.Chain)),
            ("root", Verify(report, policy: _gpu.Policy with { Roots = [NvidiaPolicy.NvidiaRoot] })),
            ("signed-chain", Verify(report, chain: GpuPlatform.Pem(_gpu.Leaf, other.Device, _gpu.Root))),
            ("signed-chain", Verify(report, chain: GpuPlatform.Pem(_gpu.Device, _gpu.Leaf, _gpu.Root))),
            ("dates", new NvidiaVerifier(_gpu.Policy, late).Verify(report, _gpu.Chain, _nonce)),
            ("signature", Verify(other.Report(_nonce))),
            ("nonce", Verify(_gpu.Report(new byte[32]))),
            ("firmware-id", Verify(_gpu.Report(_nonce, body => body[^1] ^= 1))),
            ("platform", Verify(report, policy: _gpu.Policy with { Platforms = ["00"] })),
            ("measurements", Verify(_gpu.Report(_nonce, body => body[60] ^= 1))),
            ("measurements", Verify(report, policy: _gpu.Policy with { Measurements = new Dictionary<int, IReadOnlyList<string>> { [3] = [GpuPlatform.Value(3)] } })),
            ("driver", Verify(report, policy: _gpu.Policy with { Drivers = ["551"] })),
            ("video-bios", Verify(report, policy: _gpu.Policy with { VideoBios = ["00"] })),
            ("revocation", Verify(report, policy: _gpu.Policy with { WithoutRevocation = false })),
        ];
        Assert.All(cases, one =>
        {
            Assert.NotEqual(PlatformDecision.Accepted, one.Appraisal.Decision);
            Assert.Contains(one.Appraisal.Legs, leg => leg.Name == one.Leg && leg.Outcome is LegOutcome.Failed);
        });
    }

    [Fact]
    public void Beside_a_processor_it_must_be_there_and_about_the_processors_own_statement()
    {
        using var world = new HardwareWorld();
        var policy = world.Policy with { Nvidia = _gpu.Policy };
        Evidence With(Evidence evidence, byte[] report) => evidence with
        {
            Parts = new Dictionary<string, byte[]>(evidence.Parts) { [EvidenceParts.GpuReport] = report, [EvidenceParts.GpuChain] = _gpu.Chain },
        };
        foreach (var kind in HardwareWorld.Kinds)
        {
            var evidence = world.Evidence(kind);
            var both = world.Verify(With(evidence, _gpu.Report(GpuPart.Nonce(evidence))), policy);
            Assert.True(both.Verdict is EvidenceVerdict.Trusted, both.Reason);
            Assert.Equal(13, both.Legs.Count(leg => leg.Name.StartsWith("gpu.", StringComparison.Ordinal)));
            Refused(world.Verify(evidence, policy), "gpu.report");
            Refused(world.Verify(With(evidence, _gpu.Report(world.Nonce)), policy), "gpu.nonce");
            Refused(world.Verify(With(evidence, _gpu.Report(GpuPart.Nonce(evidence))), world.Policy), "parts");   // a policy that does not ask takes none
        }
    }

    [Fact]
    public void A_policy_spells_out_every_risk_that_it_takes()
    {
        Assert.Equal(3, new NvidiaPolicy().Faults().Count());
        var open = new NvidiaPolicy { AnyPlatform = true, AnyMeasurement = true, WithoutRevocation = true };
        Assert.Empty(open.Faults());
        Assert.Equal(["nvidia: any GPU", "nvidia: any firmware", "nvidia: revocation is not looked up"], open.Flags());
        Assert.Equal(2, (open with { Platforms = ["00"], Measurements = new Dictionary<int, IReadOnlyList<string>> { [1] = [""] } }).Faults().Count());
    }

    private PlatformAppraisal Verify(byte[] report, NvidiaPolicy? policy = null, byte[]? chain = null) =>
        new NvidiaVerifier(policy ?? _gpu.Policy, new FakeTimeProvider(AttestationPki.Now)).Verify(report, chain ?? _gpu.Chain, _nonce);

    private static void Refused(EvidenceAppraisal appraisal, string leg)
    {
        Assert.Equal(EvidenceVerdict.Refused, appraisal.Verdict);
        Assert.Contains(appraisal.Legs, one => one.Name == leg && one.Outcome is LegOutcome.Failed);
    }
}
