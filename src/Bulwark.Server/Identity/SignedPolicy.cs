using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Server;

/// <summary>An access policy in a signed envelope (DSSE): the one form in which a running gateway takes another policy.</summary>
public static class SignedPolicy
{
    /// <summary>The payload's type in the envelope.</summary>
    public const string PayloadType = "application/vnd.bulwark.cedar";

    /// <summary>Signs a policy's text.</summary>
    /// <returns>The envelope's bytes.</returns>
    public static byte[] Sign(string policy, Signer signer)
    {
        ArgumentException.ThrowIfNullOrEmpty(policy);
        return Dsse.Sign(PayloadType, Encoding.UTF8.GetBytes(policy), signer);
    }

    /// <summary>The policy's text when a trusted key signed it.</summary>
    /// <param name="envelope">The envelope's bytes.</param>
    /// <param name="trusted">The keys that may sign policies.</param>
    /// <param name="fault">Why there is no text; empty when there is one.</param>
    public static string? Open(ReadOnlyMemory<byte> envelope, IReadOnlyCollection<VerificationKey> trusted, out string fault)
    {
        var opened = Dsse.Verify(envelope, trusted);
        fault = opened switch
        {
            { Verdict: not DsseVerdict.Trusted } => $"the envelope's signature is not one of a trusted key ({opened.Verdict})",
            { PayloadType: not PayloadType } => $"the envelope holds {opened.PayloadType}, not {PayloadType}",
            _ => "",
        };
        if (fault.Length > 0)
            return null;
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(opened.Payload.Span);
        }
        catch (DecoderFallbackException)
        {
            fault = "the policy is no UTF-8 text";
            return null;
        }
    }
}
