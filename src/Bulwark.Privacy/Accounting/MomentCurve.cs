using System.Numerics.Tensors;

namespace Bulwark.Privacy.Accounting;

/// <summary>K(λ) = log E_P[exp(λ·total loss)], finite losses only: exact for a Gaussian part, by points for the others.</summary>
internal sealed class MomentCurve
{
    private readonly List<(double[] Masses, double[] Losses, double Count, double[] Work)> _parts = [];
    private double _gaussian;   // μ² of the Gaussian part

    internal void AddGaussian(double noiseMultiplier) => _gaussian += 1 / (noiseMultiplier * noiseMultiplier);

    internal void Add(double[] masses, double[] losses, double count) => _parts.Add((masses, losses, count, new double[losses.Length]));

    /// <summary>A larger λ than this only resolves one end of a distribution whose losses are bounded.</summary>
    internal double Largest
    {
        get
        {
            var range = _parts.Count == 0 ? 0 : _parts.Max(part => part.Losses.Length == 0 ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude<double>(part.Losses)));
            return Math.Min(1e7, Math.Min(600 / Math.Max(range, 1e-300), _gaussian > 0 ? 1e6 / Math.Sqrt(_gaussian) : 1e7));
        }
    }

    internal double Value(double lambda)
    {
        var sum = 0.5 * lambda * (lambda + 1) * _gaussian;
        foreach (var part in _parts)
            sum += part.Count * One(part.Masses, part.Losses, lambda, part.Work);
        return sum;
    }

    /// <summary>K of one part alone, for one release.</summary>
    internal double One(int part, double lambda) => One(_parts[part].Masses, _parts[part].Losses, lambda, _parts[part].Work);

    /// <summary>λ and ε by the conversion of Canonne, Kamath, Steinke (α = λ + 1): an upper estimate of ε, and a first tilt.</summary>
    internal (double Lambda, double Epsilon) FirstTilt(double delta)
    {
        double At(double lambda) => ((Value(lambda) - Math.Log(delta) - Math.Log(1 + lambda)) / lambda) + Math.Log(lambda / (1 + lambda));
        var best = Minimise(At, 1e-6, Largest);
        return (best, At(best));
    }

    /// <summary>The λ at which the integrand of the inversion at <paramref name="epsilon"/> is smallest on the real axis: its saddle point.</summary>
    internal double Saddle(double epsilon) => Minimise(lambda => Size(lambda, epsilon), 1e-6, Largest);

    /// <summary>The λ, at most the saddle point, that needs the fewest frequencies, as long as rounding stays harmless.</summary>
    internal double Cheapest(double epsilon, double logSmall)
    {
        var saddle = Saddle(epsilon);
        var (best, least) = (saddle, double.PositiveInfinity);
        var lowest = Size(saddle, epsilon);
        for (var tilt = saddle; tilt > 1e-3 * saddle && Size(tilt, epsilon) < lowest + 9; tilt *= 0.75)
        {
            var cost = Math.Max(Period(tilt, epsilon, logSmall).Period, -logSmall / tilt) * Math.Sqrt(tilt + 1);
            if (cost < least)
                (best, least) = (tilt, cost);
            else if (cost > 2 * least)
                break;
        }

        return best;
    }

    private double Size(double lambda, double epsilon) => Value(lambda) - (lambda * epsilon) - Math.Log(lambda) - Math.Log(1 + lambda);

    /// <summary>The smallest period P for which E[(1−e^(x+P−S))₊]·e^(cP) falls to e^<paramref name="logSmall"/>, with the λ that shows it.</summary>
    internal (double Period, double Lambda) Period(double tilt, double x, double logSmall)
    {
        var largest = Largest * 1.1;
        double At(double more) => (Value(tilt + more) + Payoff(tilt + more) - ((tilt + more) * x) - logSmall) / more;
        var best = Minimise(At, Math.Min(1e-6, 1e-3 * tilt), Math.Max(largest, tilt * 1.5));
        return (Math.Max(0, At(best)), tilt + best);
    }

    /// <summary>log of the largest (1−e^−s)·e^(−λs) over s.</summary>
    internal static double Payoff(double lambda) => (lambda * Math.Log(lambda)) - ((1 + lambda) * Math.Log(1 + lambda));

    private static double One(double[] masses, double[] losses, double lambda, double[] work)
    {
        if (losses.Length == 0)
            return double.NegativeInfinity;
        TensorPrimitives.Multiply(losses, lambda, work);
        var largest = TensorPrimitives.Max<double>(work);
        TensorPrimitives.Subtract(work, largest, work);
        TensorPrimitives.Exp<double>(work, work);
        return largest + Math.Log(TensorPrimitives.Dot<double>(masses, work));
    }

    /// <summary>A coarse scan over the logarithm, then golden section; the functions here have one minimum.</summary>
    private static double Minimise(Func<double, double> function, double from, double to)
    {
        const int Scan = 28;
        var (logFrom, logTo) = (Math.Log(from), Math.Log(Math.Max(to, from * 2)));
        var step = (logTo - logFrom) / Scan;
        double At(double log) => function(Math.Exp(log)) is var value && double.IsNaN(value) ? double.PositiveInfinity : value;
        var (best, least) = (logFrom, double.PositiveInfinity);
        for (var i = 0; i <= Scan; i++)
        {
            if (At(logFrom + (i * step)) is var value && value < least)
                (best, least) = (logFrom + (i * step), value);
        }

        var (low, high) = (best - step, best + step);
        const double Golden = 0.6180339887498949;
        for (var i = 0; i < 12; i++)
        {
            var (a, b) = (high - (Golden * (high - low)), low + (Golden * (high - low)));
            (low, high) = At(a) < At(b) ? (low, b) : (a, high);
        }

        return Math.Exp((low + high) / 2);
    }
}
