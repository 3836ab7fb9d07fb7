using System.Globalization;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Attestation.Snp;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Attestation;

/// <summary>SEV-SNP reports and certificates. A synthetic set's policy has its baseline as floor, as its notes say; real reports have none.</summary>
internal static class SnpCases
{
    internal static CaseResult Run(EvidenceCase one)
    {
        var bytes = one.File("report");
        if (!SnpReport.TryRead(bytes, out var report))
            return one.Decision == "reject" && one.Reason == "Format" && Appraise(one, bytes, null).Failed?.Code == "Format" ? CaseResult.Pass(one.Id) : CaseResult.Fail(one.Id, "the report cannot be read");
        if (Fields(report!, one.Expected) is { } difference)
            return CaseResult.Fail(one.Id, difference);
        return one.Decision == "parse" ? CaseResult.Pass(one.Id) : Decisions.Compare(one, Appraise(one, bytes, Baseline(one)));
    }

    internal static CaseResult Certificate(EvidenceCase one)
    {
        var appraisal = new SnpVerifier(Policy(one, null), one.Clock).Verify(new SnpEvidence(new byte[SnpReport.SizeInBytes], one.File("leaf"), one.File("signing"), one.File("root")));
        var broken = appraisal.Legs.FirstOrDefault(leg => leg.Name.StartsWith("vcek-", StringComparison.Ordinal) && leg.Outcome is not LegOutcome.Passed);
        return CaseResult.Of(one.Id, broken is null, $"{broken?.Name}: {broken?.Detail}");
    }

    private static PlatformAppraisal Appraise(EvidenceCase one, byte[] report, SnpReport? baseline)
    {
        string Presented(string name, string other) => one.Has(other) ? other : name;
        var evidence = new SnpEvidence(report, one.File("leaf"), one.File(Presented("signing", "presentedSigning")), one.File(Presented("root", "presentedRoot")), one.File("crl"));
        return new SnpVerifier(Policy(one, baseline), one.Clock).Verify(evidence);
    }

    /// <summary>The case's own root is the pinned one; AMD's where it is AMD's.</summary>
    private static SnpPolicy Policy(EvidenceCase one, SnpReport? baseline) => new()
    {
        Roots = Pinned(one),
        Products = new[] { SnpProduct.Milan, SnpProduct.Genoa, SnpProduct.Turin }.ToDictionary(product => product, product => Floor(product, baseline)),
        AnyPlatform = true,
        AnyMeasurement = true,
        AllowVlek = true,
        MaximumVmpl = 1,
        RequireRevocation = false,
    };

    private static SnpFloor Floor(SnpProduct product, SnpReport? baseline) => baseline is null
        ? new() { RequireAliasCheck = false }
        : new() { Committed = baseline.CommittedTcb(product), Launch = baseline.LaunchTcb(product), RequireAliasCheck = baseline.PlatformInfo.AliasCheckComplete };

    private static IReadOnlyList<Digest> Pinned(EvidenceCase one)
    {
        using var root = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(one.File("root"));
        var key = Digest.Of(root.PublicKey.ExportSubjectPublicKeyInfo());
        return SnpPolicy.AmdRoots.Contains(key) ? SnpPolicy.AmdRoots : [key];
    }

    private static SnpReport? Baseline(EvidenceCase one)
    {
        var file = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(one.Path("report")))!, "baseline", "report.bin");
        return File.Exists(file) && SnpReport.TryRead(File.ReadAllBytes(file), out var baseline) ? baseline : null;
    }

    private static string? Fields(SnpReport report, JsonElement expected)
    {
        if (!expected.TryGetProperty("fields", out var fields))
            return null;
        var read = new Dictionary<string, string>
        {
            ["version"] = report.Version.ToString(CultureInfo.InvariantCulture),
            ["policy"] = $"0x{report.Policy.Bits:x}",
            ["vmpl"] = report.Vmpl.ToString(CultureInfo.InvariantCulture),
            ["measurement"] = Convert.ToHexStringLower(report.Measurement),
            ["report_data"] = Convert.ToHexStringLower(report.ReportData),
            ["host_data"] = Convert.ToHexStringLower(report.HostData),
            ["chip_id"] = Convert.ToHexStringLower(report.ChipId),
            ["cur"] = $"{report.CurrentFirmware.Major}.{report.CurrentFirmware.Minor}.{report.CurrentFirmware.Build}",
        };
        foreach (var field in fields.EnumerateObject().Where(field => read.ContainsKey(field.Name)))
        {
            if (read[field.Name] != field.Value.ToString())
                return $"{field.Name}: expected {field.Value}, read {read[field.Name]}";
        }

        return null;
    }
}
