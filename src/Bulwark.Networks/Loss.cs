namespace Bulwark.Networks;

/// <summary>What one row's logits cost against its label; attacks climb it, training descends it.</summary>
public enum Loss
{
    /// <summary>Log loss of one logit z for a label of 0 or 1: log(1 + exp(-z)) or log(1 + exp(z)). One output only.</summary>
    Logistic,

    /// <summary>Cross entropy of the softmax over K of at least 2 logits.</summary>
    SoftmaxCrossEntropy,

    /// <summary>Largest wrong logit minus the right one; above 0 exactly when the row is misclassified. With one logit z: -z for label 1, z for label 0.</summary>
    Margin,

    /// <summary>
    /// Difference of logits ratio, -(z_y - max wrong) / (z_(1) - z_(3) + 1e-12): free of the logits' scale; at least 3 logits.
    /// Source: Croce and Hein, "Reliable evaluation of adversarial robustness", ICML 2020, equation 6 (arXiv:2003.01690).
    /// </summary>
    Dlr,
}
