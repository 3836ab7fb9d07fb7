namespace Bulwark.Privacy.Accounting;

/// <summary>Bounds on δ(ε) and ε(δ) in one direction (record removed, or added): a rough pass to find the place, then a fine one there.</summary>
internal sealed class DirectedAccount
{
    private const int MostFrequencies = 60_000;
    private readonly List<(LossDistribution Losses, LossRange Range)> _parts = [];
    private readonly List<double> _gaussians = [];
    private readonly MomentCurve _moments = new();
    private readonly double _total;

    internal DirectedAccount(IReadOnlyList<Release> releases, bool adding, double delta)
    {
        _total = releases.Sum(release => (double)release.Count);
        foreach (var release in releases)
        {
            if (release is { Mechanism: GaussianEvent gaussian, SamplingProbability: 1 })
            {
                _gaussians.Add(gaussian.NoiseMultiplier);
                _moments.AddGaussian(gaussian.NoiseMultiplier);
                continue;
            }

            var losses = new LossDistribution(release, adding);
            var range = LossRange.Of(losses, delta, _total);
            _parts.Add((losses, range));
            var (masses, samples) = losses.Samples();
            for (var i = 0; i < samples.Length; i++)
                samples[i] = Math.Clamp(samples[i], range.Low, range.High);
            _moments.Add(masses, samples, losses.Count);
        }
    }

    /// <summary>Refines until upper − lower ≤ relative·upper, or it does not pay; stops at <paramref name="irrelevant"/> when the upper bound is not above it: another direction costs that anyway.</summary>
    internal EpsilonBounds Epsilon(double delta, double relative, double irrelevant)
    {
        if (irrelevant > 0 && Pass(_moments.Saddle(irrelevant), irrelevant, 0.05 * irrelevant, delta).Delta(irrelevant).Upper <= delta)
            return new EpsilonBounds(0, irrelevant);
        var rough = Settle(delta, irrelevant);
        var best = rough.Bounds;
        // The gap is proportional to the tolerance: the rough pass tells by how much.
        var ratio = Math.Clamp(rough.Tolerance / (best.Upper - best.Lower), 0.02, 2);
        for (var pass = 0; pass < 3 && double.IsFinite(best.Upper) && double.IsFinite(best.Lower); pass++)
        {
            var goal = Goal(best.Upper, relative);
            var gap = best.Upper - best.Lower;
            if (gap <= 1.2 * goal || best.Upper <= irrelevant)
                break;
            var found = Pass(_moments.Saddle(best.Upper), best.Upper, 0.75 * goal * ratio, delta).Epsilon(delta);
            best = Narrower(best, found);
            ratio *= Math.Clamp(goal / (found.Upper - found.Lower), 0.1, 1);
            if (best.Upper - best.Lower > 0.7 * gap)
                break;
        }

        return best;
    }

    /// <summary>Where ε is so small that δ hardly depends on it, δ is what has to be known well.</summary>
    private double Goal(double epsilon, double relative) => Math.Max(relative * epsilon, Math.Min(1e-5, 1e-4 / (_moments.Saddle(epsilon) + 1)));

    /// <summary>Rough passes, each at the ε that the one before found, until they agree.</summary>
    private (EpsilonBounds Bounds, double Tolerance) Settle(double delta, double irrelevant)
    {
        var (tilt, guess) = _moments.FirstTilt(delta);
        if (irrelevant > 0)
            (tilt, guess) = (_moments.Saddle(irrelevant), irrelevant);
        var best = new EpsilonBounds(0, double.PositiveInfinity);
        (guess, var tolerance) = Start(Math.Max(guess, 1e-9));
        for (var pass = 0; pass < 8; pass++)
        {
            var found = Pass(tilt, guess, tolerance, delta).Epsilon(delta);
            best = Narrower(best, found);
            if (double.IsInfinity(best.Lower) || found.Upper == 0)
                break;
            if (double.IsInfinity(found.Upper))
            {
                tolerance /= 6;
                continue;
            }

            var next = found.Upper;
            var settled = Math.Abs(next - guess) <= 0.1 * guess;
            if (settled && found.Upper - found.Lower < 0.2 * found.Upper)
                break;
            (guess, tolerance) = settled ? (next, tolerance / 4) : Start(next);
            tilt = _moments.Saddle(guess);
        }

        return (best, tolerance);

        (double, double) Start(double epsilon) => (epsilon, Math.Max(0.02 * epsilon, Goal(epsilon, 1e-4)));
    }

    private static EpsilonBounds Narrower(EpsilonBounds best, EpsilonBounds found) => new(Math.Max(best.Lower, found.Lower), Math.Min(best.Upper, found.Upper));

    private FourierAccount Pass(double tilt, double guess, double tolerance, double delta) =>
        new(_parts, _gaussians, _moments, _total, tilt, guess, tolerance, delta, MostFrequencies);

    /// <summary>Bounds on δ at <paramref name="epsilon"/>, within about <paramref name="relative"/> of each other.</summary>
    internal DeltaBounds Delta(double epsilon, double relative, double smallest)
    {
        var tilt = _moments.Saddle(epsilon);
        var tolerance = relative / (tilt + 1);
        return Pass(tilt, epsilon, tolerance, smallest).Delta(epsilon);
    }
}
