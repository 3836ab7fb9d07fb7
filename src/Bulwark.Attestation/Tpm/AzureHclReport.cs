using System.Buffers.Binary;

namespace Bulwark.Attestation.Tpm;

/// <summary>The report that Azure's paravisor keeps in the virtual TPM (NV index 0x01400001): header, the processor's report, runtime data.</summary>
/// <remarks>Offsets: 0 signature "HCLA", 32 processor's report (1,184 bytes), 1,216 header of the runtime data (size, version, report type, hash type, length; 32 bits each, little-endian), 1,236 JSON.</remarks>
internal sealed record AzureHclReport(bool IsTdx, ReadOnlyMemory<byte> Report, ReadOnlyMemory<byte> RuntimeData)
{
    private const int HeaderSize = 32, ReportSize = 1184, DataAt = HeaderSize + ReportSize + 20;
    private const uint Snp = 2, Tdx = 4;

    internal static bool TryRead(ReadOnlyMemory<byte> bytes, out AzureHclReport? report)
    {
        report = null;
        var span = bytes.Span;
        if (span.Length < DataAt || !span.StartsWith("HCLA"u8))
            return false;
        var type = BinaryPrimitives.ReadUInt32LittleEndian(span[(HeaderSize + ReportSize + 8)..]);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(span[(HeaderSize + ReportSize + 16)..]);
        if (type is not (Snp or Tdx) || length > (uint)(span.Length - DataAt))
            return false;
        report = new(type == Tdx, bytes.Slice(HeaderSize, ReportSize), bytes.Slice(DataAt, (int)length));
        return true;
    }
}
