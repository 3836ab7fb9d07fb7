using System.Security.Cryptography;
using Bulwark.Attestation.Certificates;

namespace Bulwark.Attestation.Snp;

/// <summary>Appraises SEV-SNP evidence against a policy, leg by leg, offline (AMD 56860, 57230).</summary>
/// <param name="policy">What is let in.</param>
/// <param name="time">The verifier's clock.</param>
public sealed class SnpVerifier(SnpPolicy policy, TimeProvider time)
{
    /// <summary>Appraises.</summary>
    /// <param name="evidence">The report and its certificates.</param>
    /// <param name="reportData">The 64 bytes that the report must carry; empty when the caller binds it otherwise (then the leg says so).</param>
    public PlatformAppraisal Verify(SnpEvidence evidence, ReadOnlySpan<byte> reportData = default)
    {
        var legs = new Legs();
        var now = time.GetUtcNow();
        SnpReport.TryRead(evidence.Report.Span, out var report);
        legs.Check("snp-format", report is not null, $"the report has {evidence.Report.Length} bytes, not {SnpReport.SizeInBytes}", code: "Format");
        DerCertificate.TryRead(evidence.Leaf, out var leaf);
        DerCertificate.TryRead(evidence.Signing, out var signing);
        DerCertificate.TryRead(evidence.Root, out var root);
        var fault = "a certificate is missing or is none";
        var facts = leaf is null || signing is null || root is null ? null : SnpCertificate.Read(leaf, out fault);
        legs.Check("vcek-format", facts is not null, fault, code: "CertFormat");

        var chain = new ChainCheck("vcek", leaf is null || signing is null || root is null ? [] : [leaf, signing, root], policy.Roots);
        chain.AddTo(legs, now);
        Revocation(legs, evidence, leaf, signing, root, now);
        if (report is null || leaf is null || facts is null)
            return new() { Legs = NotReached(legs) };

        legs.Check("report-signature", report.IsSignedBy(leaf.PublicKey.Span), "the certificate's key did not sign this report", code: "Signature");
        legs.Check("report-version", report.Version is >= 2 and <= 5 && report.SignatureAlgorithm == 1, $"version {report.Version} with signature algorithm {report.SignatureAlgorithm} is not known", code: "Unsupported");
        legs.Check("signing-key", report.SigningKey == (facts.IsVlek ? 1u : 0u), $"the report says key {report.SigningKey}, the certificate is a {(facts.IsVlek ? "VLEK" : "VCEK")}", code: "SigningKeyMismatch");
        legs.Check("reserved", report.ReservedAreZero(), "a reserved byte is not zero", code: "Reserved");
        legs.Check("product", report.Version < 3 || report.Product == facts.Product, $"the report is from {report.Product}, the certificate for {facts.Product}", code: "ProductMismatch");
        legs.Check("chip-id", facts.IsVlek || report.MaskChipKey || IsChip(report.ChipId, facts.HardwareId.Span), "the certificate is another chip's", code: "HwidMismatch");
        legs.Check("reported-tcb", report.ReportedTcb(facts.Product) == facts.Tcb, $"the report says {report.ReportedTcb(facts.Product)}, the certificate {facts.Tcb}", code: "TcbMismatch");
        legs.Check("guest-policy", report.Policy.IsWellFormed, "a reserved bit of the guest's policy is wrong", code: "PolicyReserved");
        legs.Check("debug", !report.Policy.DebugAllowed, "the guest may be debugged: the host can read its memory", code: "Debug");
        legs.Check("migration", !report.Policy.MigrationAgentAllowed, "the guest may be migrated by an agent", code: "MigrateMA");
        Policy(legs, report, facts, reportData);
        return new() { Legs = legs.Done, Claims = Claims(report, facts), PlatformId = PlatformId(report, facts), ValidUntil = Earlier(chain.ValidUntil, evidence.RevocationList) };
    }

    private void Revocation(Legs legs, SnpEvidence evidence, DerCertificate? leaf, DerCertificate? signing, DerCertificate? root, DateTimeOffset now)
    {
        if (evidence.RevocationList.IsEmpty && !policy.RequireRevocation)
        {
            legs.Waive("revocation-list", "no revocation list, and the policy does not ask for one");
            legs.Waive("revoked", "no revocation list, and the policy does not ask for one");
            legs.Waive("collateral-age", "no revocation list, and the policy does not ask for one");
            return;
        }

        var read = RevocationList.TryRead(evidence.RevocationList, out var list);
        var genuine = legs.Check("revocation-list", read && root is not null && list!.IsIssuedBy(root) && list.IsCurrent(now),
            !read ? "there is no revocation list that can be read" : root is null || !list!.IsIssuedBy(root) ? "the root did not sign the revocation list" : $"the revocation list is not in force at {now:yyyy-MM-dd}",
            code: !read ? "NoRevocationData" : root is null || !list!.IsIssuedBy(root) ? "CrlSignature" : "CrlExpired");
        var listed = genuine && signing is not null && leaf is not null && (list!.Lists(signing) || list.Lists(leaf));
        legs.Check("revoked", !listed, "a certificate of the chain is revoked", reached: genuine && signing is not null && leaf is not null, code: "Revoked");
        if (policy.MaximumCollateralAge is { } oldest)
            legs.Require("collateral-age", genuine && now - list!.ThisUpdate <= oldest, $"the revocation list was issued on {list?.ThisUpdate:yyyy-MM-dd}; the policy allows {oldest.TotalDays:F0} days", reached: genuine, code: "CollateralAge");
        else
            legs.Waive("collateral-age", "the policy asks no more than that the list is in force");
    }

    private void Policy(Legs legs, SnpReport report, SnpCertificate facts, ReadOnlySpan<byte> reportData)
    {
        var floor = policy.Products.GetValueOrDefault(facts.Product);
        legs.Require("product-allowed", floor is not null, $"the policy does not let {facts.Product} in", code: "Product");
        floor ??= new SnpFloor { Committed = new(255, 255, 255, 255, 255), Launch = new(255, 255, 255, 255, 255) };
        legs.Require("vmpl", report.Vmpl <= policy.MaximumVmpl, $"privilege level {report.Vmpl} asked for the report; the policy lets 0 to {policy.MaximumVmpl} in", code: "Vmpl");
        legs.Require("platform-info", (!floor.RequireAliasCheck || report.PlatformInfo.AliasCheckComplete) && (policy.AllowSmt || !(report.PlatformInfo.SmtOn || report.Policy.SmtAllowed)),
            "the platform did not look for aliased memory, or runs threads that the policy does not let in", code: "PlatformInfo");
        legs.Require("committed-tcb", report.CommittedTcb(facts.Product).IsAtLeast(floor.Committed) && report.ReportedTcb(facts.Product).IsAtLeast(floor.Committed),
            $"the platform is, or can go back to, below the floor {floor.Committed}", code: "TcbFloor");
        legs.Require("launch-tcb", report.LaunchTcb(facts.Product).IsAtLeast(floor.Launch), $"the guest was launched at {report.LaunchTcb(facts.Product)}, below the floor {floor.Launch}", code: "LaunchTcb");
        legs.Require("provisional-firmware", report.CommittedFirmware.CompareTo(report.CurrentFirmware) >= 0, "the firmware that runs is not committed: it can be rolled back", code: "ProvisionalFirmware");
        legs.Require("mitigations", (report.CurrentMitigations & report.LaunchMitigations & floor.Mitigations) == floor.Mitigations, "a mitigation that the policy asks for is missing", code: "Mitigations");
        legs.Require("chip-known", facts.IsVlek || !report.MaskChipKey, "the host hides the chip's id", code: "MaskedChip");
        legs.Require("vlek", !facts.IsVlek || policy.AllowVlek, "a provider's key signed; the policy asks for the chip's", code: "Vlek");
        if (policy.AnyPlatform)
            legs.Waive("platform", "any: the policy lets every chip in, also one that an attacker owns");
        else
            legs.Require("platform", policy.Platforms.Contains(PlatformId(report, facts), StringComparer.OrdinalIgnoreCase), "the policy does not let this chip in", code: "Platform");
        if (policy.AnyMeasurement)
            legs.Waive("measurement", "any: the policy leaves the launch digest to the caller");
        else
            legs.Require("measurement", policy.Measurements.Contains(Convert.ToHexStringLower(report.Measurement), StringComparer.OrdinalIgnoreCase), "the policy does not let this launch digest in", code: "Measurement");
        legs.Require("host-data", policy.HostData is null || policy.HostData.Equals(Convert.ToHexStringLower(report.HostData), StringComparison.OrdinalIgnoreCase), "the host data differ from the policy's", code: "HostData");
        legs.Require("id-key", policy.IdKeyDigests.Count == 0 || policy.IdKeyDigests.Contains(Convert.ToHexStringLower(report.IdKeyDigest), StringComparer.OrdinalIgnoreCase), "the policy does not let this id key in", code: "IdKey");
        if (reportData.IsEmpty)
            legs.Waive("report-data", "the caller binds the report otherwise");
        else
            legs.Check("report-data", CryptographicOperations.FixedTimeEquals(report.ReportData, reportData), "the report is not about this nonce and these keys", code: "Binding");
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? end, ReadOnlyMemory<byte> bytes) =>
        RevocationList.TryRead(bytes, out var list) && list!.NextUpdate is { } next && (end is null || next < end) ? next : end;

    /// <summary>Legs that stand on a report and a certificate that could not be read.</summary>
    private static List<EvidenceLeg> NotReached(Legs legs)
    {
        foreach (var name in (ReadOnlySpan<string>)["report-signature", "report-version", "signing-key", "reserved", "product", "chip-id", "reported-tcb", "guest-policy", "debug", "migration",
            "product-allowed", "vmpl", "platform-info", "committed-tcb", "launch-tcb", "provisional-firmware", "mitigations", "chip-known", "vlek", "platform", "measurement", "host-data", "id-key", "report-data"])
            legs.Check(name, false, "", reached: false);
        return legs.Done;
    }

    /// <summary>The report's id begins with the certificate's; on Turin that is 8 bytes and the rest is zero.</summary>
    private static bool IsChip(ReadOnlySpan<byte> chip, ReadOnlySpan<byte> hardware) =>
        CryptographicOperations.FixedTimeEquals(chip[..hardware.Length], hardware) && !chip[hardware.Length..].ContainsAnyExcept((byte)0) && hardware.ContainsAnyExcept((byte)0);

    private static string? PlatformId(SnpReport report, SnpCertificate facts) =>
        facts.IsVlek ? null : Convert.ToHexStringLower(report.MaskChipKey ? facts.HardwareId.Span : report.ChipId[..facts.HardwareId.Length]);

    private static Dictionary<string, string> Claims(SnpReport report, SnpCertificate facts) => new(StringComparer.Ordinal)
    {
        ["version"] = $"{report.Version}",
        ["product"] = $"{facts.Product}",
        ["policy"] = $"0x{report.Policy.Bits:x}",
        ["vmpl"] = $"{report.Vmpl}",
        ["measurement"] = Convert.ToHexStringLower(report.Measurement),
        ["reportData"] = Convert.ToHexStringLower(report.ReportData),
        ["hostData"] = Convert.ToHexStringLower(report.HostData),
        ["chipId"] = Convert.ToHexStringLower(report.ChipId),
        ["reportedTcb"] = $"{report.ReportedTcb(facts.Product)}",
        ["committedTcb"] = $"{report.CommittedTcb(facts.Product)}",
        ["launchTcb"] = $"{report.LaunchTcb(facts.Product)}",
        ["currentFirmware"] = $"{report.CurrentFirmware.Major}.{report.CurrentFirmware.Minor}.{report.CurrentFirmware.Build}",
        ["signingKey"] = facts.IsVlek ? $"VLEK of {facts.ProviderId}" : "VCEK",
    };
}
