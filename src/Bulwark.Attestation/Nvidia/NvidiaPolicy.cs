using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Attestation.Nvidia;

/// <summary>What the GPU beside a processor must be. Where a policy has this, evidence without a GPU's report is refused.</summary>
public sealed record NvidiaPolicy
{
    /// <summary>SHA-256 of the SubjectPublicKeyInfo of the NVIDIA Device Identity CA.</summary>
    public static Digest NvidiaRoot { get; } = Digest.Parse("sha256:a90c4eb5acfd3e3d03a25db6a26b84f720ad0503196c627c21ddd48dd85b06a4");

    /// <summary>Pinned roots; NVIDIA's own unless a test says otherwise. Code sets them, never a policy file.</summary>
    [JsonIgnore]
    public IReadOnlyList<Digest> Roots { get; init => field = value ?? [NvidiaRoot]; } = [NvidiaRoot];

    /// <summary>The GPUs that are let in: SHA-256 of the device certificate's public key (the second of the chain), hexadecimal.</summary>
    public IReadOnlyList<string> Platforms { get; init => field = value ?? []; } = [];

    /// <summary>Any GPU is let in, also one that an attacker owns. Flagged in every appraisal.</summary>
    public bool AnyPlatform { get; init; }

    /// <summary>Measurements that are let in by index (1 and up), SHA-384, hexadecimal: from NVIDIA's signed reference documents (RIM), which this version does not fetch or read.</summary>
    public IReadOnlyDictionary<int, IReadOnlyList<string>> Measurements { get; init => field = value ?? s_none; } = s_none;

    /// <summary>Any firmware and driver is let in. Flagged in every appraisal.</summary>
    public bool AnyMeasurement { get; init; }

    /// <summary>The driver versions that are let in; empty asks nothing.</summary>
    public IReadOnlyList<string> Drivers { get; init => field = value ?? []; } = [];

    /// <summary>The video BIOS versions that are let in, 16 hexadecimal digits as in the report; empty asks nothing.</summary>
    public IReadOnlyList<string> VideoBios { get; init => field = value ?? []; } = [];

    /// <summary>Must be spelled out as true: NVIDIA answers for revocation by OCSP only, which this version does not ask. Flagged in every appraisal.</summary>
    public bool WithoutRevocation { get; init; }

    private static readonly Dictionary<int, IReadOnlyList<string>> s_none = [];

    internal IEnumerable<string> Faults()
    {
        if (Platforms.Count == 0 && !AnyPlatform) yield return "nvidia: no GPU is let in; list them, or spell \"anyPlatform\": true out.";
        if (Platforms.Count > 0 && AnyPlatform) yield return "nvidia: GPUs are listed and any is let in; choose one.";
        if (Measurements.Count == 0 && !AnyMeasurement) yield return "nvidia: no measurement is let in; list them, or spell \"anyMeasurement\": true out.";
        if (Measurements.Count > 0 && AnyMeasurement) yield return "nvidia: measurements are listed and any is let in; choose one.";
        if (!WithoutRevocation) yield return "nvidia: revocation of GPUs cannot be looked up by this version; a policy that takes that must say \"withoutRevocation\": true.";
        foreach (var index in Measurements.Keys.Where(index => index is < 1 or > 255))
            yield return $"nvidia: measurements have indices from 1 to 255, not {index}.";
    }

    internal IEnumerable<string> Flags()
    {
        if (AnyPlatform) yield return "nvidia: any GPU";
        if (AnyMeasurement) yield return "nvidia: any firmware";
        if (WithoutRevocation) yield return "nvidia: revocation is not looked up";
    }
}
