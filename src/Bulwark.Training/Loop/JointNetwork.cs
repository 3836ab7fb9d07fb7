using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>Several networks side by side in one whose logits are the mean of theirs: whatever scores, exports, attacks or certifies a network does so with it.</summary>
internal static class JointNetwork
{
    /// <summary>Hidden layers of all members next to each other; weights between members are 0, the last layer's are divided by their number.</summary>
    /// <param name="members">At least one, all of one shape, without convolutions.</param>
    internal static DenseNetwork<float> MeanOf(IReadOnlyList<DenseNetwork<float>> members)
    {
        var shape = members[0].Shape;
        if (shape.Convolutions is not null || members.Any(member => !member.Shape.Equals(shape)))
            throw new ArgumentException("Only dense networks of one shape are joined.", nameof(members));
        var joint = new DenseNetwork<float>(shape with { Hidden = [.. shape.Hidden.Select(width => width * members.Count)] });
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            for (var member = 0; member < members.Count; member++)
                Place(members[member], joint, layer, member, members.Count);
        }

        return joint;
    }

    private static void Place(DenseNetwork<float> member, DenseNetwork<float> joint, int layer, int at, int members)
    {
        var (inputs, outputs) = (member.Shape.LayerInputs(layer), member.Shape.LayerOutputs(layer));
        var last = layer == member.Shape.Layers - 1;
        var columns = joint.Shape.LayerOutputs(layer);
        var (firstRow, firstColumn) = (layer == 0 ? 0 : at * inputs, last ? 0 : at * outputs);
        var share = last ? 1f / members : 1;
        for (var row = 0; row < inputs; row++)
            Add(member.Weights(layer).Slice(row * outputs, outputs), joint.Weights(layer).Slice(((firstRow + row) * columns) + firstColumn, outputs), share);
        Add(member.Biases(layer), joint.Biases(layer).Slice(firstColumn, outputs), share);
    }

    private static void Add(ReadOnlySpan<float> from, Span<float> to, float share) => TensorPrimitives.MultiplyAdd(from, share, to, to);
}
