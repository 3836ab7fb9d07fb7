using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Attestation.Dcap;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Attestation;

/// <summary>SGX and TDX quotes with their collateral, under a policy of <c>UpToDate</c> only.</summary>
internal static class DcapCases
{
    internal static CaseResult Run(EvidenceCase one)
    {
        using var root = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(one.File("root"));
        var policy = new DcapPolicy
        {
            Roots = [Digest.Of(root.PublicKey.ExportSubjectPublicKeyInfo())],
            AnyPlatform = true,
            AnyMeasurement = true,
            RequireRevocation = false,
            AllowServiceTd = true,
        };
        var appraisal = new DcapVerifier(policy, one.Clock).Verify(one.File("quote"), one.File("collateral"));
        if (one.Text("tcbStatus") is { Length: > 0 } status && appraisal.TcbStatus != status)
            return CaseResult.Fail(one.Id, $"expected the status {status}, was {appraisal.TcbStatus}: {appraisal.Failed?.Name} {appraisal.Failed?.Detail}");
        if (Fields(one.Expected, appraisal) is { } difference)
            return CaseResult.Fail(one.Id, difference);
        return Decisions.Compare(one, appraisal);
    }

    private static string? Fields(JsonElement expected, PlatformAppraisal appraisal)
    {
        if (expected.TryGetProperty("advisories", out var advisories) && !advisories.EnumerateArray().Select(id => id.GetString()).ToHashSet().SetEquals(appraisal.Advisories))
            return $"advisories: expected {advisories}, were {string.Join(", ", appraisal.Advisories)}";
        if (!expected.TryGetProperty("fields", out var fields))
            return null;
        var names = new Dictionary<string, string>
        {
            ["tdattr"] = "tdAttributes",
            ["mrseam"] = "mrSeam",
            ["tee_tcb_svn"] = "teeTcbSvn",
            ["report_data"] = "reportData",
            ["attr"] = "attributes",
            ["isvprodid"] = "isvProdId",
            ["isvsvn"] = "isvSvn",
        };
        foreach (var field in fields.EnumerateObject())
        {
            if (appraisal.Claims.TryGetValue(names.GetValueOrDefault(field.Name, field.Name), out var read) && read != field.Value.ToString())
                return $"{field.Name}: expected {field.Value}, read {read}";
        }

        return null;
    }
}
