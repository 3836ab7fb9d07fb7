using System.Buffers;

namespace Bulwark.Cryptography;

/// <summary>Seals a body chunk by chunk: each after its length, the last one after the length 0 and with "final" in its associated data, so that nobody can cut, reorder or join bodies.</summary>
/// <remarks>Source: chunked Oblivious HTTP, draft-ietf-ohai-chunked-ohttp §6. <paramref name="context"/> precedes the associated data; it is empty in the standard.</remarks>
internal sealed class ChunkSealer(HpkeAead aead, byte[] baseNonce, byte[] context)
{
    private static readonly byte[] Final = [.. "final"u8];
    private readonly byte[] _finalContext = [.. context, .. Final];
    private ulong _counter;
    private bool _isDone;

    /// <summary>Seals one chunk.</summary>
    /// <param name="chunk">Its bytes; only the last may be empty.</param>
    /// <param name="isFinal">True for the last.</param>
    /// <param name="output">Takes the frame.</param>
    internal void Write(ReadOnlySpan<byte> chunk, bool isFinal, IBufferWriter<byte> output)
    {
        if (_isDone)
            throw new InvalidOperationException("The last chunk is written.");
        if (chunk.IsEmpty && !isFinal)
            throw new ArgumentException("Only the last chunk may be empty.", nameof(chunk));
        Span<byte> nonce = stackalloc byte[HpkeAead.NonceSize];
        HpkeAead.Nonce(baseNonce, _counter++, nonce);
        var size = chunk.Length + HpkeAead.TagSize;
        var target = output.GetSpan(size + QuicInteger.LargestSize);
        var length = QuicInteger.Write(isFinal ? 0 : (ulong)size, target);
        aead.Seal(nonce, chunk, target.Slice(length, size), isFinal ? _finalContext : context);
        output.Advance(length + size);
        _isDone = isFinal;
    }
}
