namespace Bulwark.Privacy.Accounting;

/// <summary>One release, done once: δ(ε) = E_P[(1 − e^(ε−L))₊] is an integral, with nothing to compose.</summary>
internal sealed class OneRelease
{
    private const double Unknown = 1e-12;   // of the integral, by quadrature and rounding
    private readonly LossDistribution _losses;

    internal OneRelease(Release release, bool adding) => _losses = new LossDistribution(release, adding);

    internal DeltaBounds Delta(double epsilon)
    {
        var sum = new ExcessSum(epsilon);
        foreach (var (mass, loss) in _losses.Atoms)
            sum.Add(mass, loss);
        if (_losses.Panels.Count > 0)
        {
            var from = _losses.Inverse(epsilon);
            foreach (var panel in _losses.Panels)
                Integrate(Math.Max(from, panel.From), panel, ref sum);
        }

        var finite = Math.Min(1, sum.Value);
        return new DeltaBounds(Math.Max(0, _losses.Infinity + (finite * (1 - Unknown)) - _losses.Tail), Math.Min(1, _losses.Infinity + (finite * (1 + Unknown)) + _losses.Tail));
    }

    internal EpsilonBounds Epsilon(double delta)
    {
        if (_losses.Infinity >= delta)
            return new EpsilonBounds(double.PositiveInfinity, double.PositiveInfinity);
        var highest = Math.Max(_losses.Atoms.Count > 0 ? _losses.Atoms[^1].Loss : 0, _losses.Panels.Count > 0 ? _losses.Panels[^1].LossTo : 0);
        return new EpsilonBounds(Search(epsilon => Delta(epsilon).Lower > delta, highest, up: false), Search(epsilon => Delta(epsilon).Upper > delta, highest, up: true));
    }

    private static double Search(Func<double, bool> more, double highest, bool up)
    {
        if (!more(0))
            return 0;
        if (more(highest))
            return up ? double.PositiveInfinity : highest;
        var (low, high) = (0.0, highest);
        for (var i = 0; i < 100 && high - low > 1e-10 * high; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = more(middle) ? (middle, high) : (low, middle);
        }

        return up ? high : low;
    }

    /// <summary>Cut finely where the loss is steep.</summary>
    private void Integrate(double from, Panel panel, ref ExcessSum sum)
    {
        if (!(panel.To > from))
            return;
        var pieces = (int)Math.Clamp(Math.Ceiling(panel.LossTo - panel.LossFrom), 1, 64);
        for (var piece = 0; piece < pieces; piece++)
            _losses.Integrate(from + ((panel.To - from) * piece / pieces), from + ((panel.To - from) * (piece + 1) / pieces), ref sum);
    }

    private struct ExcessSum(double epsilon) : ILossSum
    {
        internal double Value;

        public void Add(double mass, double loss) => Value += loss > epsilon ? mass * -Precise.Expm1(epsilon - loss) : 0;
    }
}
