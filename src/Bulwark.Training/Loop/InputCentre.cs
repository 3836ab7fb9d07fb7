using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>
/// Quantities seen from the middle of their declared range, as 2x − 1: rows get shorter, so that clipping leaves more of their gradients. The middle is declared, so it costs
/// nothing; afterwards it is folded into the first layer, and the network takes values in [0, 1] like any other.
/// </summary>
internal sealed class InputCentre
{
    private readonly float[] _scale;
    private readonly float[] _shift;

    private InputCentre(IReadOnlyList<bool> quantities)
    {
        _scale = [.. quantities.Select(quantity => quantity ? 2f : 1f)];
        _shift = [.. quantities.Select(quantity => quantity ? -1f : 0f)];
    }

    internal static InputCentre? Of(EncodedDataset data) => data.Quantities.Contains(true) ? new(data.Quantities) : null;

    internal void Apply(ReadOnlySpan<float> row, Span<float> centred) => TensorPrimitives.MultiplyAdd(row, _scale, _shift, centred);

    internal void Fold(DenseNetwork<float> network)
    {
        var weights = network.Weights(0);
        var biases = network.Biases(0);
        for (var input = 0; input < _scale.Length; input++)
        {
            var outgoing = weights.Slice(input * biases.Length, biases.Length);
            TensorPrimitives.MultiplyAdd(outgoing, _shift[input], biases, biases);
            TensorPrimitives.Multiply(outgoing, _scale[input], outgoing);
        }
    }
}
