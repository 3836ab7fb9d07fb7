namespace Bulwark.Privacy.Accounting;

/// <summary>K(λ) = log E_P[exp(λ·total loss)], finite losses only, and what Chernoff's inequality makes of it.</summary>
internal sealed class MomentCurve
{
    private readonly List<(double[] Masses, double[] Losses, long Count)> _parts = [];

    internal void Add(double[] masses, double[] losses, long count) => _parts.Add((masses, losses, count));

    /// <summary>A larger tilt than this only resolves one end of a distribution whose losses are bounded.</summary>
    private double Largest => Math.Min(1e6, 600 / _parts.Max(part => part.Losses.Max() - part.Losses.Min()));

    internal double Value(double lambda) => _parts.Sum(part => part.Count * One(part.Masses, part.Losses, lambda));

    /// <summary>The tilt λ that gives the best ε by the conversion of Canonne, Kamath, Steinke (α = λ + 1): Chernoff's would run away where losses are bounded.</summary>
    internal double Tilt(double delta)
    {
        double At(double logLambda)
        {
            var lambda = Math.Exp(logLambda);
            return (Value(lambda) - Math.Log(delta) - Math.Log(1 + lambda)) / lambda + Math.Log(lambda / (1 + lambda));
        }

        return Math.Exp(Minimise(At, Math.Log(1e-4), Math.Log(Largest)));
    }

    /// <summary>Under the distribution tilted by <paramref name="tilt"/>, the ends beyond which lies less than e^−<paramref name="rarity"/>, with the λ that shows it.</summary>
    internal (double Low, double High, double LambdaLow, double LambdaHigh) Window(double tilt, double rarity)
    {
        var centre = Value(tilt);
        double High(double logLambda) => (Value(tilt + Math.Exp(logLambda)) - centre + rarity) / Math.Exp(logLambda);
        double Low(double logLambda) => (Value(tilt - Math.Exp(logLambda)) - centre + rarity) / Math.Exp(logLambda);
        var (from, to) = (Math.Log(1e-4), Math.Log(Largest));
        var (up, down) = (Minimise(High, from, to), Minimise(Low, from, to));
        return (-Low(down), High(up), Math.Exp(down), Math.Exp(up));
    }

    /// <summary>Mass of the tilted distribution outside a window: Chernoff's bound at the given λ, so it holds whatever they are.</summary>
    internal double Outside(double tilt, double low, double high, double lambdaLow, double lambdaHigh)
    {
        var centre = Value(tilt);
        return Math.Exp(Math.Min(0, Value(tilt + lambdaHigh) - centre - (lambdaHigh * high)))
            + Math.Exp(Math.Min(0, Value(tilt - lambdaLow) - centre + (lambdaLow * low)));
    }

    private static double One(double[] masses, double[] losses, double lambda)
    {
        var largest = double.NegativeInfinity;
        foreach (var loss in losses)
            largest = Math.Max(largest, lambda * loss);
        var sum = 0.0;
        for (var i = 0; i < masses.Length; i++)
            sum += masses[i] * Math.Exp((lambda * losses[i]) - largest);
        return largest + Math.Log(sum);
    }

    /// <summary>A coarse scan, then golden section; the functions here have one minimum.</summary>
    private static double Minimise(Func<double, double> function, double from, double to)
    {
        const int Scan = 24;
        var step = (to - from) / Scan;
        var best = Enumerable.Range(0, Scan + 1).Select(i => from + (i * step)).MinBy(x => double.IsNaN(function(x)) ? double.PositiveInfinity : function(x));
        var (low, high) = (best - step, best + step);
        var golden = (Math.Sqrt(5) - 1) / 2;
        for (var i = 0; i < 16; i++)
        {
            var (a, b) = (high - (golden * (high - low)), low + (golden * (high - low)));
            (low, high) = function(a) < function(b) ? (low, b) : (a, high);
        }

        return (low + high) / 2;
    }
}
