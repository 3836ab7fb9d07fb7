using System.Runtime.InteropServices;

namespace Bulwark.Privacy;

/// <summary>Noise on the integers, drawn exactly: no floating-point number is touched, so the probabilities are the formula's, and low-order bits tell nothing.</summary>
/// <remarks>
/// Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020, Algorithms 1 to 3 (arXiv:2004.00010):
/// rejection by Bernoulli trials with chance e^(−a/b), each made of uniform integers. Bits come from <see cref="SecureRandom"/>.
/// The number of trials depends on the draw: whoever can time a single draw learns something about it; time whole releases. Not thread-safe.
/// </remarks>
public sealed class DiscreteNoise : IDisposable
{
    private const int Words = 2048;
    private readonly SecureRandom? _random;
    private readonly Action<byte[]>? _test;
    private readonly ulong[] _words = new ulong[Words];
    private int _used = Words;
    private ulong _bits;
    private int _left;

    /// <summary>A generator with a fresh key.</summary>
    public DiscreteNoise() => _random = new SecureRandom();

    /// <summary>For tests of distributions only: bits that can be repeated.</summary>
    internal DiscreteNoise(Action<byte[]> bits) => _test = bits;

    /// <summary>An independent draw k with chance proportional to e^(−k²·denominator/(2·numerator)): σ² = numerator/denominator.</summary>
    /// <param name="numerator">Above 0, at most 2⁴⁰.</param>
    /// <param name="denominator">Above 0, at most 2²⁰.</param>
    public long Gaussian(long numerator, long denominator = 1)
    {
        if (numerator is < 1 or > 1L << 40 || denominator is < 1 or > 1 << 20)
            throw new ArgumentOutOfRangeException(nameof(numerator), numerator, $"The variance {numerator}/{denominator} must have a numerator from 1 to 2^40 and a denominator from 1 to 2^20.");
        var scale = 1 + (long)Root((ulong)(numerator / denominator));   // t = floor(σ) + 1
        // Accept a Laplace draw y with chance e^(−(|y| − σ²/t)²/2σ²), as one fraction of integers.
        var (n, d, t) = ((Int128)numerator, (Int128)denominator, (Int128)scale);
        var below = (UInt128)(2 * n * d * t * t);
        for (; ; )
        {
            var draw = Laplace(scale);
            var distance = (Int128.Abs(draw) * t * d) - n;
            distance = distance < 0 ? -distance : distance;
            // A distance of 2⁶³ would need a draw beyond 2⁶³/(t·d): farther out than 2⁻¹⁰⁰ of the mass for every allowed variance.
            if (distance < (Int128)1 << 63 && HappensExp((UInt128)distance * (UInt128)distance, below))
                return draw;
        }
    }

    /// <summary>An independent draw k with chance proportional to e^(−|k|·denominator/numerator): the scale is numerator/denominator.</summary>
    /// <param name="numerator">Above 0, at most 2⁴⁰.</param>
    /// <param name="denominator">Above 0, at most 2²⁰.</param>
    public long Laplace(long numerator, long denominator = 1)
    {
        if (numerator is < 1 or > 1L << 40 || denominator is < 1 or > 1 << 20)
            throw new ArgumentOutOfRangeException(nameof(numerator), numerator, $"The scale {numerator}/{denominator} must have a numerator from 1 to 2^40 and a denominator from 1 to 2^20.");
        for (; ; )
        {
            var rest = (long)Below((ulong)numerator);
            if (!HappensExp((ulong)rest, (ulong)numerator))
                continue;
            var whole = 0L;
            while (HappensExp(1UL, 1UL))
                whole++;
            var size = (rest + (numerator * whole)) / denominator;
            var negative = Bit();
            if (!negative || size != 0)
                return negative ? -size : size;
        }
    }

    /// <summary>Adds an independent <see cref="Gaussian"/> to each value.</summary>
    /// <exception cref="OverflowException">A sum does not fit.</exception>
    public void AddGaussian(Span<long> values, long numerator, long denominator = 1)
    {
        foreach (ref var value in values)
            value = checked(value + Gaussian(numerator, denominator));
    }

    /// <summary>Adds an independent <see cref="Laplace"/> to each value.</summary>
    /// <exception cref="OverflowException">A sum does not fit.</exception>
    public void AddLaplace(Span<long> values, long numerator, long denominator = 1)
    {
        foreach (ref var value in values)
            value = checked(value + Laplace(numerator, denominator));
    }

    /// <summary>True with chance e^(−numerator/denominator), exactly.</summary>
    public bool HappensExp(UInt128 numerator, UInt128 denominator)
    {
        ArgumentOutOfRangeException.ThrowIfZero(denominator);
        for (; numerator > denominator; numerator -= denominator)
        {
            if (!HappensExp(1UL, 1UL))
                return false;
        }

        if (denominator <= ulong.MaxValue)
            return HappensExp((ulong)numerator, (ulong)denominator);
        // e^−x = Σ (−x)ᵏ/k!: the first k at which a trial with chance x/k fails is odd with that chance.
        for (UInt128 k = 1; ; k++)
        {
            if (!(Below(denominator) < numerator && Below((ulong)k) == 0))
                return k % 2 == 1;
        }
    }

    /// <summary>A number from 0 to <paramref name="bound"/>−1, each with the same chance.</summary>
    /// <param name="bound">Above 0.</param>
    public ulong Below(ulong bound)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bound);
        // Lemire, "Fast Random Integer Generation in an Interval", 2019: a multiplication, and a division once in a long while.
        var product = Math.BigMul(Word(), bound, out var low);
        if (low < bound)
        {
            for (var least = (0 - bound) % bound; low < least;)
                product = Math.BigMul(Word(), bound, out low);
        }

        return product;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.Clear(_words);
        _random?.Dispose();
    }

    /// <summary>x at most 1.</summary>
    private bool HappensExp(ulong numerator, ulong denominator)
    {
        for (var k = 1UL; ; k++)
        {
            if (!(Below(denominator) < numerator && (k == 1 || Below(k) == 0)))
                return k % 2 == 1;
        }
    }

    private UInt128 Below(UInt128 bound)
    {
        var mask = UInt128.MaxValue >> (int)UInt128.LeadingZeroCount(bound - 1);
        for (; ; )
        {
            var draw = new UInt128(Word(), Word()) & mask;
            if (draw < bound)
                return draw;
        }
    }

    private bool Bit()
    {
        if (_left == 0)
            (_bits, _left) = (Word(), 64);
        _left--;
        var bit = (_bits & 1) != 0;
        _bits >>= 1;
        return bit;
    }

    private ulong Word()
    {
        if (_used == Words)
            Refill();
        var word = _words[_used];
        _words[_used++] = 0;
        return word;
    }

    private void Refill()
    {
        if (_random is not null)
        {
            _random.Fill(MemoryMarshal.AsBytes(_words.AsSpan()));
        }
        else
        {
            var bytes = new byte[Words * 8];
            _test!(bytes);
            bytes.CopyTo(MemoryMarshal.AsBytes(_words.AsSpan()));
        }

        _used = 0;
    }

    private static ulong Root(ulong value)
    {
        var root = (ulong)Math.Sqrt(value);
        while ((UInt128)root * root > value)
            root--;
        while ((UInt128)(root + 1) * (root + 1) <= value)
            root++;
        return root;
    }
}
