using System.Buffers;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Opens what <see cref="ChunkSealer"/> wrote. A body that breaks off, goes on after its end, or has an empty chunk before its last is refused.</summary>
internal sealed class ChunkOpener(HpkeAead aead, byte[] baseNonce, byte[] context, int largestChunk = 1 << 24)
{
    private readonly byte[] _finalContext = [.. context, .. "final"u8];
    private ulong _counter;

    /// <summary>True once the last chunk was opened.</summary>
    internal bool IsDone { get; private set; }

    /// <summary>Opens the next whole chunk that is not the last.</summary>
    /// <param name="source">What has arrived.</param>
    /// <param name="output">Takes the chunk.</param>
    /// <returns>How many bytes it took; 0 when the next chunk has not arrived whole or is the last.</returns>
    /// <exception cref="CryptographicException">The chunk is not the next of this body.</exception>
    internal int Read(ReadOnlySpan<byte> source, IBufferWriter<byte> output)
    {
        var prefix = QuicInteger.Read(source, out var length);
        if (prefix == 0 || length == 0)
            return 0;
        if (length <= HpkeAead.TagSize || length > (ulong)largestChunk + HpkeAead.TagSize)
            throw new CryptographicException($"A chunk of {length} bytes is none: it is empty or longer than {largestChunk} bytes.");
        if ((ulong)(source.Length - prefix) < length)
            return 0;
        Open(source.Slice(prefix, (int)length), context, output);
        return prefix + (int)length;
    }

    /// <summary>Opens the last chunk: all that is left of the body.</summary>
    /// <exception cref="CryptographicException">The body was cut, or the bytes are not its last chunk.</exception>
    internal void ReadFinal(ReadOnlySpan<byte> rest, IBufferWriter<byte> output)
    {
        var prefix = QuicInteger.Read(rest, out var length);
        if (IsDone || prefix == 0 || length != 0)
            throw new CryptographicException("The body has no last chunk: it was cut.");
        if (rest.Length - prefix > largestChunk + HpkeAead.TagSize)
            throw new CryptographicException($"The last chunk is longer than {largestChunk} bytes.");
        Open(rest[prefix..], _finalContext, output);
        IsDone = true;
    }

    /// <summary>Opens a whole body.</summary>
    /// <exception cref="CryptographicException">It was changed, cut, reordered or lengthened.</exception>
    internal void ReadAll(ReadOnlySpan<byte> body, IBufferWriter<byte> output)
    {
        for (int taken; (taken = Read(body, output)) > 0;)
            body = body[taken..];
        ReadFinal(body, output);
    }

    private void Open(ReadOnlySpan<byte> sealedChunk, byte[] aad, IBufferWriter<byte> output)
    {
        Span<byte> nonce = stackalloc byte[HpkeAead.NonceSize];
        HpkeAead.Nonce(baseNonce, _counter, nonce);
        var size = Math.Max(0, sealedChunk.Length - HpkeAead.TagSize);
        aead.Open(nonce, sealedChunk, output.GetSpan(Math.Max(1, size))[..size], aad);
        output.Advance(size);
        _counter++;
    }
}
