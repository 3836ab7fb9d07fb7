using System.Buffers.Binary;
using Bulwark.Attestation.Tpm;

namespace Bulwark.Attestation.Sources;

/// <summary>A key that is loaded in the TPM; dispose of it to give its place back.</summary>
public sealed class TpmKey : IDisposable
{
    private readonly TpmClient _client;
    private bool _isFlushed;

    internal TpmKey(TpmClient client, uint handle, byte[] publicArea)
    {
        _client = client;
        Handle = handle;
        Public = publicArea;
    }

    /// <summary>TPM2B_PUBLIC.</summary>
    public ReadOnlyMemory<byte> Public { get; }

    internal uint Handle { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isFlushed)
            return;
        _isFlushed = true;
        try
        {
            _client.Flush(Handle);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // The TPM is gone, and its volatile objects with it.
        }
    }
}

/// <content>Keys and credentials.</content>
public sealed partial class TpmClient
{
    private const uint Owner = 0x40000001, NoHandle = 0x40000007, Endorsement = 0x4000000B;

    /// <summary>The endorsement key, by the TCG's template: the TPM's identity, which its maker certifies.</summary>
    /// <param name="rsa">RSA-2048 instead of P-256.</param>
    public TpmKey CreateEndorsementKey(bool rsa = false) => CreatePrimary(Endorsement, rsa ? TpmTemplates.EndorsementRsa : TpmTemplates.EndorsementEcc);

    /// <summary>An attestation key: signs only what this TPM made, and never leaves it. The same at every start of the same TPM.</summary>
    /// <param name="rsa">RSASSA-2048 instead of ECDSA P-256.</param>
    public TpmKey CreateAttestationKey(bool rsa = false) => CreatePrimary(Endorsement, rsa ? TpmTemplates.AttestationRsa : TpmTemplates.AttestationEcc);

    /// <summary>A key like <see cref="CreateAttestationKey"/> that no other has: <paramref name="salt"/> goes into its template.</summary>
    internal TpmKey CreateSaltedAttestationKey(ReadOnlySpan<byte> salt) =>
        CreatePrimary(Endorsement, [.. TpmTemplates.AttestationEcc[..^4], 0, (byte)salt.Length, .. salt, 0, 0]);

    /// <summary>Opens what a verifier sealed to the endorsement key for exactly this attestation key: proof that both are in one TPM.</summary>
    /// <param name="attestation">The attestation key.</param>
    /// <param name="endorsement">The endorsement key.</param>
    /// <param name="credentialBlob">TPM2B_ID_OBJECT.</param>
    /// <param name="encryptedSecret">TPM2B_ENCRYPTED_SECRET.</param>
    /// <returns>The credential's secret.</returns>
    /// <exception cref="TpmException">It was made for another attestation key or another TPM.</exception>
    public byte[] ActivateCredential(TpmKey attestation, TpmKey endorsement, ReadOnlySpan<byte> credentialBlob, ReadOnlySpan<byte> encryptedSecret)
    {
        ArgumentNullException.ThrowIfNull(attestation);
        ArgumentNullException.ThrowIfNull(endorsement);
        byte[] parameters = [.. credentialBlob, .. encryptedSecret];
        return WithPolicy(
            session => Send(new TpmCommand(0x151, Endorsement, session).Authorize().Sized([]).Sized([]).Sized([]).UInt32(0)),
            session => new TpmReader(Send(new TpmCommand(0x147, attestation.Handle, endorsement.Handle).Authorize().Authorize(session).Raw(parameters))).Buffer().ToArray());
    }

    /// <summary>The endorsement certificate that the TPM's maker left in it; null when there is none.</summary>
    /// <param name="rsa">That of the RSA key instead of P-256.</param>
    /// <returns>DER.</returns>
    public byte[]? ReadEndorsementCertificate(bool rsa = false)
    {
        var index = rsa ? 0x01C00002u : 0x01C0000Au;
        const uint NoSuchHandle = 0x18B;
        var found = Send(new TpmCommand(0x169, index), tolerated: NoSuchHandle);
        if (found.Length == 0)
            return null;
        var area = new TpmReader(new TpmReader(found).Buffer());
        area.UInt32();
        area.UInt16();
        area.UInt32();
        area.Buffer();
        var size = area.UInt16();
        var certificate = new byte[size];
        const int Most = 512;
        for (var offset = 0; offset < size; offset += Most)
        {
            var length = Math.Min(Most, size - offset);
            var part = new TpmReader(Send(new TpmCommand(0x14E, index, index).Authorize().UInt16((ushort)length).UInt16((ushort)offset))).Buffer();
            if (part.Length != length)
                throw new TpmException("The endorsement certificate breaks off.");
            part.CopyTo(certificate.AsSpan(offset));
        }

        return certificate;
    }

    internal void Flush(uint handle) => Send(new TpmCommand(0x165).UInt32(handle));

    private TpmKey CreatePrimary(uint hierarchy, byte[] template)
    {
        var response = new TpmReader(Send(new TpmCommand(0x131, hierarchy).Authorize().Sized([0, 0, 0, 0]).Sized(template).Sized([]).UInt32(0), hasHandle: true));
        var handle = response.UInt32();
        return new(this, handle, WithSize(response.Buffer()));
    }

    /// <summary>Runs <paramref name="use"/> under a policy session that <paramref name="satisfy"/> prepared. The TPM ends the session after its use; after a failure it is ended here.</summary>
    private byte[] WithPolicy(Action<uint> satisfy, Func<uint, byte[]> use)
    {
        var nonce = System.Security.Cryptography.RandomNumberGenerator.GetBytes(16);
        const byte PolicySession = 1;
        var session = BinaryPrimitives.ReadUInt32BigEndian(Send(
            new TpmCommand(0x176, NoHandle, NoHandle).Sized(nonce).Sized([]).Byte(PolicySession).UInt16(TpmAlgorithms.Null).UInt16((ushort)TpmHash.Sha256), hasHandle: true));
        try
        {
            satisfy(session);
            return use(session);
        }
        catch (TpmException)
        {
            const uint AlreadyGone = 0x1C4;
            Send(new TpmCommand(0x165).UInt32(session), tolerated: AlreadyGone);
            throw;
        }
    }

    private static byte[] WithSize(ReadOnlySpan<byte> bytes) => [(byte)(bytes.Length >> 8), (byte)(bytes.Length & 0xFF), .. bytes];
}
