namespace Bulwark.Privacy.Accounting;

/// <summary>Bounds on δ(ε) and ε(δ) in one direction (record removed, or added): a rough pass to find the place, then a fine one there.</summary>
internal sealed class DirectedAccount
{
    private const int MostFrequencies = 16_000;
    private const double MostWork = 6e6;   // knots times frequencies of one pass
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
        // The gap is proportional to the tolerance, and the work inversely: the rough pass tells by how much.
        var (tolerance, work) = (rough.Tolerance, rough.Work);
        for (var pass = 0; pass < 3 && double.IsFinite(best.Upper) && double.IsFinite(best.Lower); pass++)
        {
            var (goal, gap) = (Goal(best.Upper, relative), best.Upper - best.Lower);
            if (gap <= 1.2 * goal || best.Upper <= irrelevant)
                break;
            var next = tolerance * Math.Clamp(0.75 * goal / gap, 1e-3, 0.5);
            next = Math.Max(next, tolerance * work / (gap > 1e-3 * best.Upper ? 3 * MostWork : MostWork));
            if (next > 0.7 * tolerance)
                break;
            var account = Pass(_moments.Saddle(best.Upper), best.Upper, next, delta);
            best = Narrower(best, account.Epsilon(delta));
            (tolerance, work) = (next, account.Work);
        }

        return best;
    }

    /// <summary>Where ε is so small that δ hardly depends on it, δ is what has to be known well.</summary>
    private double Goal(double epsilon, double relative) => Math.Max(relative * epsilon, Math.Min(1e-5, 1e-4 / (_moments.Saddle(epsilon) + 1)));

    /// <summary>Rough passes, each at the ε that the one before found, until they agree.</summary>
    private (EpsilonBounds Bounds, double Tolerance, double Work) Settle(double delta, double irrelevant)
    {
        var (tilt, guess) = _moments.FirstTilt(delta);
        if (irrelevant > 0)
            (tilt, guess) = (_moments.Saddle(irrelevant), irrelevant);
        var best = new EpsilonBounds(0, double.PositiveInfinity);
        guess = Math.Max(guess, 1e-9);
        var tolerance = Math.Max(0.02 * guess, Goal(guess, 1e-4));
        for (var pass = 0; ; pass++)
        {
            var account = Pass(tilt, guess, tolerance, delta);
            var found = account.Epsilon(delta);
            best = Narrower(best, found);
            var settled = Math.Abs(found.Upper - guess) <= 0.1 * guess && found.Upper - found.Lower < 0.2 * found.Upper;
            if (settled || pass == 6 || double.IsInfinity(best.Lower) || found.Upper == 0 || account.Work > MostWork)
                return (best, tolerance, account.Work);
            if (double.IsInfinity(found.Upper))
            {
                tolerance /= 6;
                continue;
            }

            // Where δ(ε) is flatter than the tilt, an error in δ moves ε further.
            var flat = Math.Clamp(account.Slope(found.Upper) / tilt, 0.01, 1);
            var agrees = Math.Abs(found.Upper - guess) <= 0.1 * guess;
            guess = found.Upper;
            tolerance = Math.Max(Math.Min(0.02 * guess * flat, agrees ? tolerance / 4 : double.PositiveInfinity), 0.02 * Goal(guess, 1e-4));
            tilt = _moments.Saddle(guess);
        }
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
