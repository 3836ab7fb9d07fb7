using Bulwark.Privacy.Accounting;

namespace Bulwark.Privacy;

/// <summary>How the series of the sampled Gaussian is summed at fractional orders.</summary>
public enum RenyiSeries
{
    /// <summary>Terms without their signs, as in published figures: an upper bound, at most 1 % too large in practice.</summary>
    Published = 0,

    /// <summary>By quadrature: the divergence itself.</summary>
    Exact,
}

/// <summary>Rényi differential privacy: an upper bound on ε, cheap and looser than <see cref="PldAccountant"/>.</summary>
/// <remarks>
/// Sources: Mironov, Talwar, Zhang, "Rényi Differential Privacy of the Sampled Gaussian Mechanism" (arXiv:1908.10530);
/// conversion: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", Proposition 12 (arXiv:2004.00010).
/// Integer orders by the finite binomial sum. Fractional orders by default in the convention of published figures, an upper bound
/// (<see cref="RenyiSeries.Published"/>), or exactly; where the series fails, by quadrature: no order is dropped.
/// </remarks>
public static class RdpAccountant
{
    /// <summary>The version that statements name; it changes when a figure could.</summary>
    public const string Version = "rdp/2";

    /// <summary>The orders that are tried: 1.1 to 10.9, 11 to 63, 128, 256, 512, 1024.</summary>
    public static IReadOnlyList<double> Orders { get; } =
        [.. Enumerable.Range(1, 99).Select(tenth => 1 + (tenth / 10.0)), .. Enumerable.Range(11, 53).Select(order => (double)order), 128, 256, 512, 1024];

    /// <summary>ε at <paramref name="delta"/>, and the order that gave it.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="delta">δ, above 0, below 1.</param>
    /// <param name="series">How fractional orders are summed.</param>
    /// <param name="unit">Whose privacy is counted; one record, added or removed, by default.</param>
    /// <exception cref="NotSupportedException">Rényi divergences of an event are not known here.</exception>
    public static (double Epsilon, double Order) Epsilon(PrivacyEvent happened, double delta, RenyiSeries series = RenyiSeries.Published, PrivacyUnit? unit = null)
    {
        ArgumentNullException.ThrowIfNull(happened);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(delta);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(delta, 1);
        return Epsilon(EventList.Flatten(happened, unit ?? PrivacyUnit.Record), delta, series, unit ?? PrivacyUnit.Record);
    }

    internal static (double Epsilon, double Order) Epsilon(List<Release> releases, double delta, RenyiSeries series, PrivacyUnit unit)
    {
        var (divergences, failure) = Divergences(releases, series, unit);
        return failure >= delta ? (double.PositiveInfinity, double.NaN) : FromDivergences(Orders, divergences, delta - failure);
    }

    /// <summary>Total Rényi divergence at each of <see cref="Orders"/>, and the δ of (ε, δ) events.</summary>
    private static (double[] Divergences, double Failure) Divergences(List<Release> releases, RenyiSeries series, PrivacyUnit unit)
    {
        var total = new double[Orders.Count];
        var failure = 0.0;
        foreach (var release in releases)
        {
            double[] one;
            if (release.Mechanism is RepeatAndSelectEvent selection)
            {
                var (run, lost) = Divergences(EventList.Flatten(selection.Event, unit), series, unit);
                if (lost > 0)
                    throw new NotSupportedException("A selection among (epsilon, delta) events has no Renyi divergence: name the mechanism instead.");
                one = RenyiDivergence.Selection(selection, Orders, run);
            }
            else
            {
                failure += release.Count * (release.Mechanism is EpsilonDeltaEvent pure ? pure.Delta : 0);
                one = [.. Orders.Select(order => RenyiDivergence.Of(release, order, series))];
            }

            for (var i = 0; i < total.Length; i++)
                total[i] += release.Count * one[i];
        }

        return (total, failure);
    }

    /// <summary>The best conversion of Rényi divergences into ε at <paramref name="delta"/>.</summary>
    /// <param name="orders">Orders above 1.</param>
    /// <param name="divergences">The total Rényi divergence at each order.</param>
    /// <param name="delta">δ, above 0, below 1.</param>
    public static (double Epsilon, double Order) FromDivergences(IReadOnlyList<double> orders, IReadOnlyList<double> divergences, double delta)
    {
        var best = (Epsilon: double.PositiveInfinity, Order: double.NaN);
        for (var i = 0; i < orders.Count; i++)
        {
            var (order, divergence) = (orders[i], divergences[i]);
            // Tiny divergence: Pinsker and Bretagnolle-Huber already give total variation below delta.
            var epsilon = (delta * delta) + Math.Exp(-divergence) - 1 > 0 ? 0
                : order > 1.01 ? divergence + Math.Log(1 - (1 / order)) - ((Math.Log(delta) + Math.Log(order)) / (order - 1))
                : double.PositiveInfinity;
            if (epsilon < best.Epsilon)
                best = (epsilon, order);
        }

        return (Math.Max(0, best.Epsilon), best.Order);
    }
}
