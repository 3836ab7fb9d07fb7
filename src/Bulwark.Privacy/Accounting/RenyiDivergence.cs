namespace Bulwark.Privacy.Accounting;

/// <summary>Rényi divergence of one release between neighbours that differ by one record: the larger of both directions.</summary>
internal static class RenyiDivergence
{
    internal static double Of(Release release, double order, RenyiSeries series) => release switch
    {
        { Mechanism: GaussianEvent gaussian, SamplingProbability: 1 } => order / (2 * gaussian.NoiseMultiplier * gaussian.NoiseMultiplier),
        { FixedSize: true } or { Group: > 1 } => LossMoment(release, order),
        { Mechanism: GaussianEvent gaussian, SamplingProbability: var q } => SampledGaussian(q, gaussian.NoiseMultiplier, order, series),
        { SamplingProbability: < 1 } => LossMoment(release, order),
        { Mechanism: LaplaceEvent laplace } => Laplace(1 / laplace.NoiseMultiplier, order),
        // Canonne, Kamath, Steinke, Theorem 4: concentrated like the continuous one.
        { Mechanism: DiscreteGaussianEvent discrete } => order * discrete.Sensitivity * discrete.Sensitivity / (2 * discrete.Sigma * discrete.Sigma),
        { Mechanism: EpsilonDeltaEvent pure } => PureEpsilon(pure.Epsilon, order),
        { Mechanism: RandomizedResponseEvent response } => RandomizedResponse(response, order),
        // Cesar, Rogers, "Bounding, Concentrating, and Truncating", Lemma 3.2 (arXiv:2004.07223): range ε is ε²/8-zCDP.
        { Mechanism: ExponentialEvent exponential } => Math.Min(order * exponential.Epsilon * exponential.Epsilon / 8, PureEpsilon(exponential.Epsilon, order)),
        { Mechanism: DiscreteLaplaceEvent discrete } => DiscreteLaplace(discrete, order),
        _ => throw new NotSupportedException($"The RDP accountant does not know {release.Mechanism.GetType().Name}."),
    };

    /// <summary>
    /// Papernot, Steinke 2022 (arXiv:2110.03620), Theorem 2, with the best order λ̂ for its second term:
    /// ε(λ) + (1+η)(1 − 1/λ̂)·ε(λ̂) + (1+η)·log(1/γ)/λ̂ + log E[K]/(λ − 1).
    /// </summary>
    internal static double[] Selection(RepeatAndSelectEvent selection, IReadOnlyList<double> orders, double[] run)
    {
        var count = new RunCount(selection.Mean, selection.Shape);
        if (count.Mean == 1)
            return run;
        var second = orders.Select((order, i) => (1 + selection.Shape) * (((1 - (1 / order)) * run[i]) + (Math.Log(1 / count.Gamma) / order))).Min();
        return [.. orders.Select((order, i) => run[i] + second + (Math.Log(count.Mean) / (order - 1)))];
    }

    /// <summary>The larger of both directions, by quadrature over the losses of the worst pair of distributions; the tails that it does not see are charged at their largest loss.</summary>
    private static double LossMoment(Release release, double order)
    {
        var largest = 0.0;
        foreach (var adding in release.FixedSize ? new[] { false } : [false, true])
        {
            var losses = new LossDistribution(release, adding);
            var (masses, values) = losses.Samples();
            if (losses.Infinity > 0)
                return double.PositiveInfinity;
            var sum = double.NegativeInfinity;
            var (positive, total) = (0.0, 0.0);
            for (var i = 0; i < masses.Length; i++)
            {
                if (!release.FixedSize)
                {
                    sum = LogAdd(sum, Math.Log(masses[i]) + ((order - 1) * values[i]));
                }
                else if (values[i] > 0)
                {
                    // A positive loss l with mass p also occurs as −l with mass p·e^−l; the rest loses nothing.
                    sum = LogAdd(sum, Math.Log(masses[i]) + ((order - 1) * values[i]));
                    sum = LogAdd(sum, Math.Log(masses[i]) - (order * values[i]));
                    (positive, total) = (positive + masses[i], total + (masses[i] * Math.Exp(-values[i])));
                }
            }

            if (release.FixedSize && positive + total < 1)
                sum = LogAdd(sum, Math.Log(1 - positive - total));
            if (losses.Tail > 0)
                sum = LogAdd(sum, Math.Log(losses.Tail) + ((order - 1) * (values.Max() + 1)));
            largest = Math.Max(largest, sum / (order - 1));
        }

        return largest;
    }

    /// <summary>Mironov 2017, Table II.</summary>
    private static double Laplace(double epsilon, double order) => LogAdd(
        Math.Log(order / ((2 * order) - 1)) + ((order - 1) * epsilon),
        Math.Log((order - 1) / ((2 * order) - 1)) - (order * epsilon)) / (order - 1);

    /// <summary>Randomized response is the worst ε-private mechanism (Kairouz, Oh, Viswanath 2015).</summary>
    private static double PureEpsilon(double epsilon, double order) =>
        (LogAdd(order * epsilon, (1 - order) * epsilon) - Math.Log(1 + Math.Exp(epsilon))) / (order - 1);

    private static double RandomizedResponse(RandomizedResponseEvent response, double order)
    {
        var wrong = response.NoiseParameter / response.Buckets;
        var right = 1 - response.NoiseParameter + wrong;
        var epsilon = Math.Log(right / wrong);
        var moment = LogAdd(Math.Log(right) + ((order - 1) * epsilon), Math.Log(wrong) - ((order - 1) * epsilon));
        var equal = (response.Buckets - 2) * wrong;
        return (equal > 0 ? LogAdd(moment, Math.Log(equal)) : moment) / (order - 1);
    }

    private static double DiscreteLaplace(DiscreteLaplaceEvent discrete, double order)
    {
        var moment = double.NegativeInfinity;
        foreach (var (logMass, loss) in MechanismPair.Of((PrivacyEvent)discrete).Atoms)
            moment = LogAdd(moment, logMass + (order * loss));
        return moment / (order - 1);
    }

    private static double SampledGaussian(double q, double sigma, double order, RenyiSeries series) =>
        (order == Math.Floor(order) ? BinomialMoment(q, sigma, (int)order)
            : series == RenyiSeries.Exact ? QuadratureMoment(q, sigma, order)
            : AbsoluteSeries(q, sigma, order) ?? QuadratureMoment(q, sigma, order)) / (order - 1);

    /// <summary>
    /// The two alternating series of Mironov, Talwar, Zhang 2019, section 3.3, for a fractional order, their terms added without their signs:
    /// an upper bound, up to 1 % above, and the convention of published figures. Null where it does not converge in 1000 terms.
    /// </summary>
    private static double? AbsoluteSeries(double q, double sigma, double order)
    {
        var turn = (sigma * sigma * Math.Log((1 / q) - 1)) + 0.5;
        var (total, lastLeft, lastRight) = (double.NegativeInfinity, double.PositiveInfinity, double.PositiveInfinity);
        var (logQ, logRest, logBinomial) = (Math.Log(q), Precise.Log1p(-q), 0.0);
        for (var i = 0; i < 1000; i++)
        {
            var j = order - i;
            var left = logBinomial + (i * logQ) + (j * logRest) + (((double)i * (i - 1)) / (2 * sigma * sigma)) + Normal.LogAbove((i - turn) / sigma);
            var right = logBinomial + (j * logQ) + (i * logRest) + (j * (j - 1) / (2 * sigma * sigma)) + Normal.LogAbove((turn - j) / sigma);
            total = LogAdd(LogAdd(total, left), right);
            if (left < lastLeft && right < lastRight && Math.Max(left, right) < total - 30)
                return total;
            (lastLeft, lastRight) = (left, right);
            logBinomial += Math.Log(Math.Abs(order - i)) - Math.Log(i + 1);
        }

        return null;
    }

    /// <summary>log of Σ C(α,k) (1−q)^(α−k) q^k exp(k(k−1)/2σ²): Mironov, Talwar, Zhang, section 3.3.</summary>
    private static double BinomialMoment(double q, double sigma, int order)
    {
        var sum = double.NegativeInfinity;
        var logBinomial = 0.0;
        for (var k = 0; k <= order; k++)
        {
            sum = LogAdd(sum, logBinomial + (k * Math.Log(q)) + ((order - k) * Math.Log(1 - q)) + ((double)k * (k - 1) / (2 * sigma * sigma)));
            logBinomial += Math.Log(order - k) - Math.Log(k + 1);
        }

        return sum;
    }

    /// <summary>
    /// log of E[(1−q+q·exp((2z−1)/2σ²))^α], z ~ N(0,σ²), by the trapezoidal rule, which converges geometrically:
    /// the integrand is analytic in a strip of half-width πσ² and decays like a normal density around z = 0 and z = α.
    /// </summary>
    private static double QuadratureMoment(double q, double sigma, double order)
    {
        var step = Math.Min(sigma / 16, Math.PI * Math.PI * sigma * sigma / 20);
        var (low, high) = (-14 * sigma, order + (14 * sigma));
        var sum = double.NegativeInfinity;
        for (var z = low; z <= high; z += step)
            sum = LogAdd(sum, Normal.LogDensity(z / sigma) + (order * MechanismPair.Mix(q, ((2 * z) - 1) / (2 * sigma * sigma))));
        return sum + Math.Log(step / sigma);
    }

    private static double LogAdd(double a, double b) =>
        a == double.NegativeInfinity ? b
        : b == double.NegativeInfinity ? a
        : Math.Max(a, b) + Math.Log(1 + Math.Exp(-Math.Abs(a - b)));
}
