using System.Buffers.Binary;
using System.Security.Cryptography;
using Bulwark.Attestation.Tpm;

namespace Bulwark.Attestation.Sources;

/// <summary>A secret that one TPM gives out only while its registers hold what they held, or were said to hold, when it was sealed.</summary>
/// <param name="Selection">The registers.</param>
/// <param name="Private">TPM2B_PRIVATE: only this TPM can read it.</param>
/// <param name="Public">TPM2B_PUBLIC, with the policy in it.</param>
public sealed record TpmSealed(PcrSelection Selection, ReadOnlyMemory<byte> Private, ReadOnlyMemory<byte> Public);

/// <content>Sealing to registers.</content>
public sealed partial class TpmClient
{
    private const uint PolicyPcr = 0x17F;

    /// <summary>Seals a secret to the present values of registers.</summary>
    /// <param name="secret">1 to 128 bytes.</param>
    /// <param name="selection">The registers, of the SHA-256 bank.</param>
    public TpmSealed Seal(ReadOnlySpan<byte> secret, PcrSelection selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        if (secret.Length is < 1 or > 128)
            throw new ArgumentException($"A TPM seals from 1 to 128 bytes, not {secret.Length}.", nameof(secret));
        var policy = PolicyOf(selection, ReadPcrs(selection));
        using var parent = CreatePrimary(Owner, TpmTemplates.Storage);
        byte[] sensitive = [0, 0, 0, (byte)secret.Length, .. secret];
        try
        {
            var response = new TpmReader(Send(new TpmCommand(0x153, parent.Handle).Authorize().Sized(sensitive).Sized(TpmTemplates.Sealed(policy)).Sized([]).UInt32(0)));
            return new(selection, WithSize(response.Buffer()), WithSize(response.Buffer()));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(sensitive);
        }
    }

    /// <summary>Opens a sealed secret; the caller wipes it.</summary>
    /// <exception cref="TpmException">The registers changed (<see cref="TpmException.IsPolicyFailure"/>), or another TPM sealed it.</exception>
    public byte[] Unseal(TpmSealed @sealed)
    {
        ArgumentNullException.ThrowIfNull(@sealed);
        using var parent = CreatePrimary(Owner, TpmTemplates.Storage);
        var loaded = Send(new TpmCommand(0x157, parent.Handle).Authorize().Raw(@sealed.Private.Span).Raw(@sealed.Public.Span), hasHandle: true);
        using var item = new TpmKey(this, BinaryPrimitives.ReadUInt32BigEndian(loaded), @sealed.Public.ToArray());
        return WithPolicy(
            session => Send(new TpmCommand(PolicyPcr, session).Sized([]).Raw(SelectionBytes(@sealed.Selection))),
            session => new TpmReader(Send(new TpmCommand(0x15E, item.Handle).Authorize(session))).Buffer().ToArray());
    }

    /// <summary>The policy that TPM2_PolicyPCR builds on an empty one (part 3, 23.7).</summary>
    private static byte[] PolicyOf(PcrSelection selection, IReadOnlyDictionary<int, byte[]> values)
    {
        var registers = SHA256.HashData([.. values.OrderBy(value => value.Key).SelectMany(value => value.Value)]);
        return SHA256.HashData([.. new byte[32], 0, 0, (byte)(PolicyPcr >> 8), (byte)(PolicyPcr & 0xFF), .. SelectionBytes(selection), .. registers]);
    }
}
