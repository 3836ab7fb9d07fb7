using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

public sealed partial class AesSiv
{
    private const int Group = 2048;

    /// <summary>Encrypts many values of one context; each result is that of <see cref="Encrypt"/>.</summary>
    /// <param name="values">All plaintexts, one behind the other.</param>
    /// <param name="ends">Where each one ends in <paramref name="values"/>; never falling.</param>
    /// <param name="output">
    /// <c>values.Length + 16 × ends.Length</c> bytes: ciphertext <c>i</c> begins at plaintext <c>i</c>'s beginning plus <c>16 × i</c>.
    /// </param>
    /// <param name="associated">As for <see cref="Encrypt"/>.</param>
    /// <exception cref="ArgumentException">The ends or the output do not fit the values.</exception>
    public void EncryptBatch(ReadOnlySpan<byte> values, ReadOnlySpan<int> ends, Span<byte> output, params ReadOnlySpan<byte[]> associated)
    {
        Require(values.Length, ends, output.Length, values.Length + Block * ends.Length);
        var context = Context(associated);
        var work = new Work();
        for (var first = 0; first < ends.Length; first += Group)
        {
            var part = ends.Slice(first, Math.Min(Group, ends.Length - first));
            var start = first == 0 ? 0 : ends[first - 1];
            work.Lay(values, part, start, context, _mac);
            Chain(work);
            for (var i = 0; i < part.Length; i++)
            {
                var (begin, end) = (i == 0 ? start : part[i - 1], part[i]);
                var target = output.Slice(begin + Block * (first + i), Block + end - begin);
                work.Tag(i).CopyTo(target);
                values[begin..end].CopyTo(target[Block..]);
            }

            CountBatch(work, output, part, start, first);
        }

        work.Wipe();
    }

    /// <summary>Decrypts many values of one context.</summary>
    /// <param name="ciphertexts">As <see cref="EncryptBatch"/> wrote them.</param>
    /// <param name="ends">Where each ciphertext ends.</param>
    /// <param name="output"><c>ciphertexts.Length − 16 × ends.Length</c> bytes; a value that did not open is zeros.</param>
    /// <param name="opened">Set for each value: whether it is authentic.</param>
    /// <param name="associated">As for <see cref="Encrypt"/>.</param>
    /// <returns>True when all opened.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit, or a ciphertext is shorter than 16 bytes.</exception>
    public bool DecryptBatch(ReadOnlySpan<byte> ciphertexts, ReadOnlySpan<int> ends, Span<byte> output, Span<bool> opened, params ReadOnlySpan<byte[]> associated)
    {
        Require(ciphertexts.Length, ends, output.Length, ciphertexts.Length - Block * ends.Length);
        for (var i = 0; i < ends.Length; i++)
        {
            if (ends[i] - (i == 0 ? 0 : ends[i - 1]) < Block)
                throw new ArgumentException($"Ciphertext {i} is shorter than {Block} bytes.", nameof(ends));
        }

        var plainEnds = new int[ends.Length];
        var joined = ciphertexts.ToArray();
        for (var i = 0; i < ends.Length; i++)
            plainEnds[i] = ends[i] - Block * (i + 1);
        var context = Context(associated);
        var work = new Work();
        var all = true;
        for (var first = 0; first < ends.Length; first += Group)
        {
            var part = plainEnds.AsSpan(first, Math.Min(Group, ends.Length - first));
            var start = first == 0 ? 0 : plainEnds[first - 1];
            CountBatch(work, joined, part, start, first);
            for (var i = 0; i < part.Length; i++)
            {
                var (begin, end) = (i == 0 ? start : part[i - 1], part[i]);
                joined.AsSpan(begin + Block * (first + i + 1), end - begin).CopyTo(output[begin..]);
            }

            work.Lay(output, part, start, context, _mac);
            Chain(work);
            for (var i = 0; i < part.Length; i++)
            {
                var (begin, end) = (i == 0 ? start : part[i - 1], part[i]);
                opened[first + i] = CryptographicOperations.FixedTimeEquals(work.Tag(i), ciphertexts.Slice(begin + Block * (first + i), Block));
                if (opened[first + i])
                    continue;
                output[begin..end].Clear();
                all = false;
            }
        }

        CryptographicOperations.ZeroMemory(joined);
        work.Wipe();
        return all;
    }

    private static void Require(int length, ReadOnlySpan<int> ends, int output, int expected)
    {
        var before = 0;
        foreach (var end in ends)
        {
            if (end < before)
                throw new ArgumentException("The ends must not fall.", nameof(ends));
            before = end;
        }

        if (before != length || output != expected)
            throw new ArgumentException($"The last end is {before} of {length} bytes and the output has {output} of {expected}.", nameof(ends));
    }

    /// <summary>CBC-MAC of all values together: one call into AES for the first block of each, one for the second of those that have one, and so on.</summary>
    private void Chain(Work work)
    {
        for (var step = 0; work.Gather(step) is var active && active > 0; step++)
        {
            var states = work.States(active);
            _mac.Cipher.EncryptEcb(states, states, PaddingMode.None);
            work.Scatter(active);
        }
    }

    /// <summary>AES-CTR of all values together, in place behind their vectors.</summary>
    private void CountBatch(Work work, Span<byte> joined, ReadOnlySpan<int> ends, int start, int first)
    {
        var blocks = 0;
        for (var i = 0; i < ends.Length; i++)
            blocks += (ends[i] - (i == 0 ? start : ends[i - 1]) + Block - 1) / Block;
        var stream = work.Stream(blocks * Block);
        var offset = 0;
        for (var i = 0; i < ends.Length; i++)
        {
            var begin = i == 0 ? start : ends[i - 1];
            var size = (ends[i] - begin + Block - 1) / Block * Block;
            Counters(joined.Slice(begin + Block * (first + i), Block), stream.Slice(offset, size));
            offset += size;
        }

        if (blocks > 0)
            _counter.EncryptEcb(stream, stream, PaddingMode.None);
        offset = 0;
        for (var i = 0; i < ends.Length; i++)
        {
            var begin = i == 0 ? start : ends[i - 1];
            var text = joined.Slice(begin + Block * (first + i + 1), ends[i] - begin);
            Cmac.Xor(text, stream.Slice(offset, text.Length));
            offset += (text.Length + Block - 1) / Block * Block;
        }
    }

    private static void Counters(ReadOnlySpan<byte> vector, Span<byte> blocks)
    {
        var high = BinaryPrimitives.ReadUInt64BigEndian(vector);
        var low = BinaryPrimitives.ReadUInt64BigEndian(vector[8..]) & 0x7FFF_FFFF_7FFF_FFFF;
        for (var i = 0; i < blocks.Length; i += Block, low++)   // bit 31 is clear, so fewer than 2^31 blocks never carry
        {
            BinaryPrimitives.WriteUInt64BigEndian(blocks[i..], high);
            BinaryPrimitives.WriteUInt64BigEndian(blocks[(i + 8)..], low);
        }
    }

    /// <summary>The blocks of one group's last S2V step, and the states of their chains.</summary>
    private sealed class Work
    {
        private readonly int[] _places = new int[Group], _counts = new int[Group], _active = new int[Group];
        private readonly byte[] _chains = new byte[Group * Block], _states = new byte[Group * Block];
        private byte[] _blocks = [], _stream = [];
        private int _rows;

        internal ReadOnlySpan<byte> Tag(int row) => _chains.AsSpan(row * Block, Block);

        internal Span<byte> States(int rows) => _states.AsSpan(0, rows * Block);

        internal Span<byte> Stream(int length)
        {
            if (_stream.Length < length)
                _stream = new byte[length];
            return _stream.AsSpan(0, length);
        }

        internal void Lay(ReadOnlySpan<byte> values, ReadOnlySpan<int> ends, int start, ReadOnlySpan<byte> context, Cmac mac)
        {
            _rows = ends.Length;
            var total = 0;
            for (var i = 0; i < ends.Length; i++)
            {
                _places[i] = total;
                _counts[i] = Math.Max(1, (ends[i] - (i == 0 ? start : ends[i - 1]) + Block - 1) / Block);
                total += _counts[i] * Block;
            }

            if (_blocks.Length < total)
                _blocks = new byte[total];
            Array.Clear(_chains);
            for (var i = 0; i < ends.Length; i++)
            {
                var value = values[(i == 0 ? start : ends[i - 1])..ends[i]];
                var blocks = _blocks.AsSpan(_places[i], _counts[i] * Block);
                Last(value, context, blocks);
                mac.Finish(blocks[^Block..], value.Length <= Block ? Block : (value.Length - 1) % Block + 1);
            }
        }

        /// <returns>How many values have a block at <paramref name="step"/>.</returns>
        internal int Gather(int step)
        {
            var active = 0;
            for (var row = 0; row < _rows; row++)
            {
                if (step >= _counts[row])
                    continue;
                var block = _blocks.AsSpan(_places[row] + step * Block, Block);
                var chain = _chains.AsSpan(row * Block, Block);
                var state = _states.AsSpan(active * Block, Block);
                for (var half = 0; half < Block; half += 8)
                    BinaryPrimitives.WriteUInt64LittleEndian(state[half..], BinaryPrimitives.ReadUInt64LittleEndian(block[half..]) ^ BinaryPrimitives.ReadUInt64LittleEndian(chain[half..]));
                _active[active++] = row;
            }

            return active;
        }

        internal void Scatter(int active)
        {
            for (var i = 0; i < active; i++)
                _states.AsSpan(i * Block, Block).CopyTo(_chains.AsSpan(_active[i] * Block));
        }

        internal void Wipe()
        {
            CryptographicOperations.ZeroMemory(_blocks);
            CryptographicOperations.ZeroMemory(_stream);
            CryptographicOperations.ZeroMemory(_chains);
            CryptographicOperations.ZeroMemory(_states);
        }
    }
}
