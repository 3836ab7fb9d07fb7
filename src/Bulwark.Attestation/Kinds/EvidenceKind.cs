namespace Bulwark.Attestation.Kinds;

/// <summary>One kind of evidence: which parts it knows, and how its statement is judged.</summary>
internal abstract class EvidenceKind(string name, params string[] parts)
{
    internal string Name => name;

    internal IReadOnlyList<string> Parts => parts;

    /// <summary>Adds this kind's legs.</summary>
    internal abstract EvidenceFindings Appraise(Legs legs, EvidenceCase one);

    /// <summary>Takes a platform's legs over. Those that every kind has keep their plain names; the others begin with <paramref name="prefix"/>.</summary>
    private protected static void Take(Legs legs, string prefix, PlatformAppraisal platform)
    {
        foreach (var leg in platform.Legs)
        {
            legs.Done.Add(leg with
            {
                Name = leg.Name switch { "report-data" or "nonce" => "binding", "measurement" => "measurement", "platform" => "platform", _ => $"{prefix}.{leg.Name}" },
            });
        }
    }

    /// <summary>The policy lets the kind in but says nothing of it, or the kind is not let in: nothing of it is judged.</summary>
    private protected static EvidenceFindings NoPolicy(Legs legs, string section)
    {
        legs.Check("platform-policy", false, $"the policy has no \"{section}\"");
        foreach (var name in (ReadOnlySpan<string>)["binding", "measurement", "platform"])
            legs.Check(name, false, "", reached: false);
        return new();
    }

    private protected static TimeSpan? Days(int days) => days > 0 ? TimeSpan.FromDays(days) : null;
}

/// <summary>What one appraisal stands on.</summary>
internal sealed record EvidenceCase(Evidence Evidence, EvidencePolicy Policy, TimeProvider Time, CollateralFolder? Collateral, ProvedKeys? Proved)
{
    internal ReadOnlyMemory<byte> Part(string name) => Evidence.Parts.TryGetValue(name, out var bytes) ? bytes : ReadOnlyMemory<byte>.Empty;
}

/// <summary>Keys of a TPM that opened a credential made for both: TPM2B_PUBLIC of the attestation and of the endorsement key.</summary>
internal sealed record ProvedKeys(byte[] AttestationKey, byte[] EndorsementKey);

/// <summary>What an appraisal learnt of the platform.</summary>
internal sealed record EvidenceFindings
{
    internal string? Measurement { get; init; }
    internal string? PlatformId { get; init; }
    internal string? TcbStatus { get; init; }
    internal IReadOnlyList<string> Advisories { get; init; } = [];
    internal IReadOnlyDictionary<string, string> Claims { get; init; } = new Dictionary<string, string>();
    internal DateTimeOffset? ValidUntil { get; init; }

    internal static EvidenceFindings Of(PlatformAppraisal platform, string? measurement) => new()
    {
        Measurement = measurement,
        PlatformId = platform.PlatformId,
        TcbStatus = platform.TcbStatus,
        Advisories = platform.Advisories,
        Claims = platform.Claims,
        ValidUntil = platform.ValidUntil,
    };
}
