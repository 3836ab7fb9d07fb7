using Bulwark.Attestation;
using Bulwark.Attestation.Snp;

namespace Bulwark.Tests.Attestation.Snp;

public sealed class SnpVerifierTests(SnpPlatformFixture fixture) : IClassFixture<SnpPlatformFixture>
{
    private readonly SnpPlatform _platform = fixture.Platform;

    [Fact]
    public void A_genuine_report_of_a_known_chip_is_accepted_and_every_leg_says_so()
    {
        var appraisal = Appraise(_platform.Evidence());

        Assert.Equal(PlatformDecision.Accepted, appraisal.Decision);
        Assert.True(appraisal.Legs.Count >= 25, $"{appraisal.Legs.Count} legs");
        Assert.Equal(Convert.ToHexStringLower(SnpPlatform.Chip), appraisal.PlatformId);
        Assert.Equal(appraisal.Legs.Count, appraisal.Legs.Select(leg => leg.Name).Distinct().Count());
    }

    public static TheoryData<string, int, int, PlatformDecision> Changes => new()
    {
        // code of the leg that must fail, where the report changes before it is signed, the byte there
        { "Unsupported", 0x000, 1, PlatformDecision.Rejected },
        { "Unsupported", 0x000, 6, PlatformDecision.Rejected },
        { "Unsupported", 0x034, 2, PlatformDecision.Rejected },
        { "SigningKeyMismatch", 0x048, 4, PlatformDecision.Rejected },
        { "Reserved", 0x04C, 1, PlatformDecision.Rejected },
        { "Reserved", 0x250, 1, PlatformDecision.Rejected },
        { "ProductMismatch", 0x189, 0x01, PlatformDecision.Rejected },
        { "HwidMismatch", 0x1A0, 0xFF, PlatformDecision.Rejected },
        { "TcbMismatch", 0x186, 24, PlatformDecision.Rejected },
        { "PolicyReserved", 0x00A, 0x01, PlatformDecision.Rejected },
        { "Debug", 0x00A, 0x0B, PlatformDecision.Rejected },
        { "MigrateMA", 0x00A, 0x07, PlatformDecision.Rejected },
        { "Vmpl", 0x030, 2, PlatformDecision.AgainstPolicy },
        { "PlatformInfo", 0x040, 0x07, PlatformDecision.AgainstPolicy },
        { "TcbFloor", 0x1E6, 22, PlatformDecision.AgainstPolicy },
        { "LaunchTcb", 0x1F6, 22, PlatformDecision.AgainstPolicy },
        { "ProvisionalFirmware", 0x1EC, 39, PlatformDecision.AgainstPolicy },
        { "Measurement", 0x090, 0x4E, PlatformDecision.AgainstPolicy },
    };

    [Theory, MemberData(nameof(Changes))]
    public void A_report_that_says_otherwise_fails_under_the_name_of_what_is_wrong(string code, int at, int value, PlatformDecision decision)
    {
        var appraisal = Appraise(_platform.Evidence(_platform.Report(report => report[at] = (byte)value)));

        Assert.Equal((decision, code), (appraisal.Decision, appraisal.Failed?.Code));
    }

    [Fact]
    public void No_flipped_bit_of_the_signed_bytes_or_the_signature_is_accepted()
    {
        var report = _platform.Report();
        var key = _platform.Vcek.PublicKey.ExportSubjectPublicKeyInfo();
        for (var at = 0; at < report.Length; at++)
        {
            report[at] ^= (byte)(1 << (at % 8));
            SnpReport.TryRead(report, out var flipped);
            Assert.False(flipped!.IsSignedBy(key) && flipped.ReservedAreZero(), $"byte 0x{at:x}");
            if (at % 48 == 0)
                Assert.Equal(PlatformDecision.Rejected, Appraise(_platform.Evidence(report)).Decision);
            report[at] ^= (byte)(1 << (at % 8));
        }
    }

    [Theory]
    [InlineData(1183)]
    [InlineData(1185)]
    [InlineData(0)]
    public void A_report_of_another_length_is_no_report(int length)
    {
        var appraisal = Appraise(_platform.Evidence() with { Report = new byte[length] });

        Assert.Equal((PlatformDecision.Rejected, "Format"), (appraisal.Decision, appraisal.Failed?.Code));
    }

    [Fact]
    public void A_root_of_the_same_name_is_not_the_pinned_one()
    {
        using var attacker = new SnpPlatform();

        var appraisal = Appraise(attacker.Evidence());

        Assert.Equal((PlatformDecision.Rejected, "UntrustedRoot"), (appraisal.Decision, appraisal.Failed?.Code));
    }

    [Fact]
    public void A_leaf_that_the_intermediate_did_not_sign_breaks_the_chain()
    {
        using var attacker = new SnpPlatform();

        var appraisal = Appraise(attacker.Evidence() with { Signing = _platform.Ask.RawData, Root = _platform.Ark.RawData, RevocationList = _platform.RevocationList() });

        Assert.Equal((PlatformDecision.Rejected, "CertChain"), (appraisal.Decision, appraisal.Failed?.Code));
    }

    [Fact]
    public void A_revoked_intermediate_is_refused() =>
        Refused(_platform.Evidence(list: _platform.RevocationList(_platform.Ask)), "Revoked");

    [Fact]
    public void Without_a_revocation_list_nothing_is_accepted() => Refused(_platform.Evidence(list: []), "NoRevocationData");

    [Fact]
    public void A_list_that_another_root_signed_is_refused()
    {
        using var attacker = new SnpPlatform();
        Refused(_platform.Evidence(list: attacker.RevocationList()), "CrlSignature");
    }

    [Fact]
    public void An_old_list_is_refused()
    {
        var appraisal = new SnpVerifier(_platform.Policy, new Microsoft.Extensions.Time.Testing.FakeTimeProvider(AttestationPki.Now.AddDays(31))).Verify(_platform.Evidence());

        Assert.Equal("CrlExpired", appraisal.Failed?.Code);
    }

    [Fact]
    public void A_certificate_that_ended_is_refused()
    {
        using var leaf = _platform.Leaf("SEV-VCEK", AttestationPki.Now.AddDays(-1), (".4", SnpPlatform.Chip));
        Refused(_platform.Evidence(leaf: leaf), "CertExpired");
    }

    [Theory]
    [InlineData(".4")]
    [InlineData(".2")]
    [InlineData(".3.8")]
    public void A_leaf_without_an_extension_is_refused(string part)
    {
        using var leaf = _platform.Leaf("SEV-VCEK", (".4", SnpPlatform.Chip), (part, null));
        Refused(_platform.Evidence(leaf: leaf), "CertFormat");
    }

    [Fact]
    public void A_providers_key_is_accepted_only_where_the_policy_lets_it_stand_for_the_chip()
    {
        using var leaf = _platform.Leaf("SEV-VLEK", (".5", SnpPlatform.Text("cloud")));
        var evidence = _platform.Evidence(_platform.Report(report => { report[0x048] = 4; report.AsSpan(0x1A0, 64).Clear(); }), leaf);

        Assert.Equal("Vlek", Appraise(evidence).Failed?.Code);
        Assert.Equal(PlatformDecision.Accepted, SnpPlatform.Verifier(_platform.Policy with { AllowVlek = true, AnyPlatform = true }).Verify(evidence).Decision);
    }

    [Fact]
    public void A_masked_chip_is_against_the_policy()
    {
        var evidence = _platform.Evidence(_platform.Report(report => { report[0x048] = 2; report.AsSpan(0x1A0, 64).Clear(); }));

        Assert.Equal("MaskedChip", Appraise(evidence).Failed?.Code);
    }

    [Fact]
    public void A_genuine_chip_that_is_not_on_the_list_is_refused_as_a_relay_would_be()
    {
        var appraisal = SnpPlatform.Verifier(_platform.Policy with { Platforms = ["00"] }).Verify(_platform.Evidence());

        Assert.Equal((PlatformDecision.AgainstPolicy, "Platform"), (appraisal.Decision, appraisal.Failed?.Code));
    }

    [Fact]
    public void Any_platform_must_be_spelled_out_and_is_flagged()
    {
        var appraisal = SnpPlatform.Verifier(_platform.Policy with { Platforms = [], AnyPlatform = true }).Verify(_platform.Evidence());

        Assert.Equal(PlatformDecision.Accepted, appraisal.Decision);
        Assert.Contains(appraisal.Legs, leg => leg is { Name: "platform", Outcome: LegOutcome.NotApplicable } && leg.Detail.StartsWith("any", StringComparison.Ordinal));
    }

    [Fact]
    public void A_report_about_other_keys_is_refused()
    {
        var verifier = SnpPlatform.Verifier(_platform.Policy);
        var data = Enumerable.Repeat((byte)0xDA, 64).ToArray();

        Assert.Equal(PlatformDecision.Accepted, verifier.Verify(_platform.Evidence(), data).Decision);
        data[63] ^= 1;
        Assert.Equal((PlatformDecision.Rejected, "Binding"), (verifier.Verify(_platform.Evidence(), data) is var refused ? refused.Decision : default, refused.Failed?.Code));
    }

    [Fact]
    public void An_empty_policy_lets_no_product_in()
    {
        var policy = _platform.Policy with { Products = new Dictionary<SnpProduct, SnpFloor>() };

        Assert.Equal("Product", SnpPlatform.Verifier(policy).Verify(_platform.Evidence()).Failed?.Code);
    }

    [Fact]
    public void The_hosts_certificate_table_is_read_and_a_length_beyond_it_is_not()
    {
        byte[] table = [.. new Guid("63da758d-e664-4564-adc5-f4b93be8accd").ToByteArray(bigEndian: true), 48, 0, 0, 0, 2, 0, 0, 0, .. new byte[24], 0xAB, 0xCD];

        Assert.Equal([0xAB, 0xCD], SnpEvidence.FromCertificateTable(default, table)!.Leaf.ToArray());
        table[20] = 3;
        Assert.Null(SnpEvidence.FromCertificateTable(default, table));
        Assert.Null(SnpEvidence.FromCertificateTable(default, new byte[23]));
    }

    [Fact]
    public void Rubbish_for_certificates_is_a_verdict_not_an_exception()
    {
        var random = new Random(7);
        foreach (var length in (int[])[0, 1, 2, 50, 1000])
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            var appraisal = Appraise(new SnpEvidence(bytes, bytes, bytes, bytes, bytes));
            Assert.Equal(PlatformDecision.Rejected, appraisal.Decision);
        }
    }

    private PlatformAppraisal Appraise(SnpEvidence evidence) => SnpPlatform.Verifier(_platform.Policy).Verify(evidence);

    private void Refused(SnpEvidence evidence, string code)
    {
        var appraisal = Appraise(evidence);
        Assert.Equal((PlatformDecision.Rejected, code), (appraisal.Decision, appraisal.Failed?.Code));
    }
}

/// <summary>Making keys takes longer than the tests: one platform for all of them.</summary>
public sealed class SnpPlatformFixture : IDisposable
{
    internal SnpPlatform Platform { get; } = new();

    public void Dispose() => Platform.Dispose();
}
