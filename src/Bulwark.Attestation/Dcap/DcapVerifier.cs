using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Attestation.Certificates;

namespace Bulwark.Attestation.Dcap;

/// <summary>Appraises SGX and TDX quotes with Intel's collateral, offline, in the order of Intel's verification library (steps 4.1.2.4), a leg for each thing that can be wrong.</summary>
/// <param name="policy">What is let in.</param>
/// <param name="time">The verifier's clock.</param>
public sealed class DcapVerifier(DcapPolicy policy, TimeProvider time)
{
    private static readonly string[] s_legs =
    [
        "quote-format", "collateral-format", "pck-format", "pck-root", "pck-chain", "pck-dates", "revocation-lists", "pck-revoked", "authority-revoked",
        "tcb-info-root", "tcb-info-chain", "tcb-info-dates", "tcb-info-signature", "tcb-info-in-force",
        "qe-identity-document-root", "qe-identity-document-chain", "qe-identity-document-dates", "qe-identity-document-signature", "qe-identity-document-in-force",
        "tcb-info-fits", "qe-identity-fits", "revocation-in-force", "collateral-age", "qe-report-signature", "qe-key-binding", "quote-signature", "tdx-module", "qe-identity", "tcb-level", "debug",
        "tcb-status", "advisories", "evaluation-number", "platform", "measurement", "registers", "td-attributes", "xfam", "mr-config-id", "service-td", "report-data", "collateral-content",
    ];

    /// <summary>Appraises.</summary>
    /// <param name="quoteBytes">The quote.</param>
    /// <param name="collateralJson">The collateral; one JSON document of the common form: <c>tcb_info</c>, <c>qe_identity</c> with signatures and chains, <c>pck_crl</c>, <c>root_ca_crl</c>.</param>
    /// <param name="reportData">The 64 bytes that the quote must carry; empty when the caller binds it otherwise.</param>
    public PlatformAppraisal Verify(ReadOnlySpan<byte> quoteBytes, ReadOnlySpan<byte> collateralJson, ReadOnlySpan<byte> reportData = default)
    {
        var legs = new Legs();
        var now = time.GetUtcNow();
        var readable = Quote.TryRead(quoteBytes, out var quote, out var code, out var fault);
        legs.Check("quote-format", readable, fault, code: code);
        var collateral = DcapCollateral.Read(collateralJson, out var collateralFault);
        legs.Check("collateral-format", collateral is not null, collateralFault, code: "CollateralFormat");
        var pck = readable && quote!.Chain.Count > 0 ? PckFacts.Read(quote.Chain[0]) : null;
        legs.Check("pck-format", pck is not null, "the PCK certificate lacks Intel's extension", reached: readable, code: "CertFormat");
        if (quote is null || collateral is null || pck is null)
        {
            if (quote is { Chain.Count: > 0 })
                Statement(legs, quote);   // what the quote alone decides is said also when nothing says how far to trust its platform
            return new() { Legs = legs.Complete(s_legs) };
        }

        var chain = new ChainCheck("pck", quote.Chain, policy.Roots);
        chain.AddTo(legs, now);
        try
        {
            return Judge(legs, quote, collateral, pck, chain, now, reportData);
        }
        catch (Exception failure) when (failure is KeyNotFoundException or InvalidOperationException or FormatException or JsonException or OverflowException)
        {
            legs.Check("collateral-content", false, $"Intel's documents cannot be understood: {failure.Message}", code: "CollateralFormat");
            return new() { Legs = legs.Complete(s_legs) };
        }
    }

    private PlatformAppraisal Judge(Legs legs, Quote quote, DcapCollateral collateral, PckFacts pck, ChainCheck chain, DateTimeOffset now, ReadOnlySpan<byte> reportData)
    {
        var (tcbInfo, identity) = (collateral.TcbInfo, collateral.QeIdentity);
        Revocation(legs, quote, collateral);
        Document(legs, "tcb-info", "TcbInfo", tcbInfo, now);
        Document(legs, "qe-identity-document", "QeIdentity", identity, now);
        var tee = quote.Tee is QuoteTee.Tdx;
        legs.Check("tcb-info-fits", tcbInfo.Version == 3 && tcbInfo.Id == (tee ? "TDX" : "SGX") && Hex(tcbInfo.Value, "fmspc", pck.Fmspc.Span) && Hex(tcbInfo.Value, "pceId", pck.PceId.Span),
            $"the TCB information is {tcbInfo.Id} version {tcbInfo.Version} for another kind of platform", code: "TcbInfoMismatch");
        legs.Check("qe-identity-fits", identity.Version == 2 && identity.Id == (tee ? "TD_QE" : "QE"), $"the identity is {identity.Id} version {identity.Version}", code: "QeIdentityMismatch");
        RevocationDates(legs, collateral, now);
        Age(legs, collateral, now);

        Statement(legs, quote);
        TdReport? domain = tee ? new TdReport(quote.Body.ToArray()) : null;
        if (domain is { } td)
            legs.Check("tdx-module", IsModule(tcbInfo.Value, td), "the module's signer or attributes are not its identity's, or it has none", code: "TdxModuleMismatch");
        else
            legs.Waive("tdx-module", "an SGX quote", LegKind.Evidence);
        legs.Check("qe-identity", IsQuotingEnclave(identity.Value, quote.QeReport), "the quoting enclave is not Intel's", code: "QeIdentityMismatch");

        var qe = TcbLevels.OfIsvSvn(identity.Value.GetProperty("tcbLevels"), quote.QeReport.IsvSvn);
        var tcb = TcbLevels.Evaluate(tcbInfo.Value, pck, domain, qe);
        legs.Check("tcb-level", tcb.Status is not (TcbStatus.NoMatchingLevel or TcbStatus.Revoked), tcb.Status is TcbStatus.Revoked ? "the platform's keys are revoked" : "no published level fits this platform", code: $"{tcb.Status}");
        Policy(legs, quote, collateral, pck, tcb, domain, reportData);
        legs.Check("collateral-content", true, "");
        return new()
        {
            Legs = legs.Complete(s_legs),
            Claims = QuoteClaims.Of(quote, pck, tcb, domain),
            PlatformId = pck.PlatformId,
            TcbStatus = $"{tcb.Status}",
            Advisories = tcb.Advisories,
            ValidUntil = new[] { chain.ValidUntil ?? now, tcbInfo.NextUpdate, identity.NextUpdate, collateral.PckList?.NextUpdate ?? DateTimeOffset.MaxValue, collateral.RootList?.NextUpdate ?? DateTimeOffset.MaxValue }.Min(),
        };
    }

    private static void Statement(Legs legs, Quote quote)
    {
        legs.Check("qe-report-signature", quote.IsQeReportSignedBy(quote.Chain[0].PublicKey.Span), "the PCK key did not sign the quoting enclave's report", code: "QeReportSignature");
        legs.Check("qe-key-binding", quote.IsKeyBound(), "the quoting enclave's report is about another attestation key", code: "QeReportData");
        legs.Check("quote-signature", quote.IsSigned(), "the attestation key did not sign this quote", code: "QuoteSignature");
        var debug = quote.Tee is QuoteTee.Tdx ? new TdReport(quote.Body.ToArray()).IsDebug : new EnclaveReport(quote.Body.ToArray()).IsDebug;
        legs.Check("debug", !debug, "it may be debugged: the host can read its memory", code: "Debug");
    }

    private void Document(Legs legs, string name, string code, SignedJson document, DateTimeOffset now)
    {
        new ChainCheck(name, document.Chain, policy.Roots).AddTo(legs, now);
        legs.Check($"{name}-signature", document.IsSigned() && IsTcbSigner(document.Chain), "Intel's TCB signing key did not sign this document", code: $"{code}Signature");
        legs.Check($"{name}-in-force", document.IssueDate <= now && now <= document.NextUpdate, $"it is in force from {document.IssueDate:yyyy-MM-dd} to {document.NextUpdate:yyyy-MM-dd}",
            code: now > document.NextUpdate ? "CollateralExpired" : "CollateralNotYetValid");
    }

    /// <summary>The root signs the signer itself, which signs documents and is no platform's certificate: a PCK key below the same root signs quotes only.</summary>
    private static bool IsTcbSigner(IReadOnlyList<DerCertificate> chain) =>
        chain is [{ CommonName: "Intel SGX TCB Signing", IsAuthority: false } signer, _] && signer.Extension(PckFacts.Extension) is null;

    private void Revocation(Legs legs, Quote quote, DcapCollateral collateral)
    {
        if (collateral is { PckList: null, RootList: null } && !policy.RequireRevocation)
        {
            foreach (var name in (ReadOnlySpan<string>)["revocation-lists", "pck-revoked", "authority-revoked"])
                legs.Waive(name, "no revocation lists, and the policy does not ask for them");
            return;
        }

        var (pck, root, chain) = (collateral.PckList, collateral.RootList, quote.Chain);
        var present = pck is not null && root is not null && chain.Count == 3;
        var genuine = present && pck!.IsIssuedBy(chain[1]) && root!.IsIssuedBy(chain[2]);
        legs.Check("revocation-lists", genuine, present ? "a list is not signed by the authority it speaks for" : "a revocation list is missing", code: present ? "CrlSignature" : "NoRevocationData");
        legs.Check("pck-revoked", genuine && !pck!.Lists(chain[0]), "the PCK certificate is revoked", reached: genuine, code: "PckRevoked");
        var authorities = chain.Skip(1).Take(1).Concat(collateral.TcbInfo.Chain.Take(1)).Concat(collateral.QeIdentity.Chain.Take(1));
        var revoked = genuine ? authorities.FirstOrDefault(root!.Lists) : null;
        legs.Check("authority-revoked", genuine && revoked is null, $"{revoked?.CommonName} is revoked", reached: genuine, code: revoked is not null && ReferenceEquals(revoked, chain[1]) ? "PckCaRevoked" : "TcbSigningRevoked");
    }

    private void RevocationDates(Legs legs, DcapCollateral collateral, DateTimeOffset now)
    {
        if (collateral is { PckList: null, RootList: null } && !policy.RequireRevocation)
            legs.Waive("revocation-in-force", "no revocation lists, and the policy does not ask for them");
        else
            legs.Check("revocation-in-force", collateral.PckList?.IsCurrent(now) is true && collateral.RootList?.IsCurrent(now) is true, "a revocation list is missing or not in force", code: "CrlExpired");
    }

    /// <summary>Documents that are in force may still be old: an attacker shows the oldest that is.</summary>
    private void Age(Legs legs, DcapCollateral collateral, DateTimeOffset now)
    {
        if (policy.MaximumCollateralAge is not { } oldest)
        {
            legs.Waive("collateral-age", "the policy asks no more than that the documents are in force");
            return;
        }

        var issued = new[] { collateral.TcbInfo.IssueDate, collateral.QeIdentity.IssueDate, collateral.PckList?.ThisUpdate ?? now, collateral.RootList?.ThisUpdate ?? now }.Min();
        legs.Require("collateral-age", now - issued <= oldest, $"a document was issued on {issued:yyyy-MM-dd}; the policy allows {oldest.TotalDays:F0} days", code: "CollateralAge");
    }

    private void Policy(Legs legs, Quote quote, DcapCollateral collateral, PckFacts pck, TcbEvaluation tcb, TdReport? domain, ReadOnlySpan<byte> reportData)
    {
        legs.Require("tcb-status", policy.Statuses.Contains(tcb.Status) && tcb.Status is not (TcbStatus.NoMatchingLevel or TcbStatus.Revoked), $"the status is {tcb.Status}", code: $"{tcb.Status}");
        var open = tcb.Advisories.Except(policy.AdvisoriesAllowed, StringComparer.Ordinal).ToList();
        legs.Require("advisories", open.Count == 0, $"not on the list of mitigated advisories: {string.Join(", ", open)}", code: "Advisory");
        var number = Math.Min(collateral.TcbInfo.EvaluationNumber, collateral.QeIdentity.EvaluationNumber);
        legs.Require("evaluation-number", number >= policy.MinimumEvaluationNumber, $"the collateral's evaluation number is {number}, the floor {policy.MinimumEvaluationNumber}", code: "EvaluationNumber");
        if (policy.AnyPlatform)
            legs.Waive("platform", "any: the policy lets every platform in, also one that an attacker owns");
        else
            legs.Require("platform", policy.Platforms.Contains(pck.PlatformId, StringComparer.OrdinalIgnoreCase), "the policy does not let this platform in", code: "Platform");
        var measurement = Convert.ToHexStringLower(domain is { } td ? td.MrTd : new EnclaveReport(quote.Body.ToArray()).MrEnclave);
        if (policy.AnyMeasurement)
            legs.Waive("measurement", "any: the policy leaves the measurement to the caller");
        else
            legs.Require("measurement", policy.Measurements.Contains(measurement, StringComparer.OrdinalIgnoreCase), "the policy does not let this measurement in", code: "Measurement");
        var wrong = domain is { } registers ? policy.Registers.Where(entry => !entry.Value.Contains(Convert.ToHexStringLower(registers.Rtmr(entry.Key)), StringComparer.OrdinalIgnoreCase)).Select(entry => $"RTMR{entry.Key}").ToList() : [];
        legs.Require("registers", wrong.Count == 0, $"run-time registers that the policy does not let in: {string.Join(", ", wrong)}", code: "Registers");
        legs.Require("td-attributes", domain is not { } attributes || policy.TdAttributes is null || policy.TdAttributes.Equals(Convert.ToHexStringLower(attributes.TdAttributes), StringComparison.OrdinalIgnoreCase), "the domain's attributes differ from the policy's", code: "TdAttributes");
        legs.Require("xfam", domain is not { } features || policy.Xfam is null || policy.Xfam.Equals(Convert.ToHexStringLower(features.Xfam), StringComparison.OrdinalIgnoreCase), "the domain's XFAM differs from the policy's", code: "Xfam");
        legs.Require("mr-config-id", policy.MrConfigId is null || (domain is { } configured && policy.MrConfigId.Equals(Convert.ToHexStringLower(configured.MrConfigId), StringComparison.OrdinalIgnoreCase)), "the domain's MRCONFIGID differs from the policy's: it was started with other initdata", code: "MrConfigId");
        legs.Require("service-td", policy.AllowServiceTd || domain is not { } bound || !bound.MrServiceTd.ContainsAnyExcept((byte)0), "a service domain is bound to this one", code: "ServiceTd");
        if (reportData.IsEmpty)
            legs.Waive("report-data", "the caller binds the quote otherwise");
        else
            legs.Check("report-data", CryptographicOperations.FixedTimeEquals(quote.ReportData, reportData), "the quote is not about this nonce and these keys", code: "Binding");
    }

    private static bool IsModule(JsonElement tcbInfo, TdReport report)
    {
        var version = report.TeeTcbSvn[1];
        JsonElement? identity = version == 0 ? tcbInfo.GetProperty("tdxModule") : TcbLevels.ModuleIdentity(tcbInfo, version);
        return identity is { } module && Hex(module, "mrsigner", report.MrSignerSeam) && Masked(module, "attributes", "attributesMask", report.SeamAttributes);
    }

    private static bool IsQuotingEnclave(JsonElement identity, EnclaveReport report) =>
        Masked(identity, "miscselect", "miscselectMask", report.MiscSelect, reversed: true)
        && Masked(identity, "attributes", "attributesMask", report.Attributes)
        && Hex(identity, "mrsigner", report.MrSigner)
        && identity.GetProperty("isvprodid").GetInt32() == report.IsvProdId;

    /// <summary>Compares under a mask. Intel writes <c>miscselect</c> as a number, so its bytes stand the other way round.</summary>
    private static bool Masked(JsonElement element, string name, string maskName, ReadOnlySpan<byte> actual, bool reversed = false)
    {
        var (expected, mask) = (Convert.FromHexString(element.GetProperty(name).GetString() ?? ""), Convert.FromHexString(element.GetProperty(maskName).GetString() ?? ""));
        if (expected.Length != actual.Length || mask.Length != actual.Length)
            return false;
        for (var index = 0; index < actual.Length; index++)
        {
            var at = reversed ? actual.Length - 1 - index : index;
            if ((actual[at] & mask[index]) != expected[index])
                return false;
        }

        return true;
    }

    private static bool Hex(JsonElement element, string name, ReadOnlySpan<byte> actual) => Convert.FromHexString(element.GetProperty(name).GetString() ?? "").AsSpan().SequenceEqual(actual);
}
