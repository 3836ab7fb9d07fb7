using System.Numerics;

namespace Bulwark.Assurance;

/// <summary>Steps of an L1 attack: along the largest derivatives only, as many as the best point so far has changed.</summary>
/// <remarks>Source: Croce and Hein, "Mind the Box", ICML 2021, Algorithm 1 and section 4 (arXiv:2103.01208).</remarks>
internal sealed class SparseSteps<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double FirstShare = 0.2;
    private const double Shrink = 1.5;
    private const double SmallestStep = 0.1;
    private readonly double[] _shares;
    private readonly int[] _changed;
    private readonly T[] _magnitudes;
    private readonly T _epsilon;

    internal SparseSteps(int rows, int inputs, T epsilon)
    {
        (_shares, _changed, _magnitudes, _epsilon) = (new double[rows], new int[rows], new T[inputs], epsilon);
        _shares.AsSpan().Fill(FirstShare);
        _changed.AsSpan().Fill(inputs);
    }

    internal void Step(int row, ReadOnlySpan<T> gradient, T step, Span<T> ahead)
    {
        var least = Threshold(gradient, _shares[row]);
        var moved = 0;
        foreach (var slope in gradient)
            moved += slope != T.Zero && T.Abs(slope) >= least ? 1 : 0;
        var each = step / (T.CreateTruncating(moved) + T.CreateTruncating(1e-10));
        for (var j = 0; j < gradient.Length; j++)
        {
            if (T.Abs(gradient[j]) >= least)
                ahead[j] += gradient[j] > T.Zero ? each : gradient[j] < T.Zero ? -each : T.Zero;
        }
    }

    /// <summary>Sets how many values the next steps move; true when the search restarts from the best point.</summary>
    internal bool Adapt(int row, ReadOnlySpan<T> original, ReadOnlySpan<T> best, ref T step)
    {
        var changed = 0;
        for (var j = 0; j < original.Length; j++)
            changed += original[j] != best[j] ? 1 : 0;
        var sparser = changed < 0.95 * _changed[row];
        _shares[row] = changed / Shrink / original.Length;
        _changed[row] = changed;
        step = sparser ? _epsilon : T.Max(step / T.CreateTruncating(Shrink), _epsilon * T.CreateTruncating(SmallestStep));
        return sparser;
    }

    /// <summary>The smallest magnitude among the given share of largest derivatives.</summary>
    private T Threshold(ReadOnlySpan<T> gradient, double share)
    {
        for (var j = 0; j < gradient.Length; j++)
            _magnitudes[j] = T.Abs(gradient[j]);
        _magnitudes.AsSpan().Sort();
        return _magnitudes[int.Clamp((int)((1 - share) * gradient.Length), 0, gradient.Length - 1)];
    }
}
