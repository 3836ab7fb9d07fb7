namespace Bulwark.Privacy;

/// <summary>A pair (ε, δ): what was spent, or what may be.</summary>
/// <param name="Epsilon">ε, at least 0.</param>
/// <param name="Delta">δ, from 0 to below 1.</param>
public readonly record struct PrivacyBudget(double Epsilon, double Delta)
{
    /// <summary>Every fault; empty when this is a budget that means something.</summary>
    public IEnumerable<string> Faults()
    {
        if (!(Epsilon > 0) || !double.IsFinite(Epsilon))
            yield return $"{nameof(Epsilon)} is {Epsilon}; it must be finite and above 0.";
        if (!(Delta > 0 && Delta < 1))
            yield return $"{nameof(Delta)} is {Delta}; it must be above 0 and below 1.";
    }
}

/// <summary>An interval that certainly holds the true ε.</summary>
/// <param name="Lower">The true ε is not below this.</param>
/// <param name="Upper">The true ε is not above this: the guarantee to publish.</param>
public readonly record struct EpsilonBounds(double Lower, double Upper);

/// <summary>An interval that certainly holds the true δ.</summary>
/// <param name="Lower">The true δ is not below this.</param>
/// <param name="Upper">The true δ is not above this.</param>
public readonly record struct DeltaBounds(double Lower, double Upper);
