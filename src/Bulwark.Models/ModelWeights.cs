using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Bulwark.Models;

/// <summary>A model's weights of any length in native memory: no array holds more than 2 GiB, and no file may hold them in the clear. Wiped when the last user lets go.</summary>
/// <remarks>The handle counts its users, so that an opened package may be closed while a scorer still reads them.</remarks>
public sealed unsafe class ModelWeights : SafeHandle
{
    private const int Page = 4096;
    private const int WipeStep = 1 << 30;

    internal ModelWeights(long bytes) : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Length = bytes;
        SetHandle((nint)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), Page));
    }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Some of the bytes, in place.</summary>
    /// <param name="offset">Of the first.</param>
    /// <param name="count">How many.</param>
    internal Span<byte> Slice(long offset, int count)
    {
        Require(offset, count);
        return new((byte*)handle + offset, count);
    }

    /// <summary>Where some of the bytes are.</summary>
    internal nint At(long offset, long count)
    {
        Require(offset, count);
        return (nint)((byte*)handle + offset);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        for (long at = 0; at < Length; at += WipeStep)
            CryptographicOperations.ZeroMemory(new Span<byte>((byte*)handle + at, (int)Math.Min(WipeStep, Length - at)));
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }

    private void Require(long offset, long count)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        if (offset < 0 || count < 0 || offset > Length - count)
            throw new InvalidDataException($"The weights have {Length} bytes, not {count} from byte {offset} on.");
    }
}
