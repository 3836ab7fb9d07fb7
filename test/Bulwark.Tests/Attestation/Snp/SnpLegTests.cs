using Bulwark.Attestation;
using Bulwark.Attestation.Snp;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Attestation.Snp;

/// <summary>Every leg of an SNP appraisal, each with the change that makes it fail; the genuine report, in which all of them pass, is the positive case.</summary>
public sealed class SnpLegTests(SnpPlatformFixture fixture) : IClassFixture<SnpPlatformFixture>
{
    private readonly SnpPlatform _platform = fixture.Platform;

    public static TheoryData<string, string> Legs => new()
    {
        { "snp-format", "Format" }, { "vcek-format", "CertFormat" }, { "vcek-root", "UntrustedRoot" }, { "vcek-chain", "CertChain" }, { "vcek-dates", "CertExpired" },
        { "revocation-list", "NoRevocationData" }, { "revoked", "Revoked" }, { "collateral-age", "CollateralAge" }, { "report-signature", "Signature" }, { "report-version", "Unsupported" },
        { "signing-key", "SigningKeyMismatch" }, { "reserved", "Reserved" }, { "product", "ProductMismatch" }, { "chip-id", "HwidMismatch" }, { "reported-tcb", "TcbMismatch" },
        { "guest-policy", "PolicyReserved" }, { "debug", "Debug" }, { "migration", "MigrateMA" }, { "product-allowed", "Product" }, { "vmpl", "Vmpl" }, { "platform-info", "PlatformInfo" },
        { "committed-tcb", "TcbFloor" }, { "launch-tcb", "LaunchTcb" }, { "provisional-firmware", "ProvisionalFirmware" }, { "mitigations", "Mitigations" }, { "chip-known", "MaskedChip" },
        { "vlek", "Vlek" }, { "platform", "Platform" }, { "measurement", "Measurement" }, { "host-data", "HostData" }, { "id-key", "IdKey" }, { "report-data", "Binding" },
    };

    [Fact]
    public void Every_leg_of_an_appraisal_has_its_negative_test_and_passes_for_the_genuine_report()
    {
        var appraisal = Appraise(_platform.Evidence(), Policy);
        Assert.Equal(appraisal.Legs.Select(leg => leg.Name).Order(), Legs.Select(row => row.Data.Item1).Order());
        Assert.All(appraisal.Legs, leg => Assert.Equal((leg.Name, LegOutcome.Passed), (leg.Name, leg.Outcome)));
    }

    [Theory, MemberData(nameof(Legs))]
    public void Each_leg_fails_under_its_own_name(string name, string code)
    {
        var (evidence, policy) = Bent(name);
        var appraisal = Appraise(evidence, policy, name == "report-data" ? (byte)0xDB : (byte)0xDA);

        Assert.NotEqual(PlatformDecision.Accepted, appraisal.Decision);
        var leg = appraisal.Legs.Single(leg => leg.Name == name);
        Assert.Equal((LegOutcome.Failed, code), (leg.Outcome, leg.Code));
    }

    /// <summary>Asks for everything that can be asked for, so that no leg is waived.</summary>
    private SnpPolicy Policy => _platform.Policy with
    {
        MaximumCollateralAge = TimeSpan.FromDays(10),
        HostData = Convert.ToHexStringLower(new byte[32]),
        IdKeyDigests = [Convert.ToHexStringLower(new byte[48])],
    };

    private (SnpEvidence Evidence, SnpPolicy Policy) Bent(string leg)
    {
        SnpEvidence With(int at, params byte[] bytes) => _platform.Evidence(_platform.Report(report => bytes.CopyTo(report.AsSpan(at))));
        var genuine = _platform.Evidence();
        switch (leg)
        {
            case "snp-format": return (genuine with { Report = new byte[7] }, Policy);
            case "vcek-format": return (genuine with { Leaf = new byte[] { 0x30, 0 } }, Policy);
            case "vcek-root":
                using (var attacker = new SnpPlatform())
                    return (attacker.Evidence(), Policy);
            case "vcek-chain":
                using (var attacker = new SnpPlatform())
                    return (genuine with { Leaf = attacker.Vcek.RawData }, Policy);
            case "vcek-dates":
                using (var ended = _platform.Leaf("SEV-VCEK", AttestationPki.Now.AddDays(-1), (".4", SnpPlatform.Chip)))
                    return (_platform.Evidence(leaf: ended), Policy);
            case "revocation-list": return (_platform.Evidence(list: []), Policy);
            case "revoked": return (_platform.Evidence(list: _platform.RevocationList(_platform.Ask)), Policy);
            case "collateral-age": return (genuine, Policy with { MaximumCollateralAge = TimeSpan.FromTicks(1) });
            case "report-signature":
                var changed = _platform.Report();
                changed[0x050] ^= 1;
                return (_platform.Evidence(changed), Policy);
            case "report-version": return (With(0x000, 6), Policy);
            case "signing-key": return (With(0x048, 4), Policy);
            case "reserved": return (With(0x04C, 1), Policy);
            case "product": return (With(0x189, 0x01), Policy);
            case "chip-id": return (With(0x1A0, 0xFF), Policy);
            case "reported-tcb": return (With(0x186, 24), Policy);
            case "guest-policy": return (With(0x00A, 0x01), Policy);
            case "debug": return (With(0x00A, 0x0B), Policy);
            case "migration": return (With(0x00A, 0x07), Policy);
            case "product-allowed": return (genuine, Policy with { Products = new Dictionary<SnpProduct, SnpFloor>() });
            case "vmpl": return (With(0x030, 2), Policy);
            case "platform-info": return (With(0x040, 0x07), Policy);
            case "committed-tcb": return (With(0x1E6, 22), Policy);
            case "launch-tcb": return (With(0x1F6, 22), Policy);
            case "provisional-firmware": return (With(0x1EC, 39), Policy);
            case "mitigations": return (genuine, Policy with { Products = Policy.Products.ToDictionary(one => one.Key, one => one.Value with { Mitigations = 1 }) });
            case "chip-known": return (_platform.Evidence(_platform.Report(report => { report[0x048] = 2; report.AsSpan(0x1A0, 64).Clear(); })), Policy);
            case "vlek":
                using (var provider = _platform.Leaf("SEV-VLEK", (".5", SnpPlatform.Text("cloud"))))
                    return (_platform.Evidence(_platform.Report(report => { report[0x048] = 4; report.AsSpan(0x1A0, 64).Clear(); }), provider), Policy);
            case "platform": return (genuine, Policy with { Platforms = ["00"] });
            case "measurement": return (With(0x090, 0x4E), Policy);
            case "host-data": return (genuine, Policy with { HostData = new string('1', 64) });
            case "id-key": return (genuine, Policy with { IdKeyDigests = [new string('1', 96)] });
            case "report-data": return (genuine, Policy);
            default: throw new ArgumentOutOfRangeException(nameof(leg), leg, "There is no change that makes this leg fail.");
        }
    }

    private static PlatformAppraisal Appraise(SnpEvidence evidence, SnpPolicy policy, byte data = 0xDA) =>
        new SnpVerifier(policy, new FakeTimeProvider(AttestationPki.Now.AddMinutes(1))).Verify(evidence, [.. Enumerable.Repeat(data, 64)]);
}
