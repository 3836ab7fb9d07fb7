namespace Bulwark.Attestation.Snp;

/// <summary>A report and the certificates that came with it. Each certificate and list is DER or one PEM block.</summary>
/// <param name="Report">The report, 1,184 bytes.</param>
/// <param name="Leaf">VCEK or VLEK.</param>
/// <param name="Signing">ASK or ASVK.</param>
/// <param name="Root">ARK: compared with the pinned keys, not trusted because it is here.</param>
/// <param name="RevocationList">AMD's list, signed by the ARK; empty when there is none.</param>
public sealed record SnpEvidence(ReadOnlyMemory<byte> Report, ReadOnlyMemory<byte> Leaf, ReadOnlyMemory<byte> Signing, ReadOnlyMemory<byte> Root, ReadOnlyMemory<byte> RevocationList = default)
{
    private static readonly Guid s_vcek = new("63da758d-e664-4564-adc5-f4b93be8accd");
    private static readonly Guid s_vlek = new("a8074bc2-a25a-483e-aae6-39c045a0b8a1");
    private static readonly Guid s_ask = new("4ab7b379-bbac-4fe4-a02f-05aef327c782");
    private static readonly Guid s_ark = new("c0b406a4-a803-4952-9743-3fb6014cd0ae");

    /// <summary>Evidence from a report and the host's certificate table (GHCB extended request, the kernel's <c>auxblob</c>): entries of GUID, offset and length, ended by a zero GUID.</summary>
    /// <returns>Null when the table is malformed or lacks the leaf.</returns>
    public static SnpEvidence? FromCertificateTable(ReadOnlyMemory<byte> report, ReadOnlyMemory<byte> table)
    {
        const int entrySize = 24;
        var found = new Dictionary<Guid, ReadOnlyMemory<byte>>();
        for (var at = 0; at <= table.Length - entrySize; at += entrySize)
        {
            var entry = table.Span.Slice(at, entrySize);
            var id = new Guid(entry[..16], bigEndian: true);
            if (id == Guid.Empty)
                return (found.TryGetValue(s_vcek, out var leaf) || found.TryGetValue(s_vlek, out leaf))
                    ? new(report, leaf, found.GetValueOrDefault(s_ask), found.GetValueOrDefault(s_ark)) : null;
            var offset = BitConverter.ToUInt32(entry[16..20]);
            var length = BitConverter.ToUInt32(entry[20..24]);
            if (offset > (uint)table.Length || length > (uint)table.Length - offset || !found.TryAdd(id, table.Slice((int)offset, (int)length)))
                return null;
        }

        return null;
    }
}
