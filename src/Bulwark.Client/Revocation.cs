using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Client;

/// <summary>A signed revocation, as a broker's approver writes it.</summary>
internal static class Revocation
{
    /// <summary>What it says; null when it is none, or nobody who may signed it.</summary>
    internal static KeyAuthorityUsed? Read(ReadOnlyMemory<byte> envelope, IReadOnlyList<VerificationKey> approvers)
    {
        try
        {
            var opened = Dsse.Verify(envelope, [.. approvers]);
            return opened.Verdict is DsseVerdict.Trusted && opened.PayloadType == Statement.PayloadType
                && Predicates.TryRead<KeyAuthorityUsed>(Statement.Parse(opened.Payload)) is { Action: "revoked" } used && used.By.Equals(opened.Signer) ? used : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
