using System.Numerics;
using System.Runtime.InteropServices;

namespace Bulwark.Training.Loop;

/// <summary>Uniform draws that follow from a row's own values: whoever else is in the batch, a row starts alike. Spreads starts, hides nothing.</summary>
internal static class RowNoise
{
    private const uint Golden = 0x9E3779B9;

    /// <summary>A hash of the row, the seed and the round; the same on every machine, whatever its vectors' width.</summary>
    internal static uint Hash(ReadOnlySpan<float> row, ulong seed, ulong round)
    {
        var bits = MemoryMarshal.Cast<float, uint>(row);
        var sum = Vector<uint>.Zero;
        var lanes = Vector<uint>.Count;
        var place = Vector<uint>.Indices * Golden;
        var i = 0;
        for (; i + lanes <= bits.Length; i += lanes)
            sum += Mix(new Vector<uint>(bits[i..]) ^ (place + new Vector<uint>(unchecked((uint)i * Golden))));
        var hash = Vector.Sum(sum);
        for (; i < bits.Length; i++)
            hash = unchecked(hash + Mix(bits[i] ^ ((uint)i * Golden)));
        hash = Mix(unchecked(hash + (uint)seed)) ^ (uint)(seed >> 32);
        return Mix(unchecked(Mix(unchecked(hash + (uint)round)) + (uint)(round >> 32)));
    }

    /// <summary>Adds draws of [-radius, radius) to each value.</summary>
    internal static void Add(Span<float> values, float radius, uint hash)
    {
        var lanes = Vector<uint>.Count;
        var place = Vector<uint>.Indices * Golden;
        var scale = new Vector<float>(radius / (1 << 23));
        var back = new Vector<float>(-radius);
        var i = 0;
        for (; i + lanes <= values.Length; i += lanes)
        {
            var draw = Vector.ConvertToSingle(Vector.AsVectorInt32(Mix(place + new Vector<uint>(unchecked(hash + ((uint)i * Golden)))) >>> 8));
            (new Vector<float>(values[i..]) + ((draw * scale) + back)).CopyTo(values[i..]);
        }

        for (; i < values.Length; i++)
            values[i] += ((Mix(unchecked(hash + ((uint)i * Golden))) >> 8) * (radius / (1 << 23))) - radius;
    }

    private static Vector<uint> Mix(Vector<uint> x)
    {
        x ^= x >>> 16;
        x *= 0x7FEB352D;
        x ^= x >>> 15;
        x *= 0x846CA68B;
        return x ^ (x >>> 16);
    }

    /// <summary>A 32-bit mixer with little bias. Source: Wellons, "Prospecting for Hash Functions", 2018.</summary>
    private static uint Mix(uint x)
    {
        x ^= x >> 16;
        x = unchecked(x * 0x7FEB352D);
        x ^= x >> 15;
        x = unchecked(x * 0x846CA68B);
        return x ^ (x >> 16);
    }
}
