using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Attestation.Certificates;

namespace Bulwark.Attestation.Nvidia;

/// <summary>A GPU's attestation report: an SPDM request for measurements, the response to it, and a signature over both.</summary>
/// <remarks>
/// Source: DMTF DSP0274 (SPDM 1.1) §10.11, GET_MEASUREMENTS and MEASUREMENTS; NVIDIA's opaque data are (type u16, length u16, value), little-endian.
/// Layout: request 37 bytes (nonce at 4), response head 8, blocks of 55 bytes (SHA-384 each), nonce 32, opaque length u16, opaque data, ECDSA P-384 signature (r, s).
/// </remarks>
internal sealed class GpuReport
{
    internal const int NonceSize = 32, SignatureSize = 96, DigestSize = 48;
    private const int RequestSize = 37, HeadSize = 8, BlockSize = 7 + DigestSize, MostBytes = 1 << 16;
    private const byte Spdm11 = 0x11, GetMeasurements = 0xE0, Measurements = 0x60, AllMeasurements = 0xFF, SignatureRequested = 1, DmtfSpecification = 1;

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly Dictionary<ushort, ReadOnlyMemory<byte>> _opaque = [];
    private readonly SortedDictionary<int, ReadOnlyMemory<byte>> _measurements = [];

    private GpuReport(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    /// <summary>The nonce that was asked with.</summary>
    internal ReadOnlySpan<byte> Nonce => _bytes.Span.Slice(4, NonceSize);

    /// <summary>SHA-384 measurements by index, 1 and up.</summary>
    internal IReadOnlyDictionary<int, ReadOnlyMemory<byte>> Values => _measurements;

    /// <summary>The driver's version, as the GPU says it.</summary>
    internal string Driver => TextOf(3);

    /// <summary>The video BIOS's version: 8 bytes, hexadecimal.</summary>
    internal string VideoBios => Convert.ToHexStringLower(Opaque(6).Span);

    /// <summary>Digest of the firmware that the leaf's key was derived for; empty when the report does not say.</summary>
    internal ReadOnlyMemory<byte> FirmwareId => Opaque(20);

    /// <summary>Reads a report; its lengths must use up the bytes exactly.</summary>
    internal static bool TryRead(ReadOnlyMemory<byte> bytes, out GpuReport? report)
    {
        report = null;
        var span = bytes.Span;
        if (span.Length is < RequestSize + HeadSize + NonceSize + 2 + SignatureSize or > MostBytes
            || span[0] != Spdm11 || span[1] != GetMeasurements || span[2] != SignatureRequested || span[3] != AllMeasurements
            || span[RequestSize] != Spdm11 || span[RequestSize + 1] != Measurements)
            return false;
        var blocks = span[RequestSize + 4];
        var recordLength = span[RequestSize + 5] | (span[RequestSize + 6] << 8) | (span[RequestSize + 7] << 16);
        var opaqueAt = RequestSize + HeadSize + recordLength + NonceSize + 2;
        if (recordLength != blocks * BlockSize || opaqueAt > span.Length - SignatureSize
            || BinaryPrimitives.ReadUInt16LittleEndian(span[(opaqueAt - 2)..]) != span.Length - SignatureSize - opaqueAt)
            return false;
        var read = new GpuReport(bytes);
        if (!read.ReadBlocks(bytes.Slice(RequestSize + HeadSize, recordLength)) || !read.ReadOpaque(bytes[opaqueAt..^SignatureSize]))
            return false;
        report = read;
        return true;
    }

    /// <summary>True when this key signed the request and the response (SHA-384).</summary>
    internal bool IsSignedBy(ReadOnlySpan<byte> publicKey)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(publicKey, out var read);
            return read == publicKey.Length && key.KeySize == 384
                && key.VerifyData(_bytes.Span[..^SignatureSize], _bytes.Span[^SignatureSize..], HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (Exception failure) when (KeyRefusal.Is(failure))
        {
            return false;   // the answer: a key that cannot be read signs nothing
        }
    }

    private bool ReadBlocks(ReadOnlyMemory<byte> record)
    {
        for (; !record.IsEmpty; record = record[BlockSize..])
        {
            var block = record.Span;
            if (block[1] != DmtfSpecification || BinaryPrimitives.ReadUInt16LittleEndian(block[2..]) != BlockSize - 4
                || BinaryPrimitives.ReadUInt16LittleEndian(block[5..]) != DigestSize || !_measurements.TryAdd(block[0], record.Slice(7, DigestSize)))
                return false;
        }

        return true;
    }

    private bool ReadOpaque(ReadOnlyMemory<byte> opaque)
    {
        for (; !opaque.IsEmpty;)
        {
            if (opaque.Length < 4 || BinaryPrimitives.ReadUInt16LittleEndian(opaque.Span[2..]) is var length && length > opaque.Length - 4
                || !_opaque.TryAdd(BinaryPrimitives.ReadUInt16LittleEndian(opaque.Span), opaque.Slice(4, length)))
                return false;
            opaque = opaque[(4 + length)..];
        }

        return true;
    }

    private ReadOnlyMemory<byte> Opaque(ushort type) => _opaque.GetValueOrDefault(type);

    private string TextOf(ushort type) => Encoding.ASCII.GetString(Opaque(type).Span.TrimEnd((byte)0));
}
