namespace Bulwark.Networks;

/// <summary>Convolutions in front of dense layers: each rectified, the last one's planes flattened in the order channel, row, column.</summary>
/// <param name="Image">What the first one reads.</param>
/// <param name="Layers">At least one.</param>
public sealed record ConvolutionStack(ImageShape Image, IReadOnlyList<Convolution> Layers)
{
    /// <summary>What layer <paramref name="layer"/> reads; for the number of layers, what the last one writes.</summary>
    /// <param name="layer">From 0.</param>
    public ImageShape LayerImage(int layer)
    {
        var image = Image;
        for (var i = 0; i < layer; i++)
            image = Layers[i].Of(image);
        return image;
    }

    /// <summary>Number of values that the last layer writes.</summary>
    public int Features => LayerImage(Layers.Count).Values;

    /// <summary>Number of weights and biases.</summary>
    public int ParameterCount => Enumerable.Range(0, Layers.Count).Sum(layer => checked(WeightCount(layer) + Layers[layer].Channels));

    /// <summary>Number of weights of one layer: (channels out, channels in, kernel, kernel).</summary>
    /// <param name="layer">From 0.</param>
    public int WeightCount(int layer) => checked(Layers[layer].Channels * LayerImage(layer).Channels * Layers[layer].Kernel * Layers[layer].Kernel);

    /// <summary>Every fault, so that one edit mends them all; empty when the stack is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Image.Channels < 1 || Image.Height < 1 || Image.Width < 1)
            yield return $"The image is {Image}; every size must be above 0.";
        if (Layers.Count == 0)
            yield return "There is no convolution.";
        for (var layer = 0; layer < Layers.Count; layer++)
        {
            var (channels, kernel, stride, padding) = Layers[layer];
            if (channels < 1 || kernel < 1 || stride < 1 || padding < 0 || stride > kernel || padding >= kernel)
            {
                yield return $"Convolution {layer} is {Layers[layer]}: channels, kernel and stride must be above 0, the stride at most the kernel, the padding at least 0 and below the kernel.";
                yield break;
            }

            if (LayerImage(layer + 1) is { } written && (written.Height < 1 || written.Width < 1))
            {
                yield return $"Convolution {layer}, {Layers[layer]}, leaves nothing of {LayerImage(layer)}.";
                yield break;
            }
        }
    }

    /// <summary>Two stacks are equal when image and layers are.</summary>
    /// <param name="other">The other stack.</param>
    public bool Equals(ConvolutionStack? other) => other is not null && Image == other.Image && Layers.SequenceEqual(other.Layers);

    /// <inheritdoc/>
    public override int GetHashCode() => Layers.Aggregate(Image.GetHashCode(), HashCode.Combine);

    /// <summary><c>1x28x28-c16k4s2p1-c32k4s2p1</c>.</summary>
    public override string ToString() => string.Join('-', Layers.Select(layer => layer.ToString()).Prepend(Image.ToString()));
}
