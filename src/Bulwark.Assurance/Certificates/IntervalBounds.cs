using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>Proof that no change of at most so much in each value alters a dense network's decision: intervals carried through its layers.</summary>
/// <remarks>
/// Source: Gowal et al., "On the Effectiveness of Interval Bound Propagation for Training Verifiably Robust Models", 2018, section 3 (arXiv:1810.12715). Sound, not complete:
/// an unproven row may be safe. Computed in double precision; the proof is of the network in real numbers, up to rounding of about 1e-12.
/// </remarks>
public static class IntervalBounds
{
    /// <summary>A lower bound of the right logit minus the best wrong one, over all inputs within the ball and [0, 1]; above 0 the decision is proven. With one logit z: z for label 1, −z for 0.</summary>
    /// <param name="network">Dense layers only.</param>
    /// <param name="row">Shape (Inputs), values in [0, 1].</param>
    /// <param name="label">The class.</param>
    /// <param name="epsilon">Largest change of a value; at least 0.</param>
    /// <param name="mutable">Which values may move; empty for all.</param>
    /// <exception cref="NotSupportedException">The network has convolutions.</exception>
    public static double Margin(DenseNetwork<double> network, ReadOnlySpan<double> row, int label, double epsilon, ReadOnlySpan<bool> mutable = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        var shape = network.Shape;
        if (shape.Convolutions is not null)
            throw new NotSupportedException("Interval bounds are built for dense layers.");
        if (row.Length != shape.Inputs || (!mutable.IsEmpty && mutable.Length != shape.Inputs) || (uint)label >= (uint)shape.Classes)
            throw new ArgumentException($"{row.Length} values, {mutable.Length} mutable flags or the label {label} do not fit {shape}.", nameof(row));
        var (low, high) = (new double[row.Length], new double[row.Length]);
        for (var i = 0; i < row.Length; i++)
        {
            var reach = mutable.IsEmpty || mutable[i] ? epsilon : 0;
            (low[i], high[i]) = (double.Max(double.Min(row[i], 0), row[i] - reach), double.Min(double.Max(row[i], 1), row[i] + reach));
        }

        for (var layer = 0; layer < shape.Layers - 1; layer++)
            (low, high) = Through(network, layer, low, high);
        return Last(network, low, high, label);
    }

    private static (double[] Low, double[] High) Through(DenseNetwork<double> network, int layer, double[] low, double[] high)
    {
        var outputs = network.Shape.LayerOutputs(layer);
        var (below, above) = (network.Biases(layer).ToArray(), network.Biases(layer).ToArray());
        var weights = network.Weights(layer);
        for (var i = 0; i < low.Length; i++)
        {
            for (var o = 0; o < outputs; o++)
            {
                var weight = weights[(i * outputs) + o];
                below[o] += weight * (weight >= 0 ? low[i] : high[i]);
                above[o] += weight * (weight >= 0 ? high[i] : low[i]);
            }
        }

        for (var o = 0; o < outputs; o++)
            (below[o], above[o]) = (double.Max(below[o], 0), double.Max(above[o], 0));
        return (below, above);
    }

    /// <summary>Differences of logits are bounded as one layer: tighter than the difference of bounds.</summary>
    private static double Last(DenseNetwork<double> network, double[] low, double[] high, int label)
    {
        var layer = network.Shape.Layers - 1;
        var (outputs, weights, biases) = (network.Shape.Outputs, network.Weights(layer).ToArray(), network.Biases(layer).ToArray());
        if (outputs == 1)
            return Difference(i => label == 1 ? weights[i] : -weights[i], label == 1 ? biases[0] : -biases[0]);
        var least = double.PositiveInfinity;
        for (var other = 0; other < outputs; other++)
        {
            var rival = other;
            if (rival != label)
                least = double.Min(least, Difference(i => weights[(i * outputs) + label] - weights[(i * outputs) + rival], biases[label] - biases[rival]));
        }

        return least;

        double Difference(Func<int, double> weight, double bias)
        {
            for (var i = 0; i < low.Length; i++)
                bias += weight(i) * (weight(i) >= 0 ? low[i] : high[i]);
            return bias;
        }
    }
}
