using System.Security.Cryptography;
using NSec.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>AES-256-GCM of many short values under one key, by libsodium, whose price a call is a fraction of the platform's.</summary>
/// <remarks>
/// Source: NIST SP 800-38D with nonces of 96 bits. The results are those of <see cref="AesGcm"/>, which does the work where the processor lacks what
/// libsodium asks for. An item is 12 bytes that stay as they are, a nonce of 12, the text and a tag of 16. Not thread-safe.
/// </remarks>
internal sealed class GcmBatch : IDisposable
{
    internal const int Skipped = 12, NonceSize = 12, TagSize = 16, Overhead = Skipped + NonceSize + TagSize;
    private readonly Key? _key;
    private readonly AesGcm? _single;

    /// <param name="key">32 bytes.</param>
    /// <param name="useSodium">False to have the platform encrypt.</param>
    internal GcmBatch(ReadOnlySpan<byte> key, bool useSodium = true)
    {
        if (useSodium && Aes256Gcm.IsSupported)
            _key = Key.Import(AeadAlgorithm.Aes256Gcm, key, KeyBlobFormat.RawSymmetricKey);
        else
            _single = new AesGcm(key, TagSize);
    }

    /// <summary>Encrypts every item where it stands and writes its tag.</summary>
    /// <param name="items">Items one behind the other, their nonces set.</param>
    /// <param name="ends">Where each ends.</param>
    /// <param name="associated">What each is bound to.</param>
    internal void Seal(Span<byte> items, ReadOnlySpan<int> ends, BatchContext associated)
    {
        for (int i = 0, start = 0; i < ends.Length; start = ends[i++])
        {
            var item = items[start..ends[i]];
            var nonce = item.Slice(Skipped, NonceSize);
            var text = item[(Skipped + NonceSize)..^TagSize];
            if (_key is not null)
                AeadAlgorithm.Aes256Gcm.Encrypt(_key, nonce, associated[i], text, item[(Skipped + NonceSize)..]);
            else
                _single!.Encrypt(nonce, text, text, item[^TagSize..], associated[i]);
        }
    }

    /// <summary>Decrypts every item where it stands; the text of one whose tag is wrong becomes zeros.</summary>
    /// <param name="items">Items one behind the other, each of <see cref="Overhead"/> bytes at least.</param>
    /// <param name="ends">Where each ends.</param>
    /// <param name="associated">What each is bound to.</param>
    /// <param name="opened">Set for each item: whether it is authentic.</param>
    /// <returns>True when all are.</returns>
    internal bool Open(Span<byte> items, ReadOnlySpan<int> ends, BatchContext associated, Span<bool> opened)
    {
        var all = true;
        for (int i = 0, start = 0; i < ends.Length; start = ends[i++])
        {
            var item = items[start..ends[i]];
            opened[i] = _key is null
                ? OpenByPlatform(item, associated[i])
                : AeadAlgorithm.Aes256Gcm.Decrypt(_key, item.Slice(Skipped, NonceSize), associated[i], item[(Skipped + NonceSize)..], item[(Skipped + NonceSize)..^TagSize]);
            if (!opened[i])
                item[(Skipped + NonceSize)..^TagSize].Clear();
            all &= opened[i];
        }

        return all;
    }

    public void Dispose()
    {
        _key?.Dispose();
        _single?.Dispose();
    }

    private bool OpenByPlatform(Span<byte> item, ReadOnlySpan<byte> associated)
    {
        var text = item[(Skipped + NonceSize)..^TagSize];
        try
        {
            _single!.Decrypt(item.Slice(Skipped, NonceSize), text, item[^TagSize..], text, associated);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}

/// <summary>What each value of a batch is bound to: the same for all, or its own part.</summary>
/// <param name="bytes">All parts, one behind the other.</param>
/// <param name="ends">Where each part ends; empty when all of the bytes belong to every value.</param>
/// <param name="start">Where the first part begins.</param>
internal readonly ref struct BatchContext(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> ends, int start = 0)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly ReadOnlySpan<int> _ends = ends;

    private readonly int _start = start;

    internal ReadOnlySpan<byte> this[int value] => _ends.IsEmpty ? _bytes : _bytes[(value == 0 ? _start : _ends[value - 1]).._ends[value]];
}
