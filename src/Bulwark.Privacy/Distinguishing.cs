namespace Bulwark.Privacy;

/// <summary>What ε and δ mean to an attacker who wants to tell whether a record was there: reports derived from certified bounds, not guarantees of their own.</summary>
public static class Distinguishing
{
    private const int Points = 12;

    /// <summary>No test that is right about records that were not there in all but a share <paramref name="falsePositiveRate"/> finds more than this share of those that were.</summary>
    /// <remarks>min over ε of δ(ε) + e^ε·FPR (Kairouz, Oh, Viswanath 2015), with upper bounds of δ.</remarks>
    /// <param name="happened">What happened.</param>
    /// <param name="falsePositiveRate">From 0 to 1.</param>
    /// <param name="unit">Whose privacy is counted; one record, added or removed, by default.</param>
    /// <exception cref="NotSupportedException">There is a selection in it, of which only ε is known.</exception>
    public static double LargestTruePositiveRate(PrivacyEvent happened, double falsePositiveRate, PrivacyUnit? unit = null) => FromCurve(Curve(happened, unit), falsePositiveRate);

    /// <summary>The trade-off curve: at each rate of false positives the smallest rate of false negatives that an attacker can have.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="falsePositiveRates">From 0 to 1.</param>
    /// <param name="unit">Whose privacy is counted; one record, added or removed, by default.</param>
    public static IReadOnlyList<(double FalsePositiveRate, double FalseNegativeRate)> TradeOff(PrivacyEvent happened, IReadOnlyList<double> falsePositiveRates, PrivacyUnit? unit = null)
    {
        ArgumentNullException.ThrowIfNull(falsePositiveRates);
        var curve = Curve(happened, unit);
        return [.. falsePositiveRates.Select(rate => (rate, 1 - FromCurve(curve, rate)))];
    }

    /// <summary>ε by the advanced composition theorem of Dwork, Rothblum, Vadhan 2010, each of n releases being (ε₀, δ₀): for comparison only, never a total.</summary>
    /// <param name="epsilon">ε₀.</param>
    /// <param name="delta">δ₀.</param>
    /// <param name="count">n.</param>
    /// <param name="slack">δ added by the theorem, above 0.</param>
    public static PrivacyBudget AdvancedComposition(double epsilon, double delta, long count, double slack) => new(
        (epsilon * Math.Sqrt(2 * count * Math.Log(1 / slack))) + (count * epsilon * (Math.Exp(epsilon) - 1)), (count * delta) + slack);

    private static double FromCurve(List<(double Epsilon, double Delta)> curve, double rate)
    {
        if (!(rate >= 0 && rate <= 1))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "A rate is from 0 to 1.");
        // Both directions of the test: few false positives, or few false negatives.
        var best = curve.Min(point => Math.Min(point.Delta + (Math.Exp(point.Epsilon) * rate), 1 - ((1 - point.Delta - rate) * Math.Exp(-point.Epsilon))));
        return Math.Clamp(best, rate, 1);
    }

    private static List<(double Epsilon, double Delta)> Curve(PrivacyEvent happened, PrivacyUnit? unit)
    {
        var highest = PldAccountant.Epsilon(happened, 1e-8, 1e-3, unit).Upper;
        if (!double.IsFinite(highest))
            highest = 10;
        return [.. Enumerable.Range(0, Points + 1).Select(i => highest * i / Points).Select(epsilon => (epsilon, PldAccountant.Delta(happened, epsilon, unit).Upper))];
    }
}
