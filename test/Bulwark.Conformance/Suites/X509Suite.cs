using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bulwark.Server;

namespace Bulwark.Conformance.Suites;

/// <summary>x509-limbo: is there a good path from this certificate to these roots? By RFC 5280, or with the web's rules where the case is about them.</summary>
internal static class X509Suite
{
    private const string PublicSuffixes = "pedantic-public-suffix-wildcard";

    internal static Suite? Cases => Run;

    private static IEnumerable<CaseResult> Run(DirectoryInfo directory)
    {
        foreach (var file in directory.EnumerateFiles("*.json", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal))
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file.FullName));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("testcases", out var cases))
                continue;
            foreach (var (index, test) in cases.EnumerateArray().Index())
                yield return JudgeOrFail(test, $"{file.Name}#{index}");
        }
    }

    private static CaseResult JudgeOrFail(JsonElement test, string place)
    {
        try
        {
            return Judge(test);
        }
        catch (Exception fault)
        {
            return CaseResult.Fail(place, fault.Message);   // one case that cannot be read must not hide the others
        }
    }

    private static CaseResult Judge(JsonElement test)
    {
        var id = test.GetProperty("id").GetString()!;
        var verdict = Validate(test, id, out var detail);
        var accepted = verdict == CertificateVerdict.Trusted;
        var expected = test.GetProperty("expected_result").GetString() == "SUCCESS";
        if (accepted && !expected && Items(test, "features").Any(feature => feature.ValueEquals(PublicSuffixes)))
            return CaseResult.Skip(id, "not built: the public suffix list, a rule for web servers' wildcards");
        return CaseResult.Of(id, accepted == expected, $"expected {test.GetProperty("expected_result")}; got {verdict} {detail}");
    }

    private static CertificateVerdict Validate(JsonElement test, string id, out string detail)
    {
        var time = test.TryGetProperty("validation_time", out var given) && given.ValueKind == JsonValueKind.String ? given.GetDateTimeOffset() : DateTimeOffset.UtcNow;
        try
        {
            var validator = new CertificatePathValidator(Certificates(Items(test, "trusted_certs")), Options(test, id));
            return validator.Validate(Der(test.GetProperty("peer_certificate").GetString()!), Certificates(Items(test, "untrusted_intermediates")), time, out detail);
        }
        catch (ArgumentException fault)
        {
            detail = fault.Message;   // a root that cannot be read is refused when it is configured
            return CertificateVerdict.Malformed;
        }
    }

    private static CertificatePathOptions Options(JsonElement test, string id) => new()
    {
        Profile = id.StartsWith("webpki", StringComparison.Ordinal) ? CertificateProfile.WebPki : CertificateProfile.Rfc5280,
        // the cases about common names refuse what other web cases accept, so the rule is on for these alone
        CommonNameRepeatsAlternativeName = id.StartsWith("webpki::cn::", StringComparison.Ordinal),
        Purpose = test.GetProperty("validation_kind").GetString() == "CLIENT" ? CertificatePathOptions.ClientAuthentication : CertificatePathOptions.ServerAuthentication,
        KeyUsage = Items(test, "key_usage").Aggregate(X509KeyUsageFlags.None, (all, one) => all | Enum.Parse<X509KeyUsageFlags>(one.GetString()!, ignoreCase: true)),
        PeerNames = [.. Names(test)],
        MaximumIntermediates = test.TryGetProperty("max_chain_depth", out var depth) && depth.ValueKind == JsonValueKind.Number ? depth.GetInt32() : 8,
        RevocationLists = Certificates(Items(test, "crls")),
    };

    private static IEnumerable<PeerName> Names(JsonElement test)
    {
        var names = Items(test, "expected_peer_names");
        if (test.TryGetProperty("expected_peer_name", out var only) && only.ValueKind == JsonValueKind.Object)
            names.Add(only);
        return names.Select(name => new PeerName(
            name.GetProperty("kind").GetString() switch { "DNS" => PeerNameKind.Dns, "IP" => PeerNameKind.Ip, "RFC822" => PeerNameKind.Email, var kind => throw new FormatException($"unknown kind of name {kind}") },
            name.GetProperty("value").GetString()!));
    }

    private static List<JsonElement> Items(JsonElement test, string name) =>
        test.TryGetProperty(name, out var items) && items.ValueKind == JsonValueKind.Array ? [.. items.EnumerateArray()] : [];

    private static List<byte[]> Certificates(List<JsonElement> pems) => [.. pems.Select(pem => Der(pem.GetString()!))];

    private static byte[] Der(string pem) => Convert.FromBase64String(pem[PemEncoding.Find(pem).Base64Data]);
}
