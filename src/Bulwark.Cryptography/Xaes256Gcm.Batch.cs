using System.Security.Cryptography;

namespace Bulwark.Cryptography;

public sealed partial class Xaes256Gcm
{
    private GcmBatch? _sealing, _opening;
    private byte[] _sealingPrefix = [], _openingPrefix = [];
    private int _room;

    /// <summary>Encrypts many values, each under a fresh random nonce: results as of <see cref="EncryptFresh"/>.</summary>
    /// <param name="values">All plaintexts, one behind the other.</param>
    /// <param name="ends">Where each one ends in <paramref name="values"/>; never falling.</param>
    /// <param name="output">
    /// <c>values.Length + 40 × ends.Length</c> bytes: result <c>i</c> begins at plaintext <c>i</c>'s beginning plus <c>40 × i</c>.
    /// </param>
    /// <param name="associated">What every value belongs to; or, with <paramref name="associatedEnds"/>, each value's own part.</param>
    /// <param name="associatedEnds">Where each value's part ends; empty when all values belong to the same.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public void EncryptBatch(ReadOnlySpan<byte> values, ReadOnlySpan<int> ends, Span<byte> output, ReadOnlySpan<byte> associated, ReadOnlySpan<int> associatedEnds = default)
    {
        Require(Fit(ends, values.Length) && output.Length == values.Length + OverheadInBytes * ends.Length && Fits(associatedEnds, associated.Length, ends.Length));
        Span<int> items = ends.Length <= 1024 ? stackalloc int[ends.Length] : new int[ends.Length];
        for (var i = 0; i < ends.Length; i++)
            items[i] = ends[i] + OverheadInBytes * (i + 1);
        var nonces = new byte[Half * ends.Length];
        RandomNumberGenerator.Fill(nonces);
        for (var first = 0; first < ends.Length;)
        {
            var count = Math.Min(Sealing(), ends.Length - first);
            var start = first == 0 ? 0 : items[first - 1];
            for (var i = first; i < first + count; i++)
            {
                var from = i == 0 ? 0 : ends[i - 1];
                var item = output[(i == 0 ? 0 : items[i - 1])..items[i]];
                _sealingPrefix.CopyTo(item);
                nonces.AsSpan(Half * i, Half).CopyTo(item[Half..]);
                values[from..ends[i]].CopyTo(item[NonceSizeInBytes..]);
            }

            for (var i = first; i < first + count; i++)
                items[i] -= start;

            _sealing!.Seal(output.Slice(start, items[first + count - 1]), items.Slice(first, count), Context(associated, associatedEnds, first, count));
            for (var i = first; i < first + count; i++)
                items[i] += start;
            _room -= count;
            first += count;
        }
    }

    /// <summary>Decrypts many values.</summary>
    /// <param name="sealedValues">As <see cref="EncryptBatch"/> wrote them, or of <see cref="EncryptFresh"/> one behind the other.</param>
    /// <param name="ends">Where each one ends.</param>
    /// <param name="output"><c>sealedValues.Length − 40 × ends.Length</c> bytes; a value that did not open is zeros.</param>
    /// <param name="opened">Set for each value: whether it is authentic.</param>
    /// <param name="associated">As when they were encrypted.</param>
    /// <param name="associatedEnds">As when they were encrypted.</param>
    /// <returns>True when all opened.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a value is shorter than 40 bytes.</exception>
    public bool DecryptBatch(
        ReadOnlySpan<byte> sealedValues, ReadOnlySpan<int> ends, Span<byte> output, Span<bool> opened, ReadOnlySpan<byte> associated, ReadOnlySpan<int> associatedEnds = default)
    {
        Require(Fit(ends, sealedValues.Length, OverheadInBytes) && output.Length == sealedValues.Length - OverheadInBytes * ends.Length && opened.Length == ends.Length
            && Fits(associatedEnds, associated.Length, ends.Length));
        var items = sealedValues.ToArray();
        var itemEnds = ends.ToArray();
        var all = true;
        for (var first = 0; first < ends.Length;)
        {
            var start = first == 0 ? 0 : ends[first - 1];
            var prefix = sealedValues.Slice(start, Half);
            var count = 1;   // those that share a prefix, and with it a key
            while (first + count < ends.Length && sealedValues.Slice(ends[first + count - 1], Half).SequenceEqual(prefix))
                count++;
            for (var i = first; i < first + count; i++)
                itemEnds[i] -= start;
            all &= Opening(prefix).Open(items.AsSpan(start, itemEnds[first + count - 1]), itemEnds.AsSpan(first, count), Context(associated, associatedEnds, first, count), opened.Slice(first, count));
            first += count;
        }

        for (int i = 0, start = 0; i < ends.Length; start = ends[i++])
            items.AsSpan(start + NonceSizeInBytes, ends[i] - start - OverheadInBytes).CopyTo(output[(start - OverheadInBytes * i)..]);
        CryptographicOperations.ZeroMemory(items);
        return all;
    }

    /// <returns>How many values the prefix still takes; a new one is drawn when it takes none.</returns>
    private int Sealing()
    {
        if (_room == 0)
        {
            _sealingPrefix = RandomNumberGenerator.GetBytes(Half);
            _sealing?.Dispose();
            _sealing = BatchOf(_sealingPrefix);
            _room = ValuesPerPrefix;
        }

        return _room;
    }

    private GcmBatch Opening(ReadOnlySpan<byte> prefix)
    {
        if (_opening is null || !prefix.SequenceEqual(_openingPrefix))
        {
            _opening?.Dispose();
            _opening = BatchOf(prefix);
            _openingPrefix = prefix.ToArray();
        }

        return _opening;
    }

    private GcmBatch BatchOf(ReadOnlySpan<byte> prefix)
    {
        Span<byte> key = stackalloc byte[32];
        try
        {
            DeriveKey(prefix, key);
            return new GcmBatch(key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static BatchContext Context(ReadOnlySpan<byte> associated, ReadOnlySpan<int> ends, int first, int count) =>
        ends.IsEmpty ? new(associated, []) : new(associated, ends.Slice(first, count), first == 0 ? 0 : ends[first - 1]);

    private static bool Fits(ReadOnlySpan<int> ends, int length, int count) => ends.IsEmpty || (ends.Length == count && Fit(ends, length));

    private static bool Fit(ReadOnlySpan<int> ends, int length, int least = 0)
    {
        var before = 0;
        foreach (var end in ends)
        {
            if (end - (long)before < least)
                return false;
            before = end;
        }

        return before == length;
    }
}
