using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Attestation.Snp;

/// <summary>What an SEV-SNP platform must be. What is not said is refused; <see cref="AnyPlatform"/> must be spelled out.</summary>
public sealed record SnpPolicy
{
    /// <summary>SHA-256 of the SubjectPublicKeyInfo of AMD's root keys (ARK) for Milan, Genoa and Turin.</summary>
    public static IReadOnlyList<Digest> AmdRoots { get; } =
    [
        AmdRootKeys.Milan, AmdRootKeys.Genoa, AmdRootKeys.Turin,
    ];

    /// <summary>Pinned roots; AMD's own unless a test says otherwise. Code sets them, never a policy file.</summary>
    [JsonIgnore]
    public IReadOnlyList<Digest> Roots { get; init => field = value ?? AmdRoots; } = AmdRoots;

    /// <summary>The floors of each product line that is let in.</summary>
    public required IReadOnlyDictionary<SnpProduct, SnpFloor> Products { get; init; }

    /// <summary>The chips that are let in, hexadecimal chip ids: what stops evidence relayed from a machine that somebody owns.</summary>
    public IReadOnlyList<string> Platforms { get; init => field = value ?? []; } = [];

    /// <summary>Any chip is let in. Flagged in every appraisal.</summary>
    public bool AnyPlatform { get; init; }

    /// <summary>A provider's key (VLEK) may stand for the chip's: the chip is then not known.</summary>
    public bool AllowVlek { get; init; }

    /// <summary>Highest privilege-level number that may have asked, 0 to 3.</summary>
    public required int MaximumVmpl { get; init; }

    /// <summary>Simultaneous multi-threading may be on.</summary>
    public bool AllowSmt { get; init; } = true;

    /// <summary>A revocation list must be there, signed by the root and current. False must be spelled out: what is there is still checked.</summary>
    public bool RequireRevocation { get; init; } = true;

    /// <summary>Longest time since the revocation list was issued; null asks no more than that it is in force.</summary>
    [JsonIgnore]
    public TimeSpan? MaximumCollateralAge { get; init; }

    /// <summary>Launch digests that are let in, 48 bytes each in hexadecimal; empty lets none in unless <see cref="AnyMeasurement"/>.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Measurements { get; init => field = value ?? []; } = [];

    /// <summary>Any launch digest is let in: the caller judges it. Flagged in every appraisal.</summary>
    [JsonIgnore]
    public bool AnyMeasurement { get; init; }

    /// <summary>Host data that is let in, 32 bytes in hexadecimal; null asks nothing.</summary>
    public string? HostData { get; init; }

    /// <summary>Digests of id keys that are let in, 48 bytes in hexadecimal; empty asks nothing.</summary>
    public IReadOnlyList<string> IdKeyDigests { get; init => field = value ?? []; } = [];

    internal IEnumerable<string> Faults()
    {
        if (Products.Count == 0) yield return "snp: no product line is let in.";
        if (Platforms.Count == 0 && !AnyPlatform) yield return "snp: no chip is let in; list chip ids, or spell \"anyPlatform\": true out.";
        if (Platforms.Count > 0 && AnyPlatform) yield return "snp: chips are listed and any chip is let in; choose one.";
        if (MaximumVmpl is < 0 or > 3) yield return $"snp: privilege levels are 0 to 3, not {MaximumVmpl}.";
        if (AllowVlek && !AnyPlatform) yield return "snp: a provider's key (VLEK) names no chip, so it needs \"anyPlatform\": true.";
    }
}

/// <summary>The floor of one product line.</summary>
public sealed record SnpFloor
{
    /// <summary>Lowest TCB that the platform may be able to go back to (committed), and that it reports.</summary>
    public SnpTcb Committed { get; init; }

    /// <summary>Lowest TCB at which the guest may have been launched.</summary>
    public SnpTcb Launch { get; init; }

    /// <summary>The firmware must have looked for aliased memory (BadRAM, CVE-2024-21944).</summary>
    public bool RequireAliasCheck { get; init; } = true;

    /// <summary>Mitigation bits that must be set at launch and now; version 5 reports only.</summary>
    public ulong Mitigations { get; init; }
}
