namespace Bulwark.Assurance;

/// <summary>How far a perturbed row may lie from its original.</summary>
public enum PerturbationNorm
{
    /// <summary>Largest change of any one value.</summary>
    Linf,

    /// <summary>Euclidean length of the change.</summary>
    L2,

    /// <summary>Sum of the absolute changes.</summary>
    L1,
}
