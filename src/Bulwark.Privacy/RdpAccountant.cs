using Bulwark.Privacy.Accounting;

namespace Bulwark.Privacy;

/// <summary>Rényi differential privacy: an upper bound on ε, cheap and looser than <see cref="PldAccountant"/>.</summary>
/// <remarks>
/// Sources: Mironov, Talwar, Zhang, "Rényi Differential Privacy of the Sampled Gaussian Mechanism" (arXiv:1908.10530);
/// conversion: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", Proposition 12 (arXiv:2004.00010).
/// Integer orders by the finite binomial sum, the others by quadrature; no order is dropped. Neighbours: add or remove one record.
/// </remarks>
public static class RdpAccountant
{
    /// <summary>The orders that are tried: 1.1 to 10.9, 11 to 63, 128, 256, 512, 1024.</summary>
    public static IReadOnlyList<double> Orders { get; } =
        [.. Enumerable.Range(1, 99).Select(tenth => 1 + (tenth / 10.0)), .. Enumerable.Range(11, 53).Select(order => (double)order), 128, 256, 512, 1024];

    /// <summary>ε at <paramref name="delta"/>, and the order that gave it.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="delta">δ, above 0, below 1.</param>
    /// <exception cref="NotSupportedException">Rényi divergences of an event are not known here.</exception>
    public static (double Epsilon, double Order) Epsilon(PrivacyEvent happened, double delta)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(delta);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(delta, 1);
        var releases = EventList.Flatten(happened, PrivacyUnit.Record);
        var failure = releases.Where(release => release.Mechanism is EpsilonDeltaEvent).Sum(release => release.Count * ((EpsilonDeltaEvent)release.Mechanism).Delta);
        if (failure >= delta)
            return (double.PositiveInfinity, double.NaN);
        var divergences = Orders.Select(order => releases.Sum(release => release.Count * RenyiDivergence.Of(release, order))).ToArray();
        return FromDivergences(Orders, divergences, delta - failure);
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
