using System.Runtime.InteropServices;

namespace Bulwark.Privacy;

/// <summary>Gaussian noise for privacy on a fine grid: what is released is an integer number of steps, drawn from the discrete Gaussian of that grid, so low-order bits tell nothing.</summary>
/// <remarks>
/// A value is rounded to steps of σ·2⁻³⁰ and an integer k is added with chance proportional to e^(−k²/2σ²), k in steps; bits come from
/// <see cref="SecureRandom"/>. At that fineness the discrete Gaussian is a continuous one that is rounded to the grid, within a factor of 1 ± 2⁻⁵⁴, and rounding
/// what a Gaussian mechanism releases is post-processing: the accountants' guarantee carries over, against attackers who look at every bit (Mironov, CCS 2012;
/// Haney et al., arXiv:2207.13793). docs/privacy.md has the proof and its constants. The draw, by rejection: |k| = cell·2²⁴ + place; the cell from an alias table
/// with weights e^(−cell²/2¹³) to 88 bits, the place uniform, kept with chance e^(−(|k|² − (cell·2²⁴)²)/2⁶¹), as in Canonne, Kamath, Steinke (arXiv:2004.00010)
/// with a geometric cell. The number of trials depends on the draw: time whole releases for nobody. Not thread-safe.
/// </remarks>
public sealed class SecureNoise : IDisposable
{
    /// <summary>Standard deviation in steps of the grid: 2³⁰.</summary>
    internal const long StepsPerDeviation = 1L << 30;

    /// <summary>Noise over what was asked for: covers that two sums which are rounded to the grid lie a step further apart in each value, where the multiplier times the root of their number is at most 2¹⁶.</summary>
    private const double Rounding = 1 + (1.0 / (1 << 14));

    private const int Chunk = 1024;
    private readonly SecureRandom _random = new();
    private readonly ulong[] _words = new ulong[Chunk];
    private readonly ulong[] _spare = new ulong[Chunk];
    private readonly long[] _draws = new long[Chunk];
    private int _spared;

    /// <summary>Adds an independent normal draw with mean 0 to each value.</summary>
    /// <param name="values">Any length; rounded to the grid first.</param>
    /// <param name="deviation">Standard deviation, finite, at least 0; 0 adds nothing.</param>
    public void AddGaussian(Span<double> values, double deviation)
    {
        RequireDeviation(deviation);
        if (deviation == 0)
            return;
        var (step, steps) = Grid(deviation);
        for (; !values.IsEmpty; values = values[Math.Min(Chunk, values.Length)..])
        {
            var part = values[..Math.Min(Chunk, values.Length)];
            Fill(_draws.AsSpan(0, part.Length));
            for (var i = 0; i < part.Length; i++)
                part[i] = (Math.Round(part[i] * steps) + _draws[i]) * step;
        }
    }

    /// <inheritdoc cref="AddGaussian(Span{double}, double)"/>
    public void AddGaussian(Span<float> values, double deviation)
    {
        RequireDeviation(deviation);
        if (deviation == 0)
            return;
        var (step, steps) = Grid(deviation);
        for (; !values.IsEmpty; values = values[Math.Min(Chunk, values.Length)..])
        {
            var part = values[..Math.Min(Chunk, values.Length)];
            Fill(_draws.AsSpan(0, part.Length));
            for (var i = 0; i < part.Length; i++)
                part[i] = (float)((Math.Round(part[i] * steps) + _draws[i]) * step);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.Clear(_words);
        Array.Clear(_spare);
        Array.Clear(_draws);
        _random.Dispose();
    }

    /// <summary>Draws of the discrete Gaussian with σ = 2³⁰; at most as many as a chunk has.</summary>
    internal void Fill(Span<long> draws)
    {
        var words = _words.AsSpan(0, draws.Length);
        _random.Fill(MemoryMarshal.AsBytes(words));
        var columns = NoiseCells.Shared.Columns;
        for (var i = 0; i < draws.Length; i++)
        {
            var word = words[i];
            var own = word & (NoiseCells.Count - 1);
            var column = columns[(int)own];
            var (chance, threshold) = (word >> 40, column >> 32);
            var cell = chance < threshold ? own : column & (NoiseCells.Count - 1);
            var place = (word >> 11) & 0xFFFFFF;
            var exponent = place * ((cell << 25) + place);   // of 2⁻⁶¹; e^−x is at least 1 − x
            var steps = (long)((cell << 24) + place);
            var sign = -(long)((word >> 10) & 1);
            draws[i] = (steps ^ sign) - sign;
            if (((((word >> 35) & 31) + 1) << 56) + exponent > 1UL << 61 || chance == threshold || steps == 0)
                draws[i] = Slow(word);
        }
    }

    /// <summary>A word holds, from below: column of the table (10 bits), sign (1), place in the cell (24), chance to be kept (5), chance of the column (24).</summary>
    private long Slow(ulong word)
    {
        for (; ; word = Spare())
        {
            var own = (int)(word & (NoiseCells.Count - 1));
            var column = NoiseCells.Shared.Columns[own];
            var (chance, threshold) = (word >> 40, column >> 32);
            var cell = chance < threshold || (chance == threshold && Spare() < NoiseCells.Shared.Rest[own]) ? (ulong)own : column & (NoiseCells.Count - 1);
            var place = (word >> 11) & 0xFFFFFF;
            var exponent = place * ((cell << 25) + place);
            var kept = (word >> 35) & 31;
            if (((kept + 1) << 56) + exponent > 1UL << 61 && !IsKept(kept, exponent))
                continue;
            var steps = (long)((cell << 24) + place);
            var sign = -(long)((word >> 10) & 1);
            if (steps != 0 || sign == 0)   // zero has one sign
                return (steps ^ sign) - sign;
        }
    }

    /// <summary>Five bits did not decide: 48 more do.</summary>
    private bool IsKept(ulong first, ulong exponent) => ((first << 48) | (Spare() >> 16)) * (1.0 / (1UL << 53)) < Math.Exp(-(double)exponent * (1.0 / (1UL << 61)));

    private ulong Spare()
    {
        if (_spared == 0)
            _random.Fill(MemoryMarshal.AsBytes(_spare.AsSpan(0, _spared = _spare.Length)));
        return _spare[--_spared];
    }

    private static (double Step, double StepsPerUnit) Grid(double deviation) => (deviation * Rounding / StepsPerDeviation, StepsPerDeviation / (deviation * Rounding));

    private static void RequireDeviation(double deviation)
    {
        if (!(deviation >= 0) || !double.IsFinite(deviation))
            throw new ArgumentOutOfRangeException(nameof(deviation), deviation, "The standard deviation must be finite and at least 0.");
    }
}
