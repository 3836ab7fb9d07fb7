using System.Buffers;
using System.Security.Cryptography;

namespace Bulwark.Keys;

/// <summary>A growing buffer that wipes what it outgrows: a request body may hold a key.</summary>
internal sealed class WipedBuffer : IBufferWriter<byte>
{
    private byte[] _bytes = new byte[1024];
    private int _count;

    public void Advance(int count) => _count += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_bytes.Length - _count < Math.Max(1, sizeHint))
        {
            var grown = new byte[Math.Max(_bytes.Length * 2, _count + sizeHint)];
            _bytes.AsSpan(0, _count).CopyTo(grown);
            CryptographicOperations.ZeroMemory(_bytes);
            _bytes = grown;
        }

        return _bytes.AsMemory(_count);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>What was written; the buffer is wiped.</summary>
    internal byte[] Take()
    {
        var taken = _bytes.AsSpan(0, _count).ToArray();
        CryptographicOperations.ZeroMemory(_bytes);
        return taken;
    }
}
