using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Attestation;

/// <summary>An evidence policy under a signature: a DSSE envelope. A development policy may go without; a production policy may not.</summary>
public static class EvidencePolicySignature
{
    /// <summary>The payload type of a policy in its envelope.</summary>
    public const string PayloadType = "application/vnd.bulwark.evidence-policy+json";

    /// <summary>Signs a sound policy.</summary>
    /// <returns>The envelope's canonical bytes.</returns>
    /// <exception cref="InvalidDataException">The policy has faults; the message lists them all.</exception>
    public static byte[] Sign(EvidencePolicy policy, Signer signer)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var bytes = policy.ToJson();
        EvidencePolicy.FromJson(bytes);
        return Dsse.Sign(PayloadType, bytes, signer);
    }

    /// <summary>Reads a signed policy; a plain one only where no key is trusted and it is for development: who can write a file must not weaken what a key has signed.</summary>
    /// <param name="bytes">An envelope, or a policy's JSON.</param>
    /// <param name="trusted">The keys whose policies are in force here.</param>
    /// <exception cref="InvalidDataException">No trusted key signed it, a production policy has no signature, or it is unsound.</exception>
    public static EvidencePolicy Open(ReadOnlyMemory<byte> bytes, IReadOnlyCollection<VerificationKey> trusted)
    {
        if (Dsse.Peek(bytes) is null)
        {
            var plain = EvidencePolicy.FromJson(bytes.Span);
            return plain.Environment is EvidenceEnvironment.Development && trusted.Count == 0 ? plain
                : throw new InvalidDataException("This policy must be signed by a key that is trusted here: attest policy sign.");
        }

        var opened = Dsse.Verify(bytes, trusted);
        if (opened.Verdict is not DsseVerdict.Trusted || opened.PayloadType != PayloadType)
            throw new InvalidDataException($"No key that is trusted here signed this as an evidence policy ({opened.Verdict}, {opened.PayloadType}).");
        return EvidencePolicy.FromJson(opened.Payload.Span);
    }
}
