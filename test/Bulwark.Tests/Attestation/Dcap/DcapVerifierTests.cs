using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bulwark.Attestation;
using Bulwark.Attestation.Dcap;

namespace Bulwark.Tests.Attestation.Dcap;

public sealed class DcapVerifierTests(DcapPlatformFixture fixture) : IClassFixture<DcapPlatformFixture>
{
    private const int SignedBytes = 48 + 584;

    /// <summary>Of what is not the quote's own header and body, every byte with BULWARK_FLIP_STRIDE=1; every 17th otherwise.</summary>
    private static readonly int s_stride = int.Parse(Environment.GetEnvironmentVariable("BULWARK_FLIP_STRIDE") ?? "17", CultureInfo.InvariantCulture);

    private readonly DcapPlatform _platform = fixture.Platform;

    [Theory, InlineData(true, false), InlineData(true, true), InlineData(false, false)]
    public void A_genuine_quote_of_a_known_platform_is_accepted_and_every_leg_says_so(bool tdx, bool td15)
    {
        var appraisal = DcapPlatform.Verify(_platform.Quote(tdx: tdx, td15: td15), _platform.Collateral(tdx: tdx), _platform.Policy(tdx));

        Assert.True(appraisal.Decision is PlatformDecision.Accepted, $"{appraisal.Failed}");
        Assert.Equal((Convert.ToHexStringLower(DcapPlatform.Piid), "UpToDate"), (appraisal.PlatformId, appraisal.TcbStatus));
        Assert.True(appraisal.Legs.Count >= 40, $"{appraisal.Legs.Count} legs");
        Assert.Equal(appraisal.Legs.Count, appraisal.Legs.Select(leg => leg.Name).Distinct().Count());
        Assert.Equal(new DateTimeOffset(2026, 6, 19, 0, 0, 0, TimeSpan.Zero), appraisal.ValidUntil);
    }

    public static TheoryData<string, string> Legs => new()
    {
        { "quote-format", "Format" }, { "collateral-format", "CollateralFormat" }, { "pck-format", "CertFormat" }, { "pck-root", "UntrustedRoot" }, { "pck-chain", "CertChain" }, { "pck-dates", "CertExpired" },
        { "revocation-lists", "NoRevocationData" }, { "pck-revoked", "PckRevoked" }, { "authority-revoked", "TcbSigningRevoked" }, { "revocation-in-force", "CrlExpired" }, { "collateral-age", "CollateralAge" },
        { "tcb-info-root", "UntrustedRoot" }, { "tcb-info-chain", "CertChain" }, { "tcb-info-dates", "CertExpired" }, { "tcb-info-signature", "TcbInfoSignature" }, { "tcb-info-in-force", "CollateralExpired" }, { "tcb-info-fits", "TcbInfoMismatch" },
        { "qe-identity-document-root", "UntrustedRoot" }, { "qe-identity-document-chain", "CertChain" }, { "qe-identity-document-dates", "CertExpired" }, { "qe-identity-document-signature", "QeIdentitySignature" },
        { "qe-identity-document-in-force", "CollateralNotYetValid" }, { "qe-identity-fits", "QeIdentityMismatch" }, { "qe-report-signature", "QeReportSignature" }, { "qe-key-binding", "QeReportData" }, { "quote-signature", "QuoteSignature" },
        { "tdx-module", "TdxModuleMismatch" }, { "qe-identity", "QeIdentityMismatch" }, { "tcb-level", "NoMatchingLevel" }, { "debug", "Debug" }, { "tcb-status", "OutOfDate" }, { "advisories", "Advisory" }, { "evaluation-number", "EvaluationNumber" },
        { "platform", "Platform" }, { "measurement", "Measurement" }, { "registers", "Registers" }, { "td-attributes", "TdAttributes" }, { "xfam", "Xfam" }, { "mr-config-id", "MrConfigId" }, { "service-td", "ServiceTd" }, { "report-data", "Binding" }, { "collateral-content", "CollateralFormat" },
    };

    [Theory, MemberData(nameof(Legs))]
    public void Each_leg_fails_under_its_own_name(string name, string code)
    {
        var (quote, collateral, policy) = Bent(name);
        var appraisal = DcapPlatform.Verify(quote, collateral, policy);

        Assert.NotEqual(PlatformDecision.Accepted, appraisal.Decision);
        var leg = appraisal.Legs.Single(leg => leg.Name == name);
        Assert.Equal((LegOutcome.Failed, code), (leg.Outcome, leg.Code));
        Assert.Equal(Names(), appraisal.Legs.Select(one => one.Name).Order());
    }

    [Fact]
    public void Every_leg_of_an_appraisal_has_its_negative_test() => Assert.Equal(Names(), Legs.Select(row => row.Data.Item1).Order());

    [Fact]
    public void No_flipped_bit_of_a_quotes_signed_bytes_is_accepted()
    {
        var (genuine, collateral, policy) = (_platform.Quote(), _platform.Collateral(), _platform.Policy());
        // Header, body, both signatures, the key, the quoting enclave's report and its authentication data: all that is read but the PEM, which the chain's legs cover.
        var end = genuine.AsSpan().IndexOf("-----BEGIN"u8);
        Parallel.ForEach(Enumerable.Range(0, end).Where(at => at < SignedBytes || at % s_stride == 0), at =>
        {
            var quote = genuine.ToArray();
            quote[at] ^= (byte)(1 << (at % 8));
            Assert.True(IsLength(at, end) || DcapPlatform.Verify(quote, collateral, policy).Decision is not PlatformDecision.Accepted, $"byte {at}");
        });
    }

    [Fact]
    public void No_flipped_bit_of_the_vendors_documents_is_accepted()
    {
        var (quote, genuine, policy) = (_platform.Quote(), _platform.Collateral(), _platform.Policy());
        var document = JsonNode.Parse(genuine)!.AsObject();
        foreach (var name in (string[])["tcb_info", "qe_identity"])
        {
            var text = document[name]!.GetValue<string>();
            Parallel.For(0, text.Length / s_stride, part =>
            {
                var at = part * s_stride;
                var changed = JsonNode.Parse(genuine)!.AsObject();
                changed[name] = $"{text[..at]}{(char)(text[at] ^ 1)}{text[(at + 1)..]}";
                Assert.NotEqual(PlatformDecision.Accepted, DcapPlatform.Verify(quote, System.Text.Encoding.UTF8.GetBytes(changed.ToJsonString()), policy).Decision);
            });
        }
    }

    [Fact]
    public void Documents_of_SGX_do_not_judge_a_TDX_quote() =>
        Assert.Equal("TcbInfoMismatch", DcapPlatform.Verify(_platform.Quote(), _platform.Collateral(tdx: false), _platform.Policy()).Legs.Single(leg => leg.Name == "tcb-info-fits").Code);

    [Fact]
    public void A_debug_enclave_of_SGX_is_refused() =>
        Assert.Equal("Debug", DcapPlatform.Verify(_platform.Quote(body => body[48] |= 2, tdx: false), _platform.Collateral(tdx: false), _platform.Policy(false)).Failed?.Code);

    [Fact]
    public void Any_platform_must_be_spelled_out_and_is_flagged()
    {
        var appraisal = DcapPlatform.Verify(_platform.Quote(), _platform.Collateral(), _platform.Policy() with { Platforms = [], AnyPlatform = true });
        Assert.Equal(PlatformDecision.Accepted, appraisal.Decision);
        Assert.StartsWith("any", appraisal.Legs.Single(leg => leg.Name == "platform").Detail, StringComparison.Ordinal);
    }

    /// <summary>The fields that say how long the signature data are: no signature covers them, and what they cut off is not read.</summary>
    private static bool IsLength(int at, int end) => at is >= 632 and < 636 || at >= end - 4 || at is >= 764 and < 770;

    private IEnumerable<string> Names() => DcapPlatform.Verify(_platform.Quote(), _platform.Collateral(), _platform.Policy()).Legs.Select(leg => leg.Name).Order();

    private (byte[] Quote, byte[] Collateral, DcapPolicy Policy) Bent(string leg)
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (quote, collateral, policy) = (_platform.Quote(), _platform.Collateral(), _platform.Policy());
        return leg switch
        {
            "quote-format" => (quote[..700], collateral, policy),
            "collateral-format" => (quote, "{}"u8.ToArray(), policy),
            "pck-format" => (_platform.Quote(pck: _platform.Leaf(withExtension: false)), collateral, policy),
            "pck-root" => (quote, collateral, policy with { Roots = [fixture.Attacker.Root.KeyDigest()] }),
            "pck-chain" => (_platform.Quote(pck: fixture.Attacker.Pck), collateral, policy),
            "pck-dates" => (_platform.Quote(pck: _platform.Leaf(end: AttestationPki.Now.AddDays(-1))), collateral, policy),
            "revocation-lists" => (quote, _platform.Collateral(whole: document => document.Remove("pck_crl")), policy),
            "pck-revoked" => (quote, _platform.Collateral(pckList: _platform.PckList(_platform.Pck)), policy),
            "authority-revoked" => (quote, _platform.Collateral(rootList: _platform.RootList(_platform.TcbSigning)), policy),
            "revocation-in-force" => (quote, _platform.Collateral(listDate: AttestationPki.Now.AddDays(-40)), policy),
            "collateral-age" => (quote, collateral, policy with { MaximumCollateralAge = TimeSpan.FromDays(5) }),
            "tcb-info-root" or "qe-identity-document-root" => (quote, _platform.Collateral(whole: document => document[Chain(leg)] = fixture.Attacker.TcbSigning.ExportCertificatePem() + "\n" + fixture.Attacker.Root.ExportCertificatePem()), policy),
            "tcb-info-chain" or "qe-identity-document-chain" => (quote, _platform.Collateral(whole: document => document[Chain(leg)] = fixture.Attacker.TcbSigning.ExportCertificatePem() + "\n" + _platform.Root.ExportCertificatePem()), policy),
            "tcb-info-dates" or "qe-identity-document-dates" => (quote, _platform.Collateral(signing: _platform.Signing(AttestationPki.Now.AddDays(-1))), policy),
            "tcb-info-signature" or "qe-identity-document-signature" => (quote, _platform.Collateral(signer: stranger), policy),
            "tcb-info-in-force" => (quote, _platform.Collateral(tcbInfo: info => info["nextUpdate"] = "2026-05-31T00:00:00Z"), policy),
            "qe-identity-document-in-force" => (quote, _platform.Collateral(identity: one => one["issueDate"] = "2026-06-02T00:00:00Z"), policy),
            "tcb-info-fits" => (quote, _platform.Collateral(tcbInfo: info => info["fmspc"] = "00806F060000"), policy),
            "qe-identity-fits" => (quote, _platform.Collateral(identity: one => one["id"] = "QE"), policy),
            "qe-report-signature" => (_platform.Quote(qeSigner: stranger), collateral, policy),
            "qe-key-binding" => (_platform.Quote(qe: report => report[320] ^= 1), collateral, policy),
            "quote-signature" => (_platform.Quote(quoteSigner: stranger), collateral, policy),
            "tdx-module" => (_platform.Quote(body => body[64] = 1), collateral, policy),
            "qe-identity" => (_platform.Quote(qe: report => report[128] ^= 1), collateral, policy),
            "tcb-level" => (quote, _platform.Collateral(tcbInfo: info => info["tcbLevels"]!.AsArray().Clear()), policy),
            "debug" => (_platform.Quote(body => body[120] = 1), collateral, policy),
            "mr-config-id" => (quote, collateral, policy with { MrConfigId = new string('1', 96) }),
            "tcb-status" => (quote, _platform.Collateral(tcbInfo: info => info["tcbLevels"]!.AsArray().RemoveAt(0)), policy with { AdvisoriesAllowed = ["INTEL-SA-00615"] }),
            "advisories" => (quote, _platform.Collateral(tcbInfo: info => info["tcbLevels"]!.AsArray().RemoveAt(0)), policy with { Statuses = [TcbStatus.OutOfDate] }),
            "evaluation-number" => (quote, _platform.Collateral(identity: one => one["tcbEvaluationDataNumber"] = 16), policy),
            "platform" => (quote, collateral, policy with { Platforms = ["00"] }),
            "measurement" => (quote, collateral, policy with { Measurements = ["00"] }),
            "registers" => (_platform.Quote(body => body[328 + 48] ^= 1), collateral, policy),
            "td-attributes" => (_platform.Quote(body => body[127] = 0x80), collateral, policy),
            "xfam" => (_platform.Quote(body => body[128] ^= 1), collateral, policy),
            "service-td" => (_platform.Quote(body => body[600] = 1, td15: true), collateral, policy),
            "report-data" => (_platform.Quote(body => body[520] ^= 1), collateral, policy),
            "collateral-content" => (quote, _platform.Collateral(tcbInfo: info => info.Remove("tcbLevels")), policy),
            _ => throw new ArgumentOutOfRangeException(nameof(leg), leg, null),
        };
    }

    private static string Chain(string leg) => leg.StartsWith("tcb", StringComparison.Ordinal) ? "tcb_info_issuer_chain" : "qe_identity_issuer_chain";
}

/// <summary>Platforms that the tests of a class share: keys cost time.</summary>
public sealed class DcapPlatformFixture : IDisposable
{
    internal DcapPlatform Platform { get; } = new();
    internal DcapPlatform Attacker { get; } = new();

    public void Dispose()
    {
        Platform.Dispose();
        Attacker.Dispose();
    }
}
