namespace Bulwark.Privacy.Accounting;

/// <summary>Rényi divergence of one release between neighbours that differ by one record: the larger of both directions.</summary>
internal static class RenyiDivergence
{
    internal static double Of(Release release, double order) => release switch
    {
        { Mechanism: GaussianEvent gaussian, SamplingProbability: 1 } => order / (2 * gaussian.NoiseMultiplier * gaussian.NoiseMultiplier),
        { Mechanism: GaussianEvent gaussian, SamplingProbability: var q } => SampledGaussian(q, gaussian.NoiseMultiplier, order),
        { SamplingProbability: < 1 } => throw new NotSupportedException($"The RDP accountant does not know {release.Mechanism.GetType().Name} under sampling; the PLD accountant does."),
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
        foreach (var (mass, loss) in MechanismPair.Of((PrivacyEvent)discrete).Atoms)
            moment = LogAdd(moment, Math.Log(mass) + (order * loss));
        return moment / (order - 1);
    }

    private static double SampledGaussian(double q, double sigma, double order) =>
        (order == Math.Floor(order) ? BinomialMoment(q, sigma, (int)order) : QuadratureMoment(q, sigma, order)) / (order - 1);

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
