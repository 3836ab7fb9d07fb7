using System.Numerics;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>One step of length epsilon against the gradient's sign.</summary>
/// <remarks>Source: Goodfellow et al., "Explaining and Harnessing Adversarial Examples", ICLR 2015, section 4 (arXiv:1412.6572). The cheapest attack and a weak one: an upper bound of robustness.</remarks>
public static class FastGradientSign
{
    /// <summary>Perturbs each row of encoded inputs towards a higher log loss.</summary>
    /// <param name="network">The network under attack.</param>
    /// <param name="inputs">Shape (rows, Inputs), values in [0, 1].</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="epsilon">Largest change of a value; at least 0.</param>
    /// <param name="mutable">Shape (Inputs): which values may move; empty for all.</param>
    /// <param name="adversarial">Shape (rows, Inputs); overwritten.</param>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public static void Run<T>(DenseNetwork<T> network, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, T epsilon, ReadOnlySpan<bool> mutable, Span<T> adversarial)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        new ProjectedGradientDescent
        {
            Norm = PerturbationNorm.Linf,
            Epsilon = double.CreateTruncating(epsilon),
            StepSize = double.CreateTruncating(epsilon),
            Steps = 1,
        }.Run(network, inputs, labels, mutable, adversarial);
    }
}
