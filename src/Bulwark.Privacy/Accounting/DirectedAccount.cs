namespace Bulwark.Privacy.Accounting;

/// <summary>Bounds on ε in one direction (record removed, or added), on a lattice that is refined until they meet.</summary>
internal sealed class DirectedAccount
{
    private const int SmallestLog = 12;
    private const double Rarity = 36;   // e^-36 = 2e-16 of the tilted mass may lie outside the window

    private readonly List<(LossDistribution Losses, double Low, double High)> _parts;
    private readonly MomentCurve _moments = new();
    private readonly double _delta;

    internal DirectedAccount(IReadOnlyList<Release> releases, bool adding, double delta)
    {
        _delta = delta;
        var total = releases.Sum(release => (double)release.Count);
        _parts = [.. releases.Select(release => Range(new LossDistribution(release, adding), delta, total))];
        foreach (var (losses, low, high) in _parts)
        {
            var samples = losses.Samples().Where(sample => sample.Mass > 0).ToList();
            _moments.Add([.. samples.Select(sample => sample.Mass)], [.. samples.Select(sample => Math.Clamp(sample.Loss, low, high))], losses.Count);
        }
    }

    /// <summary>Refines until upper − lower ≤ relative·upper + absolute, or the lattice has 2^<paramref name="largestLog"/> points, or the upper bound falls below <paramref name="irrelevant"/>, which another direction costs anyway.</summary>
    internal EpsilonBounds Bounds(double relative, double absolute, int largestLog, double irrelevant)
    {
        var tilt = _moments.Tilt(_delta);
        var window = _moments.Window(tilt, Rarity);
        var best = new EpsilonBounds(0, double.PositiveInfinity);
        for (var log = SmallestLog; ;)
        {
            var found = new TiltedLattice(_parts, tilt, window, 1 << log).Bounds(_delta);
            best = new EpsilonBounds(Math.Max(best.Lower, found.Lower), Math.Min(best.Upper, found.Upper));
            var goal = (relative * best.Upper) + absolute;
            var gap = best.Upper - best.Lower;
            if (log >= largestLog || gap <= goal || best.Upper <= irrelevant || double.IsInfinity(best.Lower))
                return best;
            // The error is of second order in the mesh.
            var factor = double.IsFinite(gap) ? Math.Sqrt(gap / goal) : 8;
            log = Math.Min(largestLog, log + Math.Clamp((int)Math.Ceiling(Math.Log2(factor)), 1, 4));
        }
    }

    /// <summary>Losses outside [Low, High] matter to δ by less than a millionth of it, over all releases.</summary>
    private static (LossDistribution Losses, double Low, double High) Range(LossDistribution losses, double delta, double total)
    {
        var samples = losses.Samples();
        samples.Sort((a, b) => a.Loss.CompareTo(b.Loss));
        var allowed = delta * 1e-6 / total;
        var low = 0;
        for (var mass = 0.0; low < samples.Count - 1 && (mass += samples[low].Mass) < allowed; low++)
        {
        }

        double ExcessAbove(double loss) => samples.Where(sample => sample.Loss > loss).Sum(sample => sample.Mass * -Precise.Expm1(loss - sample.Loss));
        var (from, to) = (samples[low].Loss, samples[^1].Loss);
        for (var i = 0; i < 30 && to - from > 1e-3 * Math.Abs(to); i++)
        {
            var middle = (from + to) / 2;
            (from, to) = ExcessAbove(middle) > allowed ? (middle, to) : (from, middle);
        }

        return (losses, samples[low].Loss, to);
    }
}
