using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Attestation.Snp;

/// <summary>An SEV-SNP attestation report (AMD 56860, SEV-SNP Firmware ABI, table ATTESTATION_REPORT): 1,184 bytes, little-endian.</summary>
/// <remarks>Only reads; <see cref="SnpVerifier"/> judges.</remarks>
public sealed class SnpReport
{
    /// <summary>Length in bytes.</summary>
    public const int SizeInBytes = 0x4A0;

    private const int SignedBytes = 0x2A0;
    private const int ScalarBytes = 48, ScalarSlot = 72;
    private readonly byte[] _bytes;

    private SnpReport(byte[] bytes) => _bytes = bytes;

    /// <summary>Reads a report.</summary>
    /// <returns>False when the length is not <see cref="SizeInBytes"/>.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out SnpReport? report)
    {
        report = bytes.Length == SizeInBytes ? new SnpReport(bytes.ToArray()) : null;
        return report is not null;
    }

    /// <summary>The format's version: 2 to 5 are known.</summary>
    public uint Version => UInt32(0x000);
    /// <summary>Security version number of the guest.</summary>
    public uint GuestSvn => UInt32(0x004);
    /// <summary>What the guest's owner allowed.</summary>
    public SnpGuestPolicy Policy => new(UInt64(0x008));
    /// <summary>Family id of the guest, 16 bytes.</summary>
    public ReadOnlySpan<byte> FamilyId => Bytes(0x010, 16);
    /// <summary>Image id of the guest, 16 bytes.</summary>
    public ReadOnlySpan<byte> ImageId => Bytes(0x020, 16);
    /// <summary>Privilege level that asked for the report, 0 (highest) to 3.</summary>
    public uint Vmpl => UInt32(0x030);
    /// <summary>Signature algorithm: 1 is ECDSA P-384 with SHA-384.</summary>
    public uint SignatureAlgorithm => UInt32(0x034);
    /// <summary>What the platform has switched on.</summary>
    public SnpPlatformInfo PlatformInfo => new(UInt64(0x040));
    /// <summary>The host hides the chip's id and key.</summary>
    public bool MaskChipKey => (UInt32(0x048) & 2) != 0;
    /// <summary>Which key signed: 0 VCEK, 1 VLEK.</summary>
    public uint SigningKey => (UInt32(0x048) >> 2) & 7;
    /// <summary>64 bytes of the guest's choice.</summary>
    public ReadOnlySpan<byte> ReportData => Bytes(0x050, 64);
    /// <summary>Launch digest, SHA-384.</summary>
    public ReadOnlySpan<byte> Measurement => Bytes(0x090, 48);
    /// <summary>32 bytes of the host's choice at launch.</summary>
    public ReadOnlySpan<byte> HostData => Bytes(0x0C0, 32);
    /// <summary>SHA-384 of the key that signed the guest's id block; zero without one.</summary>
    public ReadOnlySpan<byte> IdKeyDigest => Bytes(0x0E0, 48);
    /// <summary>SHA-384 of the author's key; zero without one.</summary>
    public ReadOnlySpan<byte> AuthorKeyDigest => Bytes(0x110, 48);
    /// <summary>The chip's id, 64 bytes; zero when it is masked or a VLEK signed.</summary>
    public ReadOnlySpan<byte> ChipId => Bytes(0x1A0, 64);
    /// <summary>Firmware that runs: major, minor, build.</summary>
    public (byte Major, byte Minor, byte Build) CurrentFirmware => (_bytes[0x1EA], _bytes[0x1E9], _bytes[0x1E8]);
    /// <summary>Firmware that is committed, below which the platform cannot go back.</summary>
    public (byte Major, byte Minor, byte Build) CommittedFirmware => (_bytes[0x1EE], _bytes[0x1ED], _bytes[0x1EC]);
    /// <summary>Vulnerabilities that were mitigated at launch; version 5, else 0.</summary>
    public ulong LaunchMitigations => Version >= 5 ? UInt64(0x1F8) : 0;
    /// <summary>Vulnerabilities that are mitigated now; version 5, else 0.</summary>
    public ulong CurrentMitigations => Version >= 5 ? UInt64(0x200) : 0;

    /// <summary>The product line by the processor's family and model; unknown for version 2, which does not say.</summary>
    public SnpProduct Product => (_bytes[0x188], _bytes[0x189]) switch
    {
        _ when Version < 3 => SnpProduct.Unknown,
        (0x19, <= 0x0F) => SnpProduct.Milan,
        (0x19, (>= 0x10 and <= 0x1F) or (>= 0xA0 and <= 0xAF)) => SnpProduct.Genoa,
        (0x1A, _) => SnpProduct.Turin,
        _ => SnpProduct.Unknown,
    };

    internal ReadOnlySpan<byte> ReportedTcbBytes => Bytes(0x180, 8);

    /// <summary>The TCB that runs.</summary>
    public SnpTcb CurrentTcb(SnpProduct product) => SnpTcb.Read(Bytes(0x038, 8), product);
    /// <summary>The TCB that the signing key was derived for.</summary>
    public SnpTcb ReportedTcb(SnpProduct product) => SnpTcb.Read(Bytes(0x180, 8), product);
    /// <summary>The TCB below which the platform cannot go back.</summary>
    public SnpTcb CommittedTcb(SnpProduct product) => SnpTcb.Read(Bytes(0x1E0, 8), product);
    /// <summary>The TCB when the guest was launched.</summary>
    public SnpTcb LaunchTcb(SnpProduct product) => SnpTcb.Read(Bytes(0x1F0, 8), product);

    /// <summary>True when every reserved byte is zero, as the version at hand has them.</summary>
    public bool ReservedAreZero()
    {
        var tcbReserved = Version >= 3 && Product is SnpProduct.Turin ? (4, 3) : (2, 4);
        ReadOnlySpan<int> tcbs = [0x038, 0x180, 0x1E0, 0x1F0];
        foreach (var at in tcbs)
        {
            if (!IsZero(at + tcbReserved.Item1, tcbReserved.Item2))
                return false;
        }

        return (UInt32(0x048) >> 5) == 0 && IsZero(0x04C, 4)
            && (Version >= 3 ? IsZero(0x18B, 21) : IsZero(0x188, 24))
            && _bytes[0x1EB] == 0 && _bytes[0x1EF] == 0
            && (Version >= 5 ? IsZero(0x208, 0x98) : IsZero(0x1F8, 0xA8))
            && IsZero(SignedBytes + ScalarBytes, ScalarSlot - ScalarBytes) && IsZero(SignedBytes + ScalarSlot + ScalarBytes, ScalarSlot - ScalarBytes)
            && IsZero(SignedBytes + 2 * ScalarSlot, SizeInBytes - SignedBytes - 2 * ScalarSlot);
    }

    /// <summary>True when the P-384 key signed bytes 0 to 671. R and S are little-endian in slots of 72 bytes, whose upper 24 must be zero.</summary>
    /// <param name="subjectPublicKeyInfo">The VCEK or VLEK, DER.</param>
    public bool IsSignedBy(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        if (!IsZero(SignedBytes + ScalarBytes, ScalarSlot - ScalarBytes) || !IsZero(SignedBytes + ScalarSlot + ScalarBytes, ScalarSlot - ScalarBytes))
            return false;
        Span<byte> signature = stackalloc byte[2 * ScalarBytes];
        Bytes(SignedBytes, ScalarBytes).CopyTo(signature);
        Bytes(SignedBytes + ScalarSlot, ScalarBytes).CopyTo(signature[ScalarBytes..]);
        signature[..ScalarBytes].Reverse();
        signature[ScalarBytes..].Reverse();
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
            return key.KeySize == 384 && key.VerifyData(_bytes.AsSpan(0, SignedBytes), signature, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (Exception failure) when (Certificates.KeyRefusal.Is(failure))
        {
            return false;   // the answer: this key or signature verifies nothing
        }
    }

    private uint UInt32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(at));
    private ulong UInt64(int at) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(at));
    private ReadOnlySpan<byte> Bytes(int at, int length) => _bytes.AsSpan(at, length);
    private bool IsZero(int at, int length) => !Bytes(at, length).ContainsAnyExcept((byte)0);
}

/// <summary>POLICY of a report: what the guest's owner allowed the host.</summary>
/// <param name="Bits">The 64 bits.</param>
public readonly record struct SnpGuestPolicy(ulong Bits)
{
    private const ulong Known = 0x3FF_FFFF;   // bits 25:0

    /// <summary>Bit 17 is one and no unknown bit is set.</summary>
    public bool IsWellFormed => (Bits & (1UL << 17)) != 0 && (Bits & ~Known) == 0;
    /// <summary>Simultaneous multi-threading is allowed.</summary>
    public bool SmtAllowed => Bit(16);
    /// <summary>A migration agent may be bound to the guest.</summary>
    public bool MigrationAgentAllowed => Bit(18);
    /// <summary>The host may read the guest's memory: no secret is safe.</summary>
    public bool DebugAllowed => Bit(19);
    /// <summary>The guest must run on one socket.</summary>
    public bool SingleSocket => Bit(20);
    /// <summary>The lowest firmware interface that may run it: major, minor.</summary>
    public (byte Major, byte Minor) MinimumAbi => ((byte)(Bits >> 8), (byte)Bits);
    private bool Bit(int at) => (Bits & (1UL << at)) != 0;
}

/// <summary>PLATFORM_INFO of a report.</summary>
/// <param name="Bits">The 64 bits.</param>
public readonly record struct SnpPlatformInfo(ulong Bits)
{
    /// <summary>Simultaneous multi-threading is on.</summary>
    public bool SmtOn => (Bits & 1) != 0;
    /// <summary>The firmware looked for memory aliases at boot and found none (BadRAM).</summary>
    public bool AliasCheckComplete => (Bits & 0x20) != 0;
    /// <summary>Ciphertext of memory is hidden from the host.</summary>
    public bool CiphertextHiding => (Bits & 0x10) != 0;
}
