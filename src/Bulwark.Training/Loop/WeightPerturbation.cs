using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>Moves each layer's weights where they cost the network most, by a share of their length, and back: what is learnt there lies on flatter ground.</summary>
/// <remarks>Source: Wu, Xia and Wang, "Adversarial Weight Perturbation Helps Robust Generalization", NeurIPS 2020, equations 7 to 10 (arXiv:2004.05884), one step; biases stay.</remarks>
internal sealed class WeightPerturbation(DenseNetwork<float> network, double share)
{
    private readonly float[] _before = new float[network.Parameters.Length];

    /// <summary>Moves the weights along <paramref name="gradient"/>, the loss's by the parameters.</summary>
    internal void Push(ReadOnlySpan<float> gradient)
    {
        var parameters = network.Parameters;
        parameters.CopyTo(_before);
        var at = 0;
        foreach (var (weights, biases) in Layers())
        {
            var layer = parameters.Slice(at, weights);
            var slopes = gradient.Slice(at, weights);
            var length = TensorPrimitives.Norm(slopes);
            if (length > 0 && float.IsFinite(length))
                TensorPrimitives.MultiplyAdd(slopes, (float)(share * TensorPrimitives.Norm<float>(layer) / length), layer, layer);
            at += weights + biases;
        }
    }

    /// <summary>The weights as they were.</summary>
    internal void Restore() => _before.CopyTo(network.Parameters);

    private IEnumerable<(int Weights, int Biases)> Layers()
    {
        var shape = network.Shape;
        for (var layer = 0; layer < (shape.Convolutions?.Layers.Count ?? 0); layer++)
            yield return (shape.Convolutions!.WeightCount(layer), shape.Convolutions.Layers[layer].Channels);
        for (var layer = 0; layer < shape.Layers; layer++)
            yield return (shape.LayerInputs(layer) * shape.LayerOutputs(layer), shape.LayerOutputs(layer));
    }
}
