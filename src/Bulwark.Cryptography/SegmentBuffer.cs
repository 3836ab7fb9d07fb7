using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>A pinned working buffer that is wiped when it is given back; those of the usual size are kept for the next user.</summary>
internal sealed class SegmentBuffer : IDisposable
{
    internal const int UsualSize = 1 << 20;
    private const int MostKept = 16;
    private static readonly ConcurrentQueue<byte[]> s_free = new();

    private byte[]? _bytes;
    private int _used;

    private SegmentBuffer(byte[] bytes) => _bytes = bytes;

    internal static SegmentBuffer Rent(int length) => new(
        length > UsualSize || !s_free.TryDequeue(out var kept) ? GC.AllocateUninitializedArray<byte>(Math.Max(length, UsualSize), pinned: true) : kept);

    /// <summary>The first <paramref name="length"/> bytes, which will be wiped.</summary>
    internal Memory<byte> Take(int length)
    {
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        _used = Math.Max(_used, length);
        return _bytes.AsMemory(0, length);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _bytes, null) is not { } bytes)
            return;
        CryptographicOperations.ZeroMemory(bytes.AsSpan(0, _used));
        if (bytes.Length == UsualSize && s_free.Count < MostKept)
            s_free.Enqueue(bytes);
    }
}
