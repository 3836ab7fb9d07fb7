using Bulwark.Attestation.Certificates;
using Bulwark.Attestation.Tpm;

namespace Bulwark.Attestation.Kinds;

/// <summary>A TPM's quote, its keys' attributes and origin, and the registers.</summary>
internal sealed class TpmKind() : EvidenceKind(EvidenceKinds.Tpm, EvidenceParts.Signature, EvidenceParts.AttestationKey, EvidenceParts.Pcrs, EvidenceParts.EndorsementChain, EvidenceParts.EndorsementKey, EvidenceParts.Credential, EvidenceParts.EventLog)
{
    internal override EvidenceFindings Appraise(Legs legs, EvidenceCase one)
    {
        if (one.Policy.Tpm is not { } section)
            return NoPolicy(legs, "tpm");
        var readable = PcrValues.TryDecode(one.Part(EvidenceParts.Pcrs).Span, out var pcrs);
        legs.Check("pcrs", readable, "the registers' values cannot be read");
        pcrs ??= new Dictionary<TpmHash, IReadOnlyDictionary<int, byte[]>>();
        var policy = section with { Measurements = Composites(one) };
        var verifier = new TpmVerifier(policy, one.Time);
        var platform = verifier.Verify(new TpmEvidence
        {
            Attest = one.Evidence.Payload,
            Signature = one.Part(EvidenceParts.Signature),
            KeyPublic = one.Part(EvidenceParts.AttestationKey),
            Pcrs = pcrs,
            EndorsementChain = PemBlocks.All(one.Part(EvidenceParts.EndorsementChain), "CERTIFICATE"),
            ProvedEndorsementKey = Proved(one),
            EventLog = one.Part(EvidenceParts.EventLog),
        }, one.Evidence.QuoteData());
        Take(legs, "tpm", platform);
        return EvidenceFindings.Of(platform, verifier.Composite(pcrs) is { } composite ? $"sha256:{composite}" : null);
    }

    internal static IReadOnlyList<string> Composites(EvidenceCase one) => [.. one.Policy.Measurements.Select(let => let.Sha256).OfType<string>()];

    /// <summary>The endorsement key, when the challenge's credential was made for exactly the attestation key that signed.</summary>
    private static ReadOnlyMemory<byte> Proved(EvidenceCase one) =>
        one.Proved is { } keys && one.Part(EvidenceParts.AttestationKey).Span.SequenceEqual(keys.AttestationKey) ? keys.EndorsementKey : ReadOnlyMemory<byte>.Empty;
}
