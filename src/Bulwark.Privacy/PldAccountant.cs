using Bulwark.Privacy.Accounting;

namespace Bulwark.Privacy;

/// <summary>Privacy loss distributions: ε between two certified bounds, near-exact for every event.</summary>
/// <remarks>
/// Each release's losses are moved onto a mesh that is densest where it matters, up for the upper bound (Doroshenko et al., "Connect the Dots",
/// arXiv:2207.04380) and down for the lower one (described at <c>OptimisticMesh</c>); the composition is done by an exponentially tilted Fourier
/// transform (Koskela, Jälkö, Honkela, arXiv:1906.03049; the tilt and the inversion are described at <c>Inversion</c>). What is cut off,
/// wraps around or is rounded is bounded and charged to δ. Both directions, record removed and record added, are taken.
/// Gaussian releases on all records alone are exact (<see cref="GaussianMechanism"/>).
/// </remarks>
public static class PldAccountant
{
    /// <summary>The version that statements name; it changes when a figure could.</summary>
    public const string Version = "pld/2";

    /// <summary>Bounds on ε at <paramref name="delta"/>, by default within 1e-4 of each other.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="delta">δ, above 0, below 1.</param>
    /// <param name="relativeWidth">The mesh is refined until the bounds are this close, relative to ε, or it no longer pays; they are certified all the same.</param>
    /// <param name="unit">Whose privacy is counted; one record, added or removed, by default.</param>
    /// <exception cref="NotSupportedException">An event has no known worst pair of distributions for that unit.</exception>
    public static EpsilonBounds Epsilon(PrivacyEvent happened, double delta, double relativeWidth = 1e-4, PrivacyUnit? unit = null)
    {
        ArgumentNullException.ThrowIfNull(happened);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(delta);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(delta, 1);
        return Epsilon(EventList.Flatten(happened, unit ?? PrivacyUnit.Record), delta, relativeWidth, unit ?? PrivacyUnit.Record);
    }

    internal static EpsilonBounds Epsilon(List<Release> releases, double delta, double relativeWidth, PrivacyUnit unit)
    {
        if (releases.Count == 0)
            return new EpsilonBounds(0, 0);
        if (releases.Any(release => release.Mechanism is RepeatAndSelectEvent))
            return WithSelections(releases, delta, relativeWidth, unit);
        if (releases is [{ Mechanism: GaussianEvent gaussian, SamplingProbability: 1 }])
        {
            var exact = GaussianMechanism.Epsilon(gaussian.NoiseMultiplier, delta);
            return new EpsilonBounds(exact * (1 - 1e-12), exact * (1 + 1e-12));
        }

        return Composed(releases, delta, relativeWidth);
    }

    private static EpsilonBounds Composed(List<Release> releases, double delta, double relativeWidth)
    {
        if (releases is [{ Count: 1 } once])
        {
            var (one, other) = (new OneRelease(once, adding: false).Epsilon(delta), new OneRelease(once, adding: true).Epsilon(delta));
            return new EpsilonBounds(Math.Max(one.Lower, other.Lower), Math.Max(one.Upper, other.Upper));
        }

        var bounds = new DirectedAccount(releases, adding: false, delta).Epsilon(delta, relativeWidth, irrelevant: 0);
        if (releases.All(IsSymmetric))
            return bounds;
        var added = new DirectedAccount(releases, adding: true, delta).Epsilon(delta, relativeWidth, irrelevant: bounds.Lower);
        return new EpsilonBounds(Math.Max(bounds.Lower, added.Lower), Math.Max(bounds.Upper, added.Upper));
    }

    /// <summary>
    /// A selection has no known worst pair. Its Rényi bound is turned into (ε, δ′) for some shares δ′ of δ, which compose with the rest;
    /// or everything is counted by Rényi divergences: the best is taken. The lower bound is that of the rest.
    /// </summary>
    private static EpsilonBounds WithSelections(List<Release> releases, double delta, double relativeWidth, PrivacyUnit unit)
    {
        var rest = releases.Where(release => release.Mechanism is not RepeatAndSelectEvent).ToList();
        var selections = releases.Where(release => release.Mechanism is RepeatAndSelectEvent).ToList();
        var best = double.PositiveInfinity;
        try
        {
            best = RdpAccountant.Epsilon(releases, delta, RenyiSeries.Exact, unit).Epsilon;
        }
        catch (NotSupportedException) when (rest.Count > 0)
        {
            // The shares below still hold.
        }

        if (rest.Count == 0)
            return new EpsilonBounds(0, best);
        foreach (var share in new[] { 0.1, 0.5, 0.9, 0.99 })
        {
            var chosen = RdpAccountant.Epsilon(selections, delta * share, RenyiSeries.Exact, unit).Epsilon;
            if (double.IsFinite(chosen))
                best = Math.Min(best, Composed([.. rest, new Release(new EpsilonDeltaEvent(chosen, delta * share), 1, 1)], delta, 1e-3).Upper);
        }

        var lower = rest is [{ Mechanism: GaussianEvent alone, SamplingProbability: 1 }] ? GaussianMechanism.Epsilon(alone.NoiseMultiplier, delta) * (1 - 1e-12) : Composed(rest, delta, relativeWidth).Lower;
        return new EpsilonBounds(Math.Min(lower, best), best);
    }

    /// <summary>Bounds on δ at <paramref name="epsilon"/>.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="epsilon">ε, finite, at least 0.</param>
    /// <param name="unit">Whose privacy is counted; one record, added or removed, by default.</param>
    public static DeltaBounds Delta(PrivacyEvent happened, double epsilon, PrivacyUnit? unit = null)
    {
        ArgumentNullException.ThrowIfNull(happened);
        if (!(epsilon >= 0) || !double.IsFinite(epsilon))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "Epsilon must be finite and at least 0.");
        var releases = EventList.Flatten(happened, unit ?? PrivacyUnit.Record);
        if (releases.Count == 0)
            return new DeltaBounds(0, 0);
        if (releases.Any(release => release.Mechanism is RepeatAndSelectEvent))
            throw new NotSupportedException("The trade-off of a selection is not known; its epsilon is.");
        if (releases is [{ Mechanism: GaussianEvent gaussian, SamplingProbability: 1 }])
        {
            var exact = GaussianMechanism.Delta(gaussian.NoiseMultiplier, epsilon);
            return new DeltaBounds(exact * (1 - 1e-9), Math.Min(1, exact * (1 + 1e-9)));
        }

        if (releases is [{ Count: 1 } once])
        {
            var (one, other) = (new OneRelease(once, adding: false).Delta(epsilon), new OneRelease(once, adding: true).Delta(epsilon));
            return new DeltaBounds(Math.Max(one.Lower, other.Lower), Math.Max(one.Upper, other.Upper));
        }

        var removed = Directed(adding: false);
        if (releases.All(IsSymmetric))
            return removed;
        var added = Directed(adding: true);
        return new DeltaBounds(Math.Max(removed.Lower, added.Lower), Math.Max(removed.Upper, added.Upper));

        DeltaBounds Directed(bool adding) => new DirectedAccount(releases, adding, 1e-16).Delta(epsilon, 1e-3, 1e-16);
    }

    private static bool IsSymmetric(Release release) => release is { SamplingProbability: 1, Group: 1 } or { FixedSize: true };
}
