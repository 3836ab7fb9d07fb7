using System.Numerics.Tensors;

namespace Bulwark.Privacy.Accounting;

/// <summary>One pass: knots, transform and inversion for one tilt and one tolerance.</summary>
internal sealed class FourierAccount
{
    private readonly Inversion _upper;
    private readonly Inversion _lower;
    private readonly double _upperInfinity;
    private readonly double _lowerInfinity;
    private readonly double _guess;
    private readonly double _width;

    /// <param name="parts">Releases and the range of their losses that matters.</param>
    /// <param name="gaussians">Noise multipliers of releases on all records, taken in closed form.</param>
    /// <param name="moments">An estimate of K.</param>
    /// <param name="total">Number of releases.</param>
    /// <param name="saddle">The saddle point near there.</param>
    /// <param name="guess">An ε near the one that is sought.</param>
    /// <param name="tolerance">What upper and lower bound on ε may differ by.</param>
    /// <param name="delta">The δ that matters there.</param>
    /// <param name="mostFrequencies">More are not taken.</param>
    internal FourierAccount(
        IReadOnlyList<(LossDistribution Losses, LossRange Range)> parts, IReadOnlyList<double> gaussians, MomentCurve moments, double total,
        double saddle, double guess, double tolerance, double delta, int mostFrequencies)
    {
        _guess = guess;
        var smallest = Math.Log(delta) + Math.Log(Math.Min(0.05, 0.02 * tolerance * saddle));
        var tilt = moments.Cheapest(guess, smallest);
        var (period, more) = moments.Period(tilt, guess, smallest);
        period = Math.Max(period, -smallest / tilt);
        _width = period;
        var smoothing = Math.Sqrt(0.3 * tolerance / (tilt + 1));
        var step = 2 * Math.PI / period;
        var frequencies = (int)Math.Min(mostFrequencies, Math.Ceiling(6.5 / smoothing / step) + 2);
        smoothing = Math.Max(smoothing, 6.5 / (step * (frequencies - 2)));
        var meshes = Meshes(parts, moments, new KnotDensity(tilt, 0, 1, 0.25 * guess, delta, Math.Clamp(0.5 * Math.Sqrt(guess / tolerance), 3, 60)), 12 * 0.2 * tolerance / (tilt + 1));

        Work = frequencies * (double)meshes.Sum(mesh => mesh.Losses.Length);
        var spectrum = new Spectrum(frequencies, step);
        foreach (var gaussian in gaussians)
            spectrum.AddGaussian(gaussian, tilt);
        var (upperMoment, lowerMoment) = (GaussianMoment(gaussians, tilt), GaussianMoment(gaussians, tilt));
        foreach (var mesh in meshes)
        {
            var (upper, upperLog) = Tilted(mesh.Losses, mesh.Upper, tilt);
            var (lower, lowerLog) = Tilted(mesh.Losses, mesh.Lower, tilt);
            upperMoment += mesh.Count * upperLog;
            lowerMoment += mesh.Count * lowerLog;
            spectrum.Add(mesh.Losses, upper, lower, mesh.Count);
        }

        _upperInfinity = Compose(meshes, mesh => mesh.Infinity);
        _lowerInfinity = Compose(meshes, mesh => mesh.TrueInfinity);
        var shape = new InversionShape(tilt, step, smoothing, guess);
        var far = GaussianMoment(gaussians, more) + meshes.Sum(mesh => mesh.Count * Tilted(mesh.Losses, mesh.Lower, more).Log) + (smoothing * smoothing * more * more / 2) + MomentCurve.Payoff(more);
        double Beside(double x) => LogAdd(
            -(tilt * period) - Precise.Log1p(-Math.Exp(-tilt * period)),
            far - (more * x) - ((more - tilt) * period) - Precise.Log1p(-Math.Exp(-(more - tilt) * period)));
        _upper = new Inversion(spectrum.UpperLog, spectrum.UpperPhase, spectrum.UpperBound, shape, upperMoment, total, null);
        _lower = new Inversion(spectrum.LowerLog, spectrum.LowerPhase, spectrum.LowerBound, shape, lowerMoment, total, Beside);
    }

    /// <summary>Knots times frequencies.</summary>
    internal double Work { get; }

    /// <summary>How fast the upper bound on δ falls there: −d log δ/dε.</summary>
    internal double Slope(double epsilon) => Math.Log(_upper.Above(epsilon) / _upper.Above(epsilon + (1e-3 * _width))) / (1e-3 * _width);

    internal DeltaBounds Delta(double epsilon) => new(Math.Clamp(Below(epsilon), 0, 1), Math.Clamp(Above(epsilon), 0, 1));

    /// <summary>Any ε with an upper bound on δ(ε) that is at most δ is an upper bound; any with a lower bound that is above δ a lower one.</summary>
    internal EpsilonBounds Epsilon(double delta)
    {
        var upper = _upperInfinity >= delta ? double.PositiveInfinity : Search(epsilon => Above(epsilon) <= delta, up: true);
        if (_lowerInfinity >= delta)
            return new EpsilonBounds(double.PositiveInfinity, double.PositiveInfinity);
        var lower = Search(epsilon => !(Below(epsilon) > delta), up: false);
        return new EpsilonBounds(Math.Min(lower, upper), upper);
    }

    private double Above(double epsilon) => _upperInfinity + ((1 - _upperInfinity) * _upper.Above(epsilon));

    private double Below(double epsilon) => _lowerInfinity + _lower.Below(epsilon);

    /// <summary>The end of the ε that satisfy <paramref name="enough"/>, by bisection around the guess: the enough side when looking up, the other when looking down.</summary>
    private double Search(Func<double, bool> enough, bool up)
    {
        if (up && enough(0))
            return 0;
        var (low, high) = (0.0, _guess);
        for (var (i, step) = (0, Math.Max(_width / 256, 1e-12)); !enough(high); i++, step *= 1.6)
        {
            if (i == 16)
                return up ? double.PositiveInfinity : high;
            low = high;
            high += step;
        }

        for (var step = Math.Max(_width / 256, 1e-12); low == 0; step *= 1.6)
        {
            if (high - step <= 0)
                return up ? Narrow(0, high) : 0;
            if (enough(high - step))
                high -= step;
            else
                low = high - step;
        }

        return Narrow(low, high);

        double Narrow(double from, double to)
        {
            for (var i = 0; i < 60 && to - from > 1e-9 * to; i++)
            {
                var middle = (from + to) / 2;
                (from, to) = enough(middle) ? (from, middle) : (middle, to);
            }

            return up ? to : from;
        }
    }

    /// <summary>Knots that together change K by no more than λ(λ+1)/12 times <paramref name="budget"/>.</summary>
    private static List<LossMesh> Meshes(IReadOnlyList<(LossDistribution Losses, LossRange Range)> parts, MomentCurve moments, KnotDensity law, double budget)
    {
        var densities = parts.Select((_, i) => law with { Moment = moments.One(i, law.Tilt) }).ToArray();
        var sum = 0.0;
        foreach (var ((losses, range), density) in parts.Zip(densities))
        {
            foreach (var panel in losses.Panels)
                sum += range.Holds(panel.Stretch.Loss) ? density.Share(losses.Count, panel.Stretch) : 0;
        }

        var spacing = sum > 0 ? Math.Sqrt(budget / sum) : 1;
        return [.. parts.Zip(densities, (part, density) => new LossMesh(part.Losses, part.Range, density with { Spacing = spacing }))];
    }

    private static (double[] Masses, double Log) Tilted(double[] losses, double[] masses, double tilt)
    {
        var tilted = new double[losses.Length];
        TensorPrimitives.Multiply(losses, tilt, tilted);
        var largest = TensorPrimitives.Max<double>(tilted);
        TensorPrimitives.Subtract(tilted, largest, tilted);
        TensorPrimitives.Exp<double>(tilted, tilted);
        TensorPrimitives.Multiply(tilted, masses, tilted);
        var sum = TensorPrimitives.Sum<double>(tilted);
        if (sum > 0)
            TensorPrimitives.Divide(tilted, sum, tilted);
        return (tilted, largest + Math.Log(sum));
    }

    private static double GaussianMoment(IReadOnlyList<double> gaussians, double tilt) => gaussians.Sum(noise => tilt * (tilt + 1) / (2 * noise * noise));

    private static double Compose(IEnumerable<LossMesh> meshes, Func<LossMesh, double> infinity) =>
        -Precise.Expm1(meshes.Sum(mesh => mesh.Count * Precise.Log1p(-infinity(mesh))));

    private static double LogAdd(double a, double b) => Math.Max(a, b) + Precise.Log1p(Math.Exp(-Math.Abs(a - b)));
}
