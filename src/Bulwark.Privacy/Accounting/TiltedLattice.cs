namespace Bulwark.Privacy.Accounting;

/// <summary>
/// Composes releases on one lattice by Fourier transform. Every distribution is first multiplied by e^(tilt·loss) and scaled,
/// so that the losses that decide δ sit where the result is large and rounding is small; δ is read off with the tilt undone.
/// </summary>
/// <remarks>
/// What lies outside the window wraps around. For tilt θ ≥ 0, (1 − e^(ε−L))₊ ≤ e^(θ(L−ε)), so a part of tilted mass m
/// (wrapped, or lost to rounding) changes δ(ε) by at most m·e^(K(θ)−θε): that is <see cref="_slack"/>, added above and taken off below.
/// </remarks>
internal sealed class TiltedLattice
{
    private const double Rounding = 2.220446049250313e-16;

    private readonly double _mesh;
    private readonly double _tilt;
    private readonly double _scale;      // K(θ)
    private readonly long _first;        // lattice index of the window's first point
    private readonly double[] _upper;
    private readonly double[] _lower;
    private readonly double _upperInfinity;
    private readonly double _lowerInfinity;
    private readonly double _slack;

    internal TiltedLattice(
        IReadOnlyList<(LossDistribution Losses, double Low, double High)> parts,
        double tilt, (double Low, double High, double LambdaLow, double LambdaHigh) window, int points)
    {
        _tilt = tilt;
        // At most four cells a point: a distribution much wider than the window would cost more than it tells.
        _mesh = Math.Max((window.High - window.Low) / (points - 4), parts.Max(part => part.High - part.Low) / (4.0 * points));
        _first = (long)Math.Floor(window.Low / _mesh) - 1;
        var grids = parts.Select(part => new LossGrid(part.Losses, _mesh, part.Low, part.High)).ToList();
        var moments = new MomentCurve();
        foreach (var grid in grids)
            moments.Add(grid.Upper, [.. Enumerable.Range(0, grid.Cells + 1).Select(grid.Point)], grid.Count);
        _scale = moments.Value(tilt);
        _upperInfinity = Compose(grids, grid => grid.Infinity);
        _lowerInfinity = Compose(grids, grid => grid.TrueInfinity);
        var releases = grids.Sum(grid => (double)grid.Count);
        _slack = (2 * moments.Outside(tilt, _first * _mesh, (_first + points) * _mesh, window.LambdaLow, window.LambdaHigh))
            + (64 * (Math.Log2(points) + releases) * Rounding);
        (_upper, _lower) = Convolve(grids, points);
    }

    internal EpsilonBounds Bounds(double delta) => new(
        Solve(_lower, _lowerInfinity, -_slack, delta, roundUp: false),
        Solve(_upper, _upperInfinity, _slack, delta, roundUp: true));

    private static double Compose(IEnumerable<LossGrid> grids, Func<LossGrid, double> infinity) =>
        -Precise.Expm1(grids.Sum(grid => grid.Count * Precise.Log1p(-Math.Min(1, infinity(grid)))));

    private (double[] Upper, double[] Lower) Convolve(List<LossGrid> grids, int points)
    {
        var (logRe, logIm) = (new double[points], new double[points]);   // log spectrum of upper in the first half, of lower in the second
        var (upperHighest, lowerHighest) = (1.0, 1.0);   // at the highest frequency both spectra are real
        foreach (var grid in grids)
        {
            var (upperReal, lowerReal) = AddLogSpectrum(grid, points, logRe, logIm);
            upperHighest *= Math.Pow(upperReal, grid.Count);
            lowerHighest *= Math.Pow(lowerReal, grid.Count);
        }

        var (re, im) = (new double[points], new double[points]);
        var half = points / 2;
        (re[half], im[half]) = (upperHighest, lowerHighest);
        for (var k = 0; k < half; k++)
        {
            var (upperRe, upperIm) = Exponential(logRe[k], logIm[k]);
            var (lowerRe, lowerIm) = Exponential(logRe[half + k], logIm[half + k]);
            // Both results are real, so one transform of upper + i·lower gives both.
            (re[k], im[k]) = (upperRe - lowerIm, upperIm + lowerRe);
            if (k > 0)
                (re[points - k], im[points - k]) = (upperRe + lowerIm, lowerRe - upperIm);
        }

        FourierTransform.Run(re, im, inverse: true);
        var (upper, lower) = (new double[points], new double[points]);
        for (var i = 0; i < points; i++)
        {
            var from = (int)Modulo(_first + i, points);
            (upper[i], lower[i]) = (Math.Max(0, re[from] / points), Math.Max(0, im[from] / points));
        }

        return (upper, lower);
    }

    private static (double Re, double Im) Exponential(double logRe, double logIm)
    {
        if (!(logRe > -60))
            return (0, 0);
        var size = Math.Exp(logRe);
        var (sine, cosine) = Math.SinCos(logIm);
        return (size * cosine, size * sine);
    }

    /// <summary>Adds count times the logarithm of both spectra below the highest frequency; returns both there.</summary>
    private (double Upper, double Lower) AddLogSpectrum(LossGrid grid, int points, double[] logRe, double[] logIm)
    {
        var (re, im) = (new double[points], new double[points]);
        var one = new MomentCurve();
        one.Add(grid.Upper, [.. Enumerable.Range(0, grid.Cells + 1).Select(grid.Point)], 1);
        var scale = one.Value(_tilt);
        for (var i = 0; i <= grid.Cells; i++)
        {
            var at = (int)Modulo(grid.First + i, points);
            var factor = Math.Exp((_tilt * grid.Point(i)) - scale);
            re[at] += grid.Upper[i] * factor;
            im[at] += grid.Lower[i] * factor;
        }

        FourierTransform.Run(re, im, inverse: false);
        for (int k = 0, half = points / 2; k < half; k++)
        {
            var mirror = (points - k) % points;
            AddLog((re[k] + re[mirror]) / 2, (im[k] - im[mirror]) / 2, grid.Count, logRe, logIm, k);
            AddLog((im[k] + im[mirror]) / 2, (re[mirror] - re[k]) / 2, grid.Count, logRe, logIm, half + k);
        }

        return (re[points / 2], im[points / 2]);
    }

    private static void AddLog(double re, double im, long count, double[] logRe, double[] logIm, int at)
    {
        var square = (re * re) + (im * im);
        if (square < Math.Exp(-120.0 / count))
        {
            logRe[at] = double.NegativeInfinity;   // its power is below e^-60
            return;
        }

        logRe[at] += 0.5 * count * Math.Log(square);
        logIm[at] += count * Math.Atan2(im, re);
    }

    /// <summary>The ε where δ(ε) falls to <paramref name="delta"/>; ∞ where it never does, 0 where it always is.</summary>
    private double Solve(double[] masses, double infinity, double slack, double delta, bool roundUp)
    {
        if (infinity >= delta)
            return double.PositiveInfinity;
        var n = masses.Length;
        var (sums, ratioSums) = (new double[n + 1], new double[n + 1]);   // Σ m·e^(−θl), Σ m·e^(−(θ+1)l) from each point up, scaled at the centre
        var centre = (_first + (n / 2)) * _mesh;
        var known = 0;   // below this point the untilted sums overflow: there the upper bound gives up and the lower one leaves out
        for (var i = n - 1; i >= 0; i--)
        {
            var loss = ((_first + i) * _mesh) - centre;
            if (-(_tilt + 1) * loss > 690)
            {
                known = i + 1;
                break;
            }

            sums[i] = sums[i + 1] + (masses[i] * Math.Exp(-_tilt * loss));
            ratioSums[i] = ratioSums[i + 1] + (masses[i] * Math.Exp(-(_tilt + 1) * loss));
        }

        double Excess(double epsilon)
        {
            var from = Math.Clamp((long)Math.Floor(epsilon / _mesh) + 1 - _first, 0, n);
            if (from < known && roundUp)
                return double.PositiveInfinity;
            from = Math.Max(from, known);
            var tail = sums[from] - (Math.Exp(epsilon - centre) * ratioSums[from]);
            var value = (Math.Exp(_scale - (_tilt * centre)) * Math.Max(0, tail)) + (slack * Math.Exp(_scale - (_tilt * epsilon)));
            return infinity + value - delta;
        }

        var (low, high) = (0.0, Math.Max(_mesh, (_first + n) * _mesh));
        if (!(Excess(high) <= 0))
            return roundUp ? double.PositiveInfinity : 0;
        if (roundUp && Excess(0) <= 0)
            return 0;
        // δ(ε) falls, so a lower bound on δ at any larger ε is one here: look for the largest ε that has one above δ.
        for (var (i, step) = (0, high / 512); !roundUp && i < 512 && !(Excess(low = high - step) > 0); i++)
            high = low;
        if (!roundUp && !(Excess(low) > 0))
            return 0;
        for (var i = 0; i < 100 && high - low > 1e-12 * high; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Excess(middle) > 0 ? (middle, high) : (low, middle);
        }

        return roundUp ? high : low;
    }

    private static long Modulo(long value, int n) => ((value % n) + n) % n;
}
