namespace Bulwark.Networks;

/// <summary>Moves parameters against a gradient; keeps what it must remember between steps.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
public interface IOptimizer<T>
{
    /// <summary>One step.</summary>
    /// <param name="parameters">Changed in place; the same length at every step.</param>
    /// <param name="gradient">As long as <paramref name="parameters"/>.</param>
    /// <param name="rate">Learning rate of this step; finite and at least 0.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    void Step(Span<T> parameters, ReadOnlySpan<T> gradient, T rate);
}
