namespace Bulwark.Data;

/// <summary>Pseudo-random numbers that are the same for one seed on every machine. Not for secrets.</summary>
/// <remarks>
/// xoshiro256** 1.0 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021), its state
/// filled by SplitMix64. Every draw uses only the operations that IEEE 754 rounds exactly (sum, product, quotient, root):
/// the logarithm is computed here, because the platform's may differ in its last bit.
/// </remarks>
internal struct RandomStream
{
    private ulong _a, _b, _c, _d;

    /// <summary>The stream of (<paramref name="seed"/>, <paramref name="purpose"/>, <paramref name="index"/>); different triples give unrelated streams.</summary>
    internal RandomStream(ulong seed, uint purpose, int index)
    {
        var state = Mix(Mix(seed) ^ ((ulong)purpose << 32 | (uint)index));
        _a = Next(ref state);
        _b = Next(ref state);
        _c = Next(ref state);
        _d = Next(ref state);
    }

    /// <summary>A stream from the generator's bare state, not all zero.</summary>
    internal static RandomStream FromState(ulong a, ulong b, ulong c, ulong d) => new() { _a = a, _b = b, _c = c, _d = d };

    /// <summary>64 random bits.</summary>
    internal ulong Bits()
    {
        var result = ulong.RotateLeft(_b * 5, 7) * 9;
        var shifted = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = ulong.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    internal double Uniform() => (Bits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    internal double Uniform(double low, double high) => low + (high - low) * Uniform();

    /// <summary>Uniform in 0 … <paramref name="count"/> − 1, by multiplication (Lemire); bias below count / 2^64.</summary>
    internal int Below(int count) => (int)Math.BigMul(Bits(), (ulong)count, out _);

    /// <summary>A normal draw by Marsaglia's polar method.</summary>
    internal double Normal(double mean, double deviation)
    {
        while (true)
        {
            var u = 2 * Uniform() - 1;
            var v = 2 * Uniform() - 1;
            var s = u * u + v * v;
            if (s is > 0 and < 1)
                return mean + deviation * u * Math.Sqrt(-2 * Logarithm(s) / s);
        }
    }

    /// <summary>A Poisson draw: the arrivals of a unit-rate process before <paramref name="mean"/>. Time grows with the mean.</summary>
    internal int Poisson(double mean)
    {
        var count = 0;
        for (var time = Exponential(); time <= mean; time += Exponential())
            count++;
        return count;
    }

    /// <summary>The natural logarithm of a normal positive number, from exactly rounded operations only; relative error below 1e-14.</summary>
    internal static double Logarithm(double value)
    {
        const double Ln2 = 0.693147180559945309417;
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)(bits >> 52) - 1023;
        var mantissa = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFFL) | 0x3FF0000000000000L);
        if (mantissa > 1.4142135623730951)
        {
            mantissa *= 0.5;
            exponent++;
        }

        // ln m = 2 artanh((m − 1) / (m + 1)), |argument| < 0.172: fourteen terms reach the last bit.
        var z = (mantissa - 1) / (mantissa + 1);
        var square = z * z;
        var sum = 0.0;
        for (var k = 27; k >= 1; k -= 2)
            sum = sum * square + 1.0 / k;
        return exponent * Ln2 + 2 * z * sum;
    }

    private double Exponential() => -Logarithm(1 - Uniform());

    private static ulong Next(ref ulong state) => Mix(state += 0x9E3779B97F4A7C15);

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
