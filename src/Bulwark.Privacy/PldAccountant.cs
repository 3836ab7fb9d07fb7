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
        var releases = EventList.Flatten(happened, unit ?? PrivacyUnit.Record);
        if (releases.Count == 0)
            return new EpsilonBounds(0, 0);
        if (releases is [{ Mechanism: GaussianEvent gaussian, SamplingProbability: 1 }])
        {
            var exact = GaussianMechanism.Epsilon(gaussian.NoiseMultiplier, delta);
            return new EpsilonBounds(exact * (1 - 1e-12), exact * (1 + 1e-12));
        }

        var bounds = new DirectedAccount(releases, adding: false, delta).Epsilon(delta, relativeWidth, irrelevant: 0);
        if (releases.All(IsSymmetric))
            return bounds;
        var added = new DirectedAccount(releases, adding: true, delta).Epsilon(delta, relativeWidth, irrelevant: bounds.Lower);
        return new EpsilonBounds(Math.Max(bounds.Lower, added.Lower), Math.Max(bounds.Upper, added.Upper));
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
        if (releases is [{ Mechanism: GaussianEvent gaussian, SamplingProbability: 1 }])
        {
            var exact = GaussianMechanism.Delta(gaussian.NoiseMultiplier, epsilon);
            return new DeltaBounds(exact * (1 - 1e-9), Math.Min(1, exact * (1 + 1e-9)));
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
