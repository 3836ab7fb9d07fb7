namespace Bulwark.Networks;

/// <summary>How a row's gradient is shortened to a norm C.</summary>
public enum ClippingStyle
{
    /// <summary>The whole gradient, by min(1, C / length).</summary>
    Flat = 0,

    /// <summary>Each of L layers' part by itself, to C / √L: together they are no longer than C.</summary>
    PerLayer,

    /// <summary>
    /// Every gradient to almost C, short ones too, by C / (length + 0.01): there is no norm to tune. C then only scales the steps.
    /// Source: Bu et al., "Automatic Clipping", NeurIPS 2023, AUTO-S (arXiv:2206.07136).
    /// </summary>
    Automatic,
}
