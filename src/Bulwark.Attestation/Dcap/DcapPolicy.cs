using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Attestation.Dcap;

/// <summary>What an Intel platform and its enclave or domain must be. What is not said is refused.</summary>
public sealed record DcapPolicy
{
    /// <summary>SHA-256 of the SubjectPublicKeyInfo of the Intel SGX Root CA, which signs TDX too.</summary>
    public static Digest IntelRoot { get; } = Digest.Parse("sha256:a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e");

    /// <summary>Pinned roots; Intel's own unless a test says otherwise. Code sets them, never a policy file.</summary>
    [JsonIgnore]
    public IReadOnlyList<Digest> Roots { get; init => field = value ?? [IntelRoot]; } = [IntelRoot];

    /// <summary>The statuses that are let in.</summary>
    public IReadOnlyList<TcbStatus> Statuses { get; init => field = value ?? [TcbStatus.UpToDate]; } = [TcbStatus.UpToDate];

    /// <summary>Advisories that the software mitigates: a status with any other is refused.</summary>
    public IReadOnlyList<string> AdvisoriesAllowed { get; init => field = value ?? []; } = [];

    /// <summary>Lowest <c>tcbEvaluationDataNumber</c> of the collateral: an attacker may not show old collateral that is still in date.</summary>
    public int MinimumEvaluationNumber { get; init; }

    /// <summary>Both revocation lists must be there. False must be spelled out: what is there is still checked.</summary>
    public bool RequireRevocation { get; init; } = true;

    /// <summary>The platforms that are let in: hexadecimal PIID, or PPID where a platform has none.</summary>
    public IReadOnlyList<string> Platforms { get; init => field = value ?? []; } = [];

    /// <summary>Any platform is let in, also one that an attacker owns. Flagged in every appraisal.</summary>
    public bool AnyPlatform { get; init; }

    /// <summary>Longest time since Intel's documents and lists were issued; null asks no more than that they are in force.</summary>
    [JsonIgnore]
    public TimeSpan? MaximumCollateralAge { get; init; }

    /// <summary>SGX: MRENCLAVE values, hexadecimal. TDX: MRTD values.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Measurements { get; init => field = value ?? []; } = [];

    /// <summary>TDX: values of the run-time registers (RTMR 0 to 3) that are let in, hexadecimal; a register without an entry may hold anything.</summary>
    public IReadOnlyDictionary<int, IReadOnlyList<string>> Registers { get; init => field = value ?? s_none; } = s_none;

    private static readonly Dictionary<int, IReadOnlyList<string>> s_none = [];

    /// <summary>Any measurement is let in: the caller judges it. Flagged in every appraisal.</summary>
    [JsonIgnore]
    public bool AnyMeasurement { get; init; }

    /// <summary>TDX: exact TD attributes, hexadecimal as in the report; null asks only that no debug bit is set. Production: <c>0000001000000000</c>.</summary>
    public string? TdAttributes { get; init; }

    /// <summary>TDX: exact XFAM, hexadecimal; null asks nothing.</summary>
    public string? Xfam { get; init; }

    /// <summary>TDX: exact MRCONFIGID, 96 hexadecimal digits: the digest of the pod's initdata. Null asks nothing.</summary>
    public string? MrConfigId { get; init; }

    /// <summary>TDX 1.5: a service domain may be bound.</summary>
    public bool AllowServiceTd { get; init; }

    internal IEnumerable<string> Faults(string section)
    {
        if (Platforms.Count == 0 && !AnyPlatform) yield return $"{section}: no platform is let in; list PIIDs, or spell \"anyPlatform\": true out.";
        if (Platforms.Count > 0 && AnyPlatform) yield return $"{section}: platforms are listed and any platform is let in; choose one.";
        if (Statuses.Count == 0) yield return $"{section}: no status is let in.";
        foreach (var status in Statuses.Where(status => status is TcbStatus.NoMatchingLevel or TcbStatus.Revoked))
            yield return $"{section}: the status {status} is never acceptable.";
        foreach (var register in Registers.Keys.Where(register => register is < 0 or > 3))
            yield return $"{section}: run-time registers are 0 to 3, not {register}.";
    }
}
