using System.Numerics.Tensors;

namespace Bulwark.Training.Loop;

/// <summary>Ascent within a length where some values move in whole units only: slopes choose the units that the length is spent on, the rest of it goes to what moves freely.</summary>
/// <remarks>
/// Projected ascent spreads a length over all values and never makes a whole unit of a coarse one (a count up to 3), so training would not meet an attacker who does.
/// To first order the best use of a length r is the set S of units with the greatest Σ|g|·u + √(r² − Σu²)·‖slopes of the free values‖; found greedily by gain
/// per squared length, beside the best unit alone.
/// </remarks>
internal sealed class WholeSteps
{
    private const double CoarseFrom = 0.1;   // of the radius: finer units are as good as free
    private readonly float[] _units;
    private readonly bool[] _coarse;
    private readonly int[] _places;
    private readonly float[] _free;
    private readonly int[] _bought;
    private readonly float[] _worths;
    private readonly Offer[] _offers;

    internal WholeSteps(IReadOnlyList<double> units, double radius)
    {
        _units = [.. units.Select(unit => (float)unit)];
        _coarse = [.. units.Select(unit => unit > CoarseFrom * radius)];
        _places = [.. Enumerable.Range(0, units.Count).Where(i => _coarse[i])];
        (_free, _bought) = (new float[units.Count], new int[units.Count]);
        _offers = new Offer[_places.Length * (int)(1 / CoarseFrom)];
        _worths = new float[_offers.Length];
    }

    /// <summary>Puts coarse values back to the row's own: between units nothing can be sent.</summary>
    internal void Settle(Span<float> moved, ReadOnlySpan<float> centre)
    {
        foreach (var i in _places)
            moved[i] = centre[i];
    }

    /// <summary>A step for the free values, the best whole units for the coarse ones, within the radius and [0, 1].</summary>
    /// <param name="moved">The row as far as it is moved; overwritten.</param>
    /// <param name="slopes">The loss's slopes there; 0 where nothing may move.</param>
    /// <param name="centre">The row itself.</param>
    /// <param name="step">Length of the free values' step.</param>
    /// <param name="radius">Length that the whole change may have.</param>
    internal void Ascend(Span<float> moved, ReadOnlySpan<float> slopes, ReadOnlySpan<float> centre, float step, float radius)
    {
        for (var i = 0; i < _free.Length; i++)
            _free[i] = _coarse[i] || (slopes[i] > 0 ? moved[i] >= 1 : moved[i] <= 0) ? 0 : slopes[i];
        var slope = TensorPrimitives.Norm<float>(_free);
        if (!float.IsFinite(slope))
            return;
        var left = MathF.Sqrt(Math.Max(0, (radius * radius) - Buy(slopes, centre, slope, radius)));
        if (slope > 0)
            TensorPrimitives.MultiplyAdd(_free, step / slope, moved, moved);
        Settle(moved, centre);
        AttackStep.BackToLength(moved, centre, left);
        foreach (var i in _places)
            moved[i] = Math.Clamp(centre[i] + (_bought[i] * _units[i]), 0, 1);
    }

    /// <summary>Fills <see cref="_bought"/>; returns what it takes of the squared radius.</summary>
    private float Buy(ReadOnlySpan<float> slopes, ReadOnlySpan<float> centre, float slope, float radius)
    {
        Array.Clear(_bought);
        var budget = radius * radius * (1 + 1e-5f);
        var offers = Offers(slopes, centre, budget);
        float Left(float spent) => MathF.Sqrt(Math.Max(0, budget - spent)) * slope;
        var (best, bestCost, kept, alone) = (Left(0), 0f, 0, -1);
        var (spent, gained, taken) = (0f, 0f, 0);
        for (var k = 0; k < offers.Length; k++)
        {
            var offer = offers[k];
            if (offer.Nth == 1 && offer.Gain + Left(offer.Cost) > best)
                (best, bestCost, kept, alone) = (offer.Gain + Left(offer.Cost), offer.Cost, 0, offer.Place);
            if (spent + offer.Cost > budget)
                continue;
            (spent, gained) = (spent + offer.Cost, gained + offer.Gain);
            offers[taken++] = offer;
            if (gained + Left(spent) > best)
                (best, bestCost, kept, alone) = (gained + Left(spent), spent, taken, -1);
        }

        if (alone >= 0)
            _bought[alone] = Math.Sign(slopes[alone]);
        for (var k = 0; k < kept; k++)
            _bought[offers[k].Place] += Math.Sign(slopes[offers[k].Place]);
        return bestCost;
    }

    /// <summary>Each further unit of each coarse value that has room for it, dearest use of length last.</summary>
    private Span<Offer> Offers(ReadOnlySpan<float> slopes, ReadOnlySpan<float> centre, float budget)
    {
        var count = 0;
        foreach (var i in _places)
        {
            var (unit, steep) = (_units[i], Math.Abs(slopes[i]));
            var room = (slopes[i] > 0 ? 1 - centre[i] : centre[i]) + 1e-6f;
            for (var n = 1; steep > 0 && n * unit <= room && n * unit * n * unit <= budget; n++)
            {
                var cost = ((2 * n) - 1) * unit * unit;   // n² − (n − 1)² units
                (_worths[count], _offers[count++]) = (-steep * unit / cost, new(i, n, steep * unit, cost));
            }
        }

        _worths.AsSpan(0, count).Sort(_offers.AsSpan(0, count));
        return _offers.AsSpan(0, count);
    }

    private readonly record struct Offer(int Place, int Nth, float Gain, float Cost);
}
