namespace Bulwark.Privacy.Accounting;

/// <summary>
/// The worst pair of output distributions of a mechanism: Q without the record, P₀ with it.
/// Outputs are points of mass, each with log(P₀/Q), and at most one continuous piece on which that log-ratio increases.
/// </summary>
internal abstract class MechanismPair
{
    /// <summary>Mass under Q, and log(P₀/Q) there.</summary>
    internal IReadOnlyList<(double Mass, double LogRatio)> Atoms { get; private protected init; } = [];

    /// <summary>Mass of P₀ where Q has none.</summary>
    internal double Infinity { get; private protected init; }

    /// <summary>The continuous piece runs from here (empty when both ends agree) …</summary>
    internal double From { get; private protected init; }

    /// <summary>… to here; what lies outside has at most <see cref="Tail"/> of the mass, under Q and under P₀.</summary>
    internal double To { get; private protected init; }

    internal double Tail { get; private protected init; }

    /// <summary>A quadrature panel of this width is exact to rounding.</summary>
    internal double Panel { get; private protected init; } = 1;

    /// <summary>Log density under Q at <paramref name="x"/>.</summary>
    internal virtual double LogDensity(double x) => double.NegativeInfinity;

    internal virtual double LogRatio(double x) => 0;

    /// <summary>Where the log-ratio takes a value; may lie outside the piece.</summary>
    internal virtual double Inverse(double logRatio) => 0;

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

    /// <summary>The t of <see cref="Mix"/>; −∞ below its range.</summary>
    internal static double Unmix(double q, double loss)
    {
        if (q == 1)
            return loss;
        if (loss > 30)
            return loss - Math.Log(q) + Precise.Log1p((q - 1) * Math.Exp(-loss));
        var ratio = Precise.Expm1(loss) / q;
        return ratio > -1 ? Precise.Log1p(ratio) : double.NegativeInfinity;
    }

    private sealed class GaussianPair : MechanismPair
    {
        private const double Reach = 10.6;   // beyond it 1.6e-26 of the mass
        private readonly double _sigma;

        internal GaussianPair(double sigma)
        {
            _sigma = sigma;
            (From, To) = (-Reach * sigma, 1 + (Reach * sigma));
            Tail = 2e-26;
            Panel = Math.Min(0.5 * sigma, sigma * sigma);
        }

        internal override double LogDensity(double x) => Normal.LogDensity(x / _sigma) - Math.Log(_sigma);

        internal override double LogRatio(double x) => ((2 * x) - 1) / (2 * _sigma * _sigma);

        internal override double Inverse(double logRatio) => (_sigma * _sigma * logRatio) + 0.5;
    }

    private sealed class LaplacePair : MechanismPair
    {
        private readonly double _scale;

        internal LaplacePair(double scale)
        {
            _scale = scale;
            Atoms = [(0.5, -1 / scale), (0.5 * Math.Exp(-1 / scale), 1 / scale)];
            (From, To) = (0, 1);
            Panel = Math.Min(0.25, scale * 0.5);
        }

        internal override double LogDensity(double x) => (-x / _scale) - Math.Log(2 * _scale);

        internal override double LogRatio(double x) => ((2 * x) - 1) / _scale;

        internal override double Inverse(double logRatio) => ((_scale * logRatio) + 1) / 2;
    }

    private sealed class DiscretePair : MechanismPair
    {
        internal static DiscretePair Laplace(double parameter, int sensitivity)
        {
            var zero = Math.Tanh(parameter / 2);   // mass at 0: (1−e^−a)/(1+e^−a)
            var atoms = new List<(double, double)> { (1 / (1 + Math.Exp(-parameter)), -parameter * sensitivity) };
            for (var k = 1; k < sensitivity; k++)
                atoms.Add((zero * Math.Exp(-parameter * k), parameter * ((2 * k) - sensitivity)));
            atoms.Add((Math.Exp(-parameter * sensitivity) / (1 + Math.Exp(-parameter)), parameter * sensitivity));
            return new DiscretePair { Atoms = atoms };
        }

        internal static DiscretePair Gaussian(double sigma, int sensitivity)
        {
            var reach = (int)Math.Ceiling((11 * sigma) + sensitivity + 2);
            var weights = Enumerable.Range(-reach, (2 * reach) + 1).Select(k => Math.Exp(-0.5 * k * k / (sigma * sigma))).ToArray();
            var total = weights.Sum();
            return new DiscretePair
            {
                Atoms = [.. weights.Select((weight, i) => (weight / total, sensitivity * ((2.0 * (i - reach)) - sensitivity) / (2 * sigma * sigma)))],
                Tail = 2e-26,
            };
        }

        internal static DiscretePair RandomizedResponse(double noise, int buckets)
        {
            var wrong = noise / buckets;
            var right = 1 - noise + wrong;
            var loss = Math.Log(right / wrong);
            return new DiscretePair { Atoms = [(right, -loss), (wrong, loss), .. buckets > 2 ? new[] { ((buckets - 2) * wrong, 0.0) } : []] };
        }

        internal static DiscretePair EpsilonDelta(double epsilon, double delta) => new()
        {
            Atoms = [((1 - delta) / (1 + Math.Exp(-epsilon)), -epsilon), ((1 - delta) / (1 + Math.Exp(epsilon)), epsilon)],
            Infinity = delta,
        };
    }
}
