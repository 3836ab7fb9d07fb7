using Bulwark.Privacy.Accounting;

namespace Bulwark.Privacy;

/// <summary>Privacy loss distributions: ε between two certified bounds, near-exact for every event.</summary>
/// <remarks>
/// Sources: Koskela, Jälkö, Honkela, "Computing Tight Differential Privacy Guarantees Using FFT" (arXiv:1906.03049); Doroshenko et al.,
/// "Connect the Dots" (arXiv:2207.04380) for the upper bound's discretisation; the lower bound's is described at <c>OptimisticGrid</c>.
/// Truncated mass, wrap-around and rounding are bounded and charged to δ. Both directions, record removed and record added, are taken.
/// Gaussian releases on all records alone are exact (<see cref="GaussianMechanism"/>).
/// </remarks>
public static class PldAccountant
{
    /// <summary>Bounds on ε at <paramref name="delta"/>, by default within about 1e-4 of each other.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="delta">δ, above 0, below 1.</param>
    /// <param name="relativeWidth">The mesh is refined until the bounds are this close, relative to ε; it stops at a lattice of 2²⁰ points, where they stay certified.</param>
    /// <exception cref="NotSupportedException">An event has no known worst pair of distributions.</exception>
    public static EpsilonBounds Epsilon(PrivacyEvent happened, double delta, double relativeWidth = 1e-4)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(delta);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(delta, 1);
        var releases = EventList.Flatten(happened);
        if (releases.Count == 0)
            return new EpsilonBounds(0, 0);
        if (releases is [{ Mechanism: GaussianEvent gaussian, SamplingProbability: 1 }])
        {
            var exact = GaussianMechanism.Epsilon(gaussian.NoiseMultiplier, delta);
            return new EpsilonBounds(exact * (1 - 1e-12), exact * (1 + 1e-12));
        }

        var bounds = Directed(releases, adding: false, irrelevant: 0);
        if (releases.All(release => release.SamplingProbability == 1))
            return bounds;
        var added = Directed(releases, adding: true, irrelevant: bounds.Lower);
        return new EpsilonBounds(Math.Max(bounds.Lower, added.Lower), Math.Max(bounds.Upper, added.Upper));

        EpsilonBounds Directed(List<Release> parts, bool adding, double irrelevant) =>
            new DirectedAccount(parts, adding, delta).Bounds(relativeWidth, 2e-6, largestLog: 20, irrelevant);
    }
}
