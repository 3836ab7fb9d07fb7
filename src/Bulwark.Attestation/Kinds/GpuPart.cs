using System.Security.Cryptography;
using Bulwark.Attestation.Nvidia;

namespace Bulwark.Attestation.Kinds;

/// <summary>The report of a GPU beside the processor's: required where the policy has <c>nvidia</c>, refused where it has not. Legs begin with <c>gpu.</c>.</summary>
internal static class GpuPart
{
    private static ReadOnlySpan<byte> Label => "bulwark gpu nonce v1"u8;

    /// <summary>The parts that the policy makes known to every kind.</summary>
    internal static bool Knows(EvidencePolicy policy, string part) => policy.Nvidia is not null && part is (EvidenceParts.GpuReport or EvidenceParts.GpuChain);

    /// <summary>What a GPU is asked with: it names the processor's own statement, so that no report of another challenge or machine's fits.</summary>
    internal static byte[] Nonce(Evidence evidence) => SHA256.HashData([.. Label, .. evidence.Nonce, .. evidence.Payload]);

    internal static EvidenceFindings AddTo(Legs legs, EvidenceCase one, EvidenceFindings found)
    {
        if (one.Policy.Nvidia is not { } policy)
            return found;
        var gpu = new NvidiaVerifier(policy, one.Time).Verify(one.Part(EvidenceParts.GpuReport), one.Part(EvidenceParts.GpuChain), Nonce(one.Evidence));
        legs.Done.AddRange(gpu.Legs.Select(leg => leg with { Name = $"gpu.{leg.Name}" }));
        var claims = new Dictionary<string, string>(found.Claims, StringComparer.Ordinal);
        foreach (var (name, value) in gpu.Claims)
            claims[name] = value;
        if (gpu.PlatformId is { } platform)
            claims["gpu.platform"] = platform;
        return found with { Claims = claims, ValidUntil = found.ValidUntil is { } until && (gpu.ValidUntil is null || until < gpu.ValidUntil) ? until : gpu.ValidUntil ?? found.ValidUntil };
    }
}
