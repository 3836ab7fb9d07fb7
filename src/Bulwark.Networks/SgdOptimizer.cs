using System.Numerics;
using System.Numerics.Tensors;
using Bulwark.Networks.Kernels;

namespace Bulwark.Networks;

/// <summary>Stochastic gradient descent with momentum: v = momentum · v + gradient; parameters -= rate · v.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
/// <remarks>Source: Sutskever et al., ICML 2013, in the form without dampening that PyTorch uses.</remarks>
public sealed class SgdOptimizer<T> : IOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] _velocity;
    private readonly T _momentum;

    /// <summary>An optimiser at rest.</summary>
    /// <param name="parameters">Number of parameters.</param>
    /// <param name="momentum">From 0 to below 1.</param>
    public SgdOptimizer(int parameters, double momentum = 0)
    {
        if (!(momentum >= 0 && momentum < 1))
            throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "Momentum must be at least 0 and below 1.");
        _velocity = new T[parameters];
        _momentum = T.CreateTruncating(momentum);
    }

    /// <inheritdoc/>
    public void Step(Span<T> parameters, ReadOnlySpan<T> gradient, T rate)
    {
        Fits.Length(parameters.Length, _velocity.Length, nameof(parameters));
        Fits.Length(gradient.Length, _velocity.Length, nameof(gradient));
        TensorPrimitives.MultiplyAdd<T>(_velocity, _momentum, gradient, _velocity);
        TensorPrimitives.MultiplyAdd<T>(_velocity, -rate, parameters, parameters);
    }
}
