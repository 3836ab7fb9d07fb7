using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>AES-256-GCM of many short values under one key: the blocks of all go through AES in one call, which for values of some bytes is most of the price.</summary>
/// <remarks>
/// Source: NIST SP 800-38D, section 7 with nonces of 96 bits. The results are those of <see cref="AesGcm"/>, which does the work where the processor
/// cannot multiply without carries. An item is 12 bytes that stay as they are, a nonce of 12, the text and a tag of 16. Not thread-safe.
/// </remarks>
internal sealed class GcmBatch : IDisposable
{
    internal const int Skipped = 12, NonceSize = 12, TagSize = 16, Overhead = Skipped + NonceSize + TagSize;
    private const int Block = 16, MostItems = 512, MostBytes = 1 << 16;
    private readonly Aes? _aes;
    private readonly AesGcm? _single;
    private readonly Ghash _hash;
    private byte[] _blocks = [];

    /// <param name="key">32 bytes.</param>
    /// <param name="useVectors">False to have each value encrypted alone.</param>
    internal GcmBatch(ReadOnlySpan<byte> key, bool useVectors = true)
    {
        if (!useVectors || !Ghash.IsSupported)
        {
            _single = new AesGcm(key, TagSize);
            return;
        }

        _aes = Aes.Create();
        _aes.SetKey(key);
        Span<byte> subkey = stackalloc byte[Block];
        subkey.Clear();
        _aes.EncryptEcb(subkey, subkey, PaddingMode.None);
        _hash = new Ghash(subkey);
        CryptographicOperations.ZeroMemory(subkey);
    }

    /// <summary>Encrypts every item where it stands and writes its tag.</summary>
    /// <param name="items">Items one behind the other, their nonces set.</param>
    /// <param name="ends">Where each ends.</param>
    /// <param name="associated">What each is bound to.</param>
    internal void Seal(Span<byte> items, ReadOnlySpan<int> ends, BatchContext associated)
    {
        for (int first = 0, start = 0; first < ends.Length;)
        {
            var count = Group(ends, first, start);
            if (_aes is not null)
                Stream(items, ends.Slice(first, count), start);
            var used = 0;
            for (var i = first; i < first + count; start = ends[i++])
            {
                var item = items[start..ends[i]];
                var text = item[(Skipped + NonceSize)..^TagSize];
                if (_single is not null)
                {
                    _single.Encrypt(item.Slice(Skipped, NonceSize), text, text, item[^TagSize..], associated[i]);
                    continue;
                }

                Mask(text, used);
                Tag(associated[i], text, used, item[^TagSize..]);
                used += BlocksOf(text.Length) * Block;
            }

            first += count;
        }

        CryptographicOperations.ZeroMemory(_blocks);
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
        Span<byte> tag = stackalloc byte[TagSize];
        for (int first = 0, start = 0; first < ends.Length;)
        {
            var count = Group(ends, first, start);
            if (_aes is not null)
                Stream(items, ends.Slice(first, count), start);
            var used = 0;
            for (var i = first; i < first + count; start = ends[i++])
            {
                var item = items[start..ends[i]];
                var text = item[(Skipped + NonceSize)..^TagSize];
                opened[i] = _single is null ? OpenOne(item, text, used, associated[i], tag) : OpenAlone(item, text, associated[i]);
                used += BlocksOf(text.Length) * Block;
                if (!opened[i])
                    text.Clear();
                all &= opened[i];
            }

            first += count;
        }

        CryptographicOperations.ZeroMemory(_blocks);
        return all;
    }

    public void Dispose()
    {
        _aes?.Dispose();
        _single?.Dispose();
    }

    private bool OpenOne(Span<byte> item, Span<byte> text, int used, ReadOnlySpan<byte> associated, Span<byte> tag)
    {
        Tag(associated, text, used, tag);
        if (!CryptographicOperations.FixedTimeEquals(tag, item[^TagSize..]))
            return false;
        Mask(text, used);
        return true;
    }

    private bool OpenAlone(Span<byte> item, Span<byte> text, ReadOnlySpan<byte> associated)
    {
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

    /// <summary>How many items go together: some hundreds, or as many as are not too long.</summary>
    private static int Group(ReadOnlySpan<int> ends, int first, int start)
    {
        var count = 1;
        while (count < MostItems && first + count < ends.Length && ends[first + count] - start <= MostBytes)
            count++;
        return count;
    }

    private static int BlocksOf(int length) => 1 + (length + Block - 1) / Block;

    /// <summary>The counter blocks of a group, encrypted: each item's first is for its tag.</summary>
    private void Stream(ReadOnlySpan<byte> items, ReadOnlySpan<int> ends, int start)
    {
        var total = 0;
        for (int i = 0, begin = start; i < ends.Length; begin = ends[i++])
            total += BlocksOf(ends[i] - begin - Overhead) * Block;
        if (_blocks.Length < total)
            _blocks = GC.AllocateUninitializedArray<byte>(total, pinned: true);
        var at = 0;
        for (int i = 0, begin = start; i < ends.Length; begin = ends[i++])
        {
            var nonce = items.Slice(begin + Skipped, NonceSize);
            var blocks = BlocksOf(ends[i] - begin - Overhead);
            for (var counter = 1; counter <= blocks; counter++, at += Block)
            {
                nonce.CopyTo(_blocks.AsSpan(at));
                BinaryPrimitives.WriteInt32BigEndian(_blocks.AsSpan(at + NonceSize), counter);
            }
        }

        _aes!.EncryptEcb(_blocks.AsSpan(0, total), _blocks.AsSpan(0, total), PaddingMode.None);
    }

    private void Mask(Span<byte> text, int used) => Cmac.Xor(text, _blocks.AsSpan(used + Block, text.Length));

    private void Tag(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> text, int used, Span<byte> tag)
    {
        _hash.Compute(associated, text, tag);
        Cmac.Xor(tag, _blocks.AsSpan(used, Block));
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
