using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>What a regression by objective perturbation releases, fixed by its options alone: the perturbed minimum, and the noise that hides how nearly it was reached.</summary>
/// <remarks>
/// A row's loss is ℓ(x·θ), its gradient at most L = w·R long and always the same way along x (a logistic loss of one label falls everywhere or rises everywhere), its curvature
/// at most L·R/4. With N(0, σ²I) times θ and λ/2·‖θ‖² added to the summed losses, the minimum's density changes with one row by a Jacobian of at most 1 + L·R/(4λ) and by
/// the ratio of two normal densities whose centres lie c·L apart, 0 ≤ c ≤ 1, so that ε = ln(1 + L·R/(4λ)) + ε of a Gaussian mechanism with multiplier σ/L, at the
/// same δ; docs/privacy.md has the proof. Sources: Chaudhuri, Monteleoni, Sarwate, JMLR 2011 (the method; its constants are not used); Iyengar et al., IEEE S&amp;P 2019,
/// Algorithm 1 (approximate minima); Redberg, Koskela, Wang, NeurIPS 2023 (Gaussian noise).
/// </remarks>
/// <param name="Noise">σ/L.</param>
/// <param name="Jacobian">ln(1 + L·R/(4λ)).</param>
/// <param name="Event">What is booked.</param>
internal sealed record ObjectivePlan(double Noise, double Jacobian, PrivacyEvent Event)
{
    /// <summary>Multiplier of the noise on the minimum that was found: so wide that it costs next to nothing, and next to nothing wide, for the minimum is found nearly.</summary>
    internal const double FoundNoise = 1000;

    /// <summary>Share of ε that the regulariser's strength is chosen by.</summary>
    private const double JacobianShare = 0.15;

    internal static ObjectivePlan Of(TrainingOptions options)
    {
        var settings = options.Private!;
        var jacobian = JacobianShare * settings.Epsilon;
        PrivacyEvent Released(double noise) => new ComposedEvent(
            [new EpsilonDeltaEvent(Math.BitIncrement(jacobian + GaussianMechanism.Epsilon(noise, settings.Delta / 2)), settings.Delta / 2), new GaussianEvent(FoundNoise)]);
        var noise = Calibration.NoiseMultiplier(
            candidate => settings.Also is null ? Released(candidate) : new ComposedEvent([settings.Also, Released(candidate)]), new PrivacyBudget(settings.Epsilon, settings.Delta));
        return new(noise, jacobian, Released(noise));
    }

    /// <summary>λ for rows of a length and losses of a weight.</summary>
    internal double Regularisation(double length, double weight) => weight * length * length / (4 * (Math.Exp(Jacobian) - 1)) * (1 + 1e-9);
}
