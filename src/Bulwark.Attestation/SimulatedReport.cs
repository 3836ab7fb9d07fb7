using System.Buffers.Binary;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>The payload of kind <c>simulated</c>: fixed offsets and 192 bytes, like a hardware report, so that it reads only one way.</summary>
/// <remarks>
/// Offsets: 0 magic (16, "BULWARK-INSECURE"), 16 version u32 = 1, 20 reserved u32 = 0, 24 issued u64 (Unix milliseconds), 32 measurement (32),
/// 64 report data (64), 128 Ed25519 signature (64) over bytes 0 to 127. Integers are big-endian.
/// </remarks>
internal readonly record struct SimulatedReport(DateTimeOffset Issued, Digest Measurement, byte[] ReportData, byte[] Signed, byte[] Signature)
{
    internal const int SizeInBytes = 192;
    private const int SignedSizeInBytes = 128;

    private static ReadOnlySpan<byte> Magic => "BULWARK-INSECURE"u8;

    internal static byte[] Create(DateTimeOffset issued, Digest measurement, ReadOnlySpan<byte> reportData, Signer signer)
    {
        var report = new byte[SizeInBytes];
        Magic.CopyTo(report);
        BinaryPrimitives.WriteUInt32BigEndian(report.AsSpan(16), 1);
        BinaryPrimitives.WriteInt64BigEndian(report.AsSpan(24), issued.ToUnixTimeMilliseconds());
        measurement.Bytes.CopyTo(report.AsSpan(32, 32));
        reportData.CopyTo(report.AsSpan(64, 64));
        signer.Sign(report.AsSpan(0, SignedSizeInBytes)).CopyTo(report.AsSpan(SignedSizeInBytes));
        return report;
    }

    internal static bool TryRead(ReadOnlySpan<byte> payload, out SimulatedReport report)
    {
        report = default;
        if (payload.Length != SizeInBytes || !payload.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32BigEndian(payload[16..]) != 1 || BinaryPrimitives.ReadUInt32BigEndian(payload[20..]) != 0)
            return false;
        var milliseconds = BinaryPrimitives.ReadUInt64BigEndian(payload[24..]);
        if (milliseconds > (ulong)DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return false;
        report = new(
            DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds),
            new Digest(payload.Slice(32, 32)),
            payload.Slice(64, 64).ToArray(),
            payload[..SignedSizeInBytes].ToArray(),
            payload[SignedSizeInBytes..].ToArray());
        return true;
    }
}
