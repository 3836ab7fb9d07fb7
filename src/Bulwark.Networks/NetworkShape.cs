namespace Bulwark.Networks;

/// <summary>A feed-forward network: <paramref name="Inputs"/> numbers, convolutions where there are any, rectified hidden layers, <paramref name="Outputs"/> logits.</summary>
/// <param name="Inputs">Width of one input row; above 0.</param>
/// <param name="Hidden">Widths of the hidden layers in order, each above 0; empty makes a linear model (logistic or softmax regression).</param>
/// <param name="Outputs">Number of logits: 1 for a binary decision by the logistic function, K of at least 2 for softmax over K classes.</param>
public sealed record NetworkShape(int Inputs, IReadOnlyList<int> Hidden, int Outputs)
{
    /// <summary>Convolutions in front of the dense layers; null when the dense layers read the inputs.</summary>
    public ConvolutionStack? Convolutions { get; init; }

    /// <summary>The shape of a network on images.</summary>
    /// <param name="convolutions">What reads the image.</param>
    /// <param name="hidden">Widths of the dense hidden layers.</param>
    /// <param name="outputs">Number of logits.</param>
    public static NetworkShape OfImages(ConvolutionStack convolutions, IReadOnlyList<int> hidden, int outputs)
    {
        ArgumentNullException.ThrowIfNull(convolutions);
        return new(convolutions.Image.Values, hidden, outputs) { Convolutions = convolutions };
    }

    /// <summary>Number of dense weight matrices: hidden layers and the output layer.</summary>
    public int Layers => Hidden.Count + 1;

    /// <summary>Number of classes that the logits decide between: 2 for one logit.</summary>
    public int Classes => Outputs == 1 ? 2 : Outputs;

    /// <summary>Number of weights and biases.</summary>
    public int ParameterCount =>
        checked((Convolutions?.ParameterCount ?? 0) + Enumerable.Range(0, Layers).Sum(layer => checked((LayerInputs(layer) + 1) * LayerOutputs(layer))));

    /// <summary>Width of what dense layer <paramref name="layer"/> reads.</summary>
    /// <param name="layer">From 0.</param>
    public int LayerInputs(int layer) => layer == 0 ? Convolutions?.Features ?? Inputs : Hidden[layer - 1];

    /// <summary>Width of what layer <paramref name="layer"/> writes.</summary>
    /// <param name="layer">From 0.</param>
    public int LayerOutputs(int layer) => layer == Hidden.Count ? Outputs : Hidden[layer];

    /// <summary>Every fault, so that one edit mends them all; empty when the shape is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Inputs < 1)
            yield return $"{nameof(Inputs)} is {Inputs}; it must be above 0.";
        if (Outputs < 1)
            yield return $"{nameof(Outputs)} is {Outputs}; it must be above 0.";
        for (var layer = 0; layer < Hidden.Count; layer++)
        {
            if (Hidden[layer] < 1)
                yield return $"Hidden layer {layer} has width {Hidden[layer]}; it must be above 0.";
        }

        if (Convolutions is null)
            yield break;
        foreach (var fault in Convolutions.Faults())
            yield return fault;
        if (Inputs != Convolutions.Image.Values)
            yield return $"{nameof(Inputs)} is {Inputs}; an image {Convolutions.Image} has {Convolutions.Image.Values} values.";
    }

    /// <summary>Two shapes are equal when all their widths and convolutions are.</summary>
    /// <param name="other">The other shape.</param>
    public bool Equals(NetworkShape? other) =>
        other is not null && Inputs == other.Inputs && Outputs == other.Outputs && Equals(Convolutions, other.Convolutions) && Hidden.SequenceEqual(other.Hidden);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Inputs);
        foreach (var width in Hidden)
            hash.Add(width);
        hash.Add(Outputs);
        hash.Add(Convolutions);
        return hash.ToHashCode();
    }

    /// <summary>The widths with dashes: <c>30-128-128-2</c>; with convolutions <c>1x28x28-c16k4s2p1-100-10</c>.</summary>
    public override string ToString() => Convolutions is null
        ? string.Join('-', Hidden.Prepend(Inputs).Append(Outputs))
        : $"{Convolutions}-{string.Join('-', Hidden.Append(Outputs))}";
}
