using System.Buffers.Binary;

namespace Bulwark.Attestation.Tpm;

/// <summary>A structure of TPM 2.0 Library part 2 is malformed.</summary>
internal sealed class TpmFormatException(string message) : FormatException(message);

/// <summary>Reads the TPM's structures: big-endian, sized buffers (TPM2B) with 16-bit lengths.</summary>
internal ref struct TpmReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    internal readonly bool IsAtEnd => _rest.IsEmpty;

    internal byte Byte() => Take(1)[0];
    internal ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));
    internal uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));
    internal ulong UInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));
    internal ReadOnlySpan<byte> Buffer() => Take(UInt16());

    /// <summary>All that is left.</summary>
    internal ReadOnlySpan<byte> Rest() => Take(_rest.Length);

    internal ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
            throw new TpmFormatException($"{length} bytes were expected, {_rest.Length} are left.");
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    internal readonly void ThrowIfNotAtEnd()
    {
        if (!IsAtEnd)
            throw new TpmFormatException($"{_rest.Length} bytes follow the structure.");
    }
}
