namespace Bulwark.Privacy.Accounting;

/// <summary>
/// The worst pair of output distributions of a mechanism: Q without the record, P₀ with it.
/// Outputs are points of mass, each with log(P₀/Q), and at most one continuous piece on which that log-ratio increases.
/// </summary>
internal abstract class MechanismPair
{
    /// <summary>Log of the mass under Q, which may underflow where P₀ has all of its mass, and log(P₀/Q) there.</summary>
    internal IReadOnlyList<(double LogMass, double LogRatio)> Atoms { get; private protected init; } = [];

    /// <summary>Mass of P₀ where Q has none.</summary>
    internal double Infinity { get; private protected init; }

    /// <summary>Intervals that hold the continuous piece, in order; what lies outside has at most <see cref="Tail"/> of the mass, under Q and under P₀.</summary>
    internal IReadOnlyList<(double From, double To)> Regions { get; private protected init; } = [];

    internal double Tail { get; private protected init; }

    /// <summary>Widest stretch on which the densities are smooth enough for one quadrature panel.</summary>
    internal double Panel { get; private protected init; } = 1;

    /// <summary>Swapping P₀ and Q gives the same losses.</summary>
    internal virtual bool IsSymmetric => true;

    /// <summary>Log density under Q at <paramref name="x"/>.</summary>
    internal virtual double LogDensity(double x) => double.NegativeInfinity;

    internal virtual double LogRatio(double x) => 0;

    internal static MechanismPair Of(Release release) => release.Group > 1
        ? new GroupPair(((GaussianEvent)release.Mechanism).NoiseMultiplier, release.SamplingProbability, release.Group)
        : Of(release.Mechanism);

    internal static MechanismPair Of(PrivacyEvent mechanism) => mechanism switch
    {
        GaussianEvent gaussian => new GaussianPair(gaussian.NoiseMultiplier),
        LaplaceEvent laplace => new LaplacePair(laplace.NoiseMultiplier),
        DiscreteLaplaceEvent discrete => DiscretePair.Laplace(discrete.Parameter, discrete.Sensitivity),
        DiscreteGaussianEvent discrete => DiscretePair.Gaussian(discrete.Sigma, discrete.Sensitivity),
        RandomizedResponseEvent response => DiscretePair.RandomizedResponse(response.NoiseParameter, response.Buckets),
        EpsilonDeltaEvent pure => DiscretePair.EpsilonDelta(pure.Epsilon, pure.Delta),
        ExponentialEvent exponential => DiscretePair.EpsilonDelta(exponential.Epsilon, 0),
        _ => throw new NotSupportedException($"The PLD accountant does not know {mechanism.GetType().Name}."),
    };

    /// <summary>log(1−q+q·eᵗ) without cancellation.</summary>
    internal static double Mix(double q, double t) =>
        q == 1 ? t : t > 30 ? t + Math.Log(q) + Precise.Log1p((1 - q) / q * Math.Exp(-t)) : Precise.Log1p(q * Precise.Expm1(t));

    /// <summary>Overlapping stretches are joined.</summary>
    private static List<(double From, double To)> Join(IEnumerable<(double From, double To)> stretches)
    {
        var joined = new List<(double From, double To)>();
        foreach (var stretch in stretches.OrderBy(stretch => stretch.From))
        {
            if (joined.Count > 0 && stretch.From <= joined[^1].To)
                joined[^1] = (joined[^1].From, Math.Max(joined[^1].To, stretch.To));
            else
                joined.Add(stretch);
        }

        return joined;
    }

    private sealed class GaussianPair : MechanismPair
    {
        internal const double Reach = 10.6;   // beyond it 1.6e-26 of the mass
        private readonly double _sigma;

        internal GaussianPair(double sigma)
        {
            _sigma = sigma;
            Regions = Join([(-Reach * sigma, Reach * sigma), (1 - (Reach * sigma), 1 + (Reach * sigma))]);
            Tail = 4e-26;
            Panel = 0.25 * sigma;
        }

        internal override double LogDensity(double x) => Normal.LogDensity(x / _sigma) - Math.Log(_sigma);

        internal override double LogRatio(double x) => ((2 * x) - 1) / (2 * _sigma * _sigma);
    }

    /// <summary>
    /// The Poisson-sampled Gaussian for a unit of several records, each sampled by itself: P is a mixture of normals with binomial weights.
    /// Ganesh, "Tight Group-Level DP Guarantees for DP-SGD with Sampling via Mixture of Gaussians Mechanisms" (arXiv:2401.10294), Theorem 3.1.
    /// </summary>
    private sealed class GroupPair : MechanismPair
    {
        private readonly double _sigma;
        private readonly List<(int Records, double Weight)> _parts = [];

        internal GroupPair(double sigma, double q, int group)
        {
            _sigma = sigma;
            var left = 0.0;
            var log = group * Precise.Log1p(-q);
            for (var j = 0; j <= group; j++)
            {
                var weight = Math.Exp(log);
                if (weight > 1e-28)
                    _parts.Add((j, weight));
                else
                    left += weight;
                log += Math.Log(group - j) - Math.Log(j + 1) + Math.Log(q) - Precise.Log1p(-q);
            }

            Regions = Join(_parts.Select(part => (part.Records - (GaussianPair.Reach * sigma), part.Records + (GaussianPair.Reach * sigma))));
            Tail = 4e-26 + left;
            Panel = 0.25 * sigma;
        }

        internal override bool IsSymmetric => false;

        internal override double LogDensity(double x) => Normal.LogDensity(x / _sigma) - Math.Log(_sigma);

        internal override double LogRatio(double x)
        {
            var (largest, small) = (0.0, 0.0);
            foreach (var (j, _) in _parts)
                largest = Math.Max(largest, Exponent(j, x));
            if (largest < 30)
            {
                foreach (var (j, weight) in _parts)
                    small += weight * Precise.Expm1(Exponent(j, x));
                return Precise.Log1p(small);
            }

            foreach (var (j, weight) in _parts)
                small += weight * Math.Exp(Exponent(j, x) - largest);
            return largest + Math.Log(small);
        }

        private double Exponent(int j, double x) => j * ((2 * x) - j) / (2 * _sigma * _sigma);
    }

    private sealed class LaplacePair : MechanismPair
    {
        private const double Log2 = 0.69314718055994530942;
        private readonly double _scale;

        internal LaplacePair(double scale)
        {
            _scale = scale;
            Atoms = [(-Log2, -1 / scale), (-Log2 - (1 / scale), 1 / scale)];
            Regions = [(0, 1)];
            Panel = Math.Min(0.05, scale * 0.25);
        }

        internal override double LogDensity(double x) => (-x / _scale) - Math.Log(2 * _scale);

        internal override double LogRatio(double x) => ((2 * x) - 1) / _scale;
    }

    private sealed class DiscretePair : MechanismPair
    {
        internal static DiscretePair Laplace(double parameter, int sensitivity)
        {
            if (sensitivity > 500_000)
                throw new NotSupportedException($"A sensitivity of {sensitivity} has too many points to be counted one by one.");
            var zero = Math.Log(Math.Tanh(parameter / 2));   // mass at 0: (1−e^−a)/(1+e^−a)
            var end = -Precise.Log1p(Math.Exp(-parameter));
            var atoms = new List<(double, double)> { (end, -parameter * sensitivity) };
            for (var k = 1; k < sensitivity; k++)
                atoms.Add((zero - (parameter * k), parameter * ((2.0 * k) - sensitivity)));
            atoms.Add((end - (parameter * sensitivity), parameter * sensitivity));
            return new DiscretePair { Atoms = atoms };
        }

        internal static DiscretePair Gaussian(double sigma, int sensitivity)
        {
            if (!((11 * sigma) + sensitivity < 250_000))
                throw new NotSupportedException($"A discrete Gaussian of sigma {sigma:g4} has too many points to be counted one by one: use a coarser grid.");
            var reach = (int)Math.Ceiling((11 * sigma) + sensitivity + 2);
            double LogWeight(int k) => -0.5 * k * (double)k / (sigma * sigma);
            var total = Math.Log(Enumerable.Range(-reach, (2 * reach) + 1).Sum(k => Math.Exp(LogWeight(k))));
            var atoms = Enumerable.Range(-reach, (2 * reach) + 1).Select(k => (LogMass: LogWeight(k) - total, LogRatio: sensitivity * ((2.0 * k) - sensitivity) / (2 * sigma * sigma)));
            return new DiscretePair
            {
                // Kept where either distribution has mass.
                Atoms = [.. atoms.Where(atom => atom.LogMass > -75 || atom.LogMass + atom.LogRatio > -75)],
                Tail = 2e-26,
            };
        }

        internal static DiscretePair RandomizedResponse(double noise, int buckets)
        {
            var wrong = noise / buckets;
            var right = 1 - noise + wrong;
            var loss = Math.Log(right / wrong);
            return new DiscretePair { Atoms = [(Math.Log(right), -loss), (Math.Log(wrong), loss), .. buckets > 2 ? new[] { (Math.Log((buckets - 2) * wrong), 0.0) } : []] };
        }

        internal static DiscretePair EpsilonDelta(double epsilon, double delta) => new()
        {
            Atoms = [(Precise.Log1p(-delta) - Precise.Log1p(Math.Exp(-epsilon)), -epsilon), (Precise.Log1p(-delta) - epsilon - Precise.Log1p(Math.Exp(-epsilon)), epsilon)],
            Infinity = delta,
        };
    }
}
