using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>An appraisal as an attestation result for other relying parties: a JWT of the form of draft-ietf-rats-ear, signed EdDSA (RFC 8037).</summary>
/// <remarks>
/// Member names of draft-ietf-rats-ear-04. One submodule, named by the kind. Its trustworthiness vector uses the values of draft-ietf-rats-ar4si: 2 affirming, 32 warning, 96 contraindicated,
/// 99 failed cryptographically, 0 no claim. All legs are among the verifier's claims; simulated and development results say <c>insecure</c> there and are never affirming.
/// </remarks>
public static class EarToken
{
    private const int NoClaim = 0, Affirming = 2, Warning = 32, Contraindicated = 96, CryptoFailed = 99;
    private const string Profile = "tag:ietf.org,2026:rats/ear#04";

    /// <summary>Signs the result.</summary>
    /// <param name="appraisal">The appraisal.</param>
    /// <param name="evidence">What was appraised.</param>
    /// <param name="policy">What it was held against.</param>
    /// <param name="signer">The verifier's key.</param>
    /// <param name="time">When it was appraised.</param>
    /// <returns>A JWT in compact form.</returns>
    public static string Create(EvidenceAppraisal appraisal, Evidence evidence, EvidencePolicy policy, Signer signer, DateTimeOffset time)
    {
        ArgumentNullException.ThrowIfNull(appraisal);
        ArgumentNullException.ThrowIfNull(evidence);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(signer);
        var vector = Vector(appraisal);
        var worst = vector.Max(claim => claim.Value);
        var trusted = appraisal.Verdict is EvidenceVerdict.Trusted;
        var submodule = new JsonObject
        {
            ["ear_status"] = !trusted || worst >= Contraindicated ? "contraindicated" : appraisal.Insecure || worst >= Warning ? "warning" : "affirming",
            ["ear_trustworthiness_vector"] = new JsonObject(vector.Select(claim => KeyValuePair.Create(claim.Key, (JsonNode?)claim.Value))),
            ["ear_appraisal_policy_ids"] = new JsonArray($"{policy.Digest()}"),
            ["ear_attester_claims"] = Attester(appraisal),
            ["ear_verifier_claims"] = new JsonObject
            {
                ["insecure"] = appraisal.Insecure,
                ["flags"] = new JsonArray([.. appraisal.Flags.Select(flag => (JsonNode?)flag)]),
                ["legs"] = new JsonObject(appraisal.Legs.Select(leg => KeyValuePair.Create(leg.Name, (JsonNode?)Word(leg.Outcome)))),
            },
        };
        var claims = new JsonObject
        {
            ["eat_profile"] = Profile,
            ["eat_nonce"] = Base64Url.EncodeToString(evidence.Nonce),
            ["iat"] = time.ToUnixTimeSeconds(),
            ["ear_verifier_id"] = new JsonObject { ["developer"] = "https://bulwark.dev", ["build"] = $"bulwark {typeof(EarToken).Assembly.GetName().Version}" },
            ["submods"] = new JsonObject { [evidence.Kind] = submodule },
        };
        if (trusted)
            claims["exp"] = Earlier(time + TimeSpan.FromSeconds(policy.MaximumAgeSeconds), appraisal.ValidUntil).ToUnixTimeSeconds();
        var header = new JsonObject { ["alg"] = "EdDSA", ["typ"] = "JWT", ["kid"] = signer.PublicKey.Fingerprint.ToHex() };
        var text = $"{Part(header)}.{Part(claims)}";
        return $"{text}.{Base64Url.EncodeToString(signer.Sign(Encoding.ASCII.GetBytes(text)))}";
    }

    private static JsonObject Attester(EvidenceAppraisal appraisal)
    {
        var claims = new JsonObject { ["evidence"] = $"{appraisal.Evidence}" };
        Add(claims, "measurement", appraisal.Measurement);
        Add(claims, "platform", appraisal.PlatformId);
        Add(claims, "tcb-status", appraisal.TcbStatus);
        return claims;
    }

    /// <summary>AR4SI's claims that these legs speak of.</summary>
    private static SortedDictionary<string, int> Vector(EvidenceAppraisal appraisal) => new(StringComparer.Ordinal)
    {
        ["instance-identity"] = Value(appraisal, leg => leg.Name is "platform" or "binding" or "keys" or "boot-id", waived: NoClaim),
        ["executables"] = Value(appraisal, leg => leg.Name is "measurement", waived: Warning),
        ["configuration"] = Value(appraisal, leg => Ends(leg, "debug", "migration", "guest-policy", "vmpl", "td-attributes", "xfam", "service-td", "pcr-values", "environment"), waived: NoClaim),
        ["hardware"] = appraisal.Kind == EvidenceKinds.Simulated ? Contraindicated
            : Value(appraisal, leg => Ends(leg, "signature", "root", "chain", "dates", "tcb-status", "tcb-level", "committed-tcb", "launch-tcb", "advisories", "revoked", "report-signature", "quote-signature"), waived: NoClaim),
    };

    private static bool Ends(EvidenceLeg leg, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (leg.Name == name || leg.Name.EndsWith($".{name}", StringComparison.Ordinal) || leg.Name.EndsWith($"-{name}", StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static int Value(EvidenceAppraisal appraisal, Func<EvidenceLeg, bool> of, int waived)
    {
        var legs = appraisal.Legs.Where(of).ToList();
        if (legs.Any(leg => leg.Outcome is LegOutcome.Failed))
            return legs.Any(leg => leg is { Outcome: LegOutcome.Failed, Kind: LegKind.Evidence }) ? CryptoFailed : Contraindicated;
        if (legs.Count == 0 || legs.Any(leg => leg.Outcome is LegOutcome.NotChecked))
            return legs.Count == 0 ? NoClaim : Contraindicated;
        return legs.All(leg => leg.Outcome is LegOutcome.NotApplicable) ? waived : Affirming;
    }

    private static DateTimeOffset Earlier(DateTimeOffset end, DateTimeOffset? other) => other is { } first && first < end ? first : end;

    private static string Word(LegOutcome outcome) => outcome switch { LegOutcome.Passed => "passed", LegOutcome.Failed => "failed", LegOutcome.NotApplicable => "not-applicable", _ => "not-checked" };

    private static void Add(JsonObject target, string name, string? value)
    {
        if (value is not null)
            target[name] = value;
    }

    private static string Part(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}
