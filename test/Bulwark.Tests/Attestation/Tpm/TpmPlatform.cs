using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Attestation;
using Bulwark.Attestation.Tpm;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Attestation.Tpm;

/// <summary>A TPM that does not exist: its endorsement and attestation keys, its registers, its quotes.</summary>
internal sealed class TpmPlatform : IDisposable
{
    internal const uint AttestationAttributes = 0x00050072, EndorsementAttributes = 0x000300B2;
    internal static readonly byte[] Nonce = [.. Enumerable.Range(1, 32).Select(number => (byte)number)];
    private readonly ECDsa _rootKey = New(), _endorsementKey = New(), _attestationKey = New();
    private readonly Dictionary<int, byte[]> _registers = new() { [0] = SHA256.HashData("zero"u8), [7] = SHA256.HashData("seven"u8), [11] = Extended("eleven"u8) };

    internal TpmPlatform()
    {
        Root = AttestationPki.EcRoot(_rootKey, "CN=TPM Root");
        Endorsement = Certificate();
    }

    internal X509Certificate2 Root { get; }
    internal X509Certificate2 Endorsement { get; }
    internal byte[] EndorsementPublic => Public(_endorsementKey, EndorsementAttributes);
    internal byte[] AttestationPublic => Public(_attestationKey, AttestationAttributes);
    internal IReadOnlyDictionary<TpmHash, IReadOnlyDictionary<int, byte[]>> Pcrs => new Dictionary<TpmHash, IReadOnlyDictionary<int, byte[]>> { [TpmHash.Sha256] = _registers };
    internal string Composite => Convert.ToHexStringLower(SHA256.HashData([.. _registers.OrderBy(register => register.Key).SelectMany(register => register.Value)]));

    internal TpmPolicy Policy => new()
    {
        Required = new(TpmHash.Sha256, [0, 7, 11]),
        EndorsementRoots = [Root.KeyDigest()],
        EndorsementKeys = [Endorsement.KeyDigest()],
        Measurements = [Composite],
        Values = new Dictionary<int, IReadOnlyList<string>> { [7] = [Convert.ToHexStringLower(_registers[7])] },
    };

    internal TpmEvidence Evidence(Action<byte[]>? change = null, ushort type = 0x8018, byte[]? nonce = null, ECDsa? signer = null, int[]? indices = null) => Signed(Attest(change, type, nonce ?? Nonce, indices ?? [0, 7, 11]), signer);

    internal TpmEvidence Signed(byte[] attest, ECDsa? signer = null) => new()
    {
        Attest = attest,
        Signature = Signature(signer ?? _attestationKey, attest),
        KeyPublic = AttestationPublic,
        Pcrs = Pcrs,
        EndorsementChain = [Endorsement.RawData, Root.RawData],
        ProvedEndorsementKey = EndorsementPublic,
    };

    internal static PlatformAppraisal Verify(TpmEvidence evidence, TpmPolicy policy, DateTimeOffset? now = null) =>
        new TpmVerifier(policy, new FakeTimeProvider(now ?? AttestationPki.Now)).Verify(evidence, Nonce);

    internal X509Certificate2 Certificate(string usage = "2.23.133.8.1", DateTimeOffset? end = null)
    {
        var request = AttestationPki.Request(_endorsementKey, "CN=TPM EK", authority: false);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        return request.Issue(Root, _rootKey, 2, end);
    }

    /// <summary>TPM2B_PUBLIC of a P-256 key; a restricted decrypting one has AES-128 in CFB and no scheme.</summary>
    internal static byte[] Public(ECDsa key, uint attributes)
    {
        var point = key.ExportParameters(false).Q;
        var decrypts = (attributes & 0x20000) != 0;
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, attributes);
        byte[] area =
        [
            0, 0x23, 0, 0x0B, .. bytes, 0, 0, .. decrypts ? (byte[])[0, 6, 0, 0x80, 0, 0x43, 0, 0x10] : [0, 0x10, 0, 0x18, 0, 0x0B], 0, 3, 0, 0x10, 0, 32, .. point.X!, 0, 32, .. point.Y!,
        ];
        return [(byte)(area.Length >> 8), (byte)area.Length, .. area];
    }

    internal byte[] Public(uint attributes) => Public(_attestationKey, attributes);

    /// <summary>A crypto-agile log of one event, which gives register 11.</summary>
    internal static byte[] EventLog(ReadOnlySpan<byte> measured)
    {
        byte[] specification = [.. "Spec ID Event03\0"u8, 0, 0, 0, 0, 0, 2, 0, 2, 1, 0, 0, 0, 0x0B, 0, 32, 0, 0];
        return [0, 0, 0, 0, 3, 0, 0, 0, .. new byte[20], (byte)specification.Length, 0, 0, 0, .. specification, 11, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0x0B, 0, .. SHA256.HashData(measured), 0, 0, 0, 0];
    }

    public void Dispose()
    {
        _rootKey.Dispose();
        _endorsementKey.Dispose();
        _attestationKey.Dispose();
        Root.Dispose();
        Endorsement.Dispose();
    }

    private byte[] Attest(Action<byte[]>? change, ushort type, byte[] nonce, int[] indices)
    {
        var bitmap = new byte[3];
        foreach (var index in indices)
            bitmap[index / 8] |= (byte)(1 << (index % 8));
        var digest = SHA256.HashData([.. indices.Order().SelectMany(index => _registers[index])]);
        byte[] attest =
        [
            0xFF, 0x54, 0x43, 0x47, (byte)(type >> 8), (byte)type, 0, 34, 0, 0x0B, .. new byte[32], 0, (byte)nonce.Length, .. nonce,
            .. new byte[8], 0, 0, 0, 5, 0, 0, 0, 1, 1, .. new byte[8], 0, 0, 0, 1, 0, 0x0B, 3, .. bitmap, 0, 32, .. digest,
        ];
        change?.Invoke(attest);
        return attest;
    }

    private static byte[] Signature(ECDsa key, byte[] attest)
    {
        var signature = key.SignData(attest, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return [0, 0x18, 0, 0x0B, 0, 32, .. signature[..32], 0, 32, .. signature[32..]];
    }

    private static byte[] Extended(ReadOnlySpan<byte> measured) => SHA256.HashData([.. new byte[32], .. SHA256.HashData(measured)]);

    private static ECDsa New() => ECDsa.Create(ECCurve.NamedCurves.nistP256);
}
