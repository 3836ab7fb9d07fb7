using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Google.Protobuf;

namespace Bulwark.Models.Onnx;

/// <summary>Reorders and rescales hidden units, so that a layer's weights no longer stand where training put them; what the model computes stays.</summary>
/// <remarks>Factors are powers of two, which a rectifier passes on and floating point multiplies without rounding: only the order of sums changes.</remarks>
internal static class HiddenUnits
{
    private const int LargestExponent = 3;

    /// <summary>A new order of <paramref name="units"/> and a factor for each, drawn by the system's generator.</summary>
    internal static (int[] Order, float[] Factors) Draw(int units)
    {
        var order = Enumerable.Range(0, units).ToArray();
        RandomNumberGenerator.Shuffle(order.AsSpan());
        return (order, [.. order.Select(_ => MathF.ScaleB(1, RandomNumberGenerator.GetInt32(-LargestExponent, LargestExponent + 1)))]);
    }

    /// <summary>Moves the columns of the layer that makes the units and the rows of the layer that takes them. Matrices are (inputs, outputs), row-major.</summary>
    internal static void Move(Span<float> weights, Span<float> biases, Span<float> next, int[] order, float[] factors)
    {
        var (units, nextOutputs) = (order.Length, next.Length / order.Length);
        float[] oldWeights = [.. weights], oldBiases = [.. biases], oldNext = [.. next];
        for (var unit = 0; unit < units; unit++)
        {
            for (var row = 0; row < weights.Length; row += units)
                weights[row + unit] = oldWeights[row + order[unit]] * factors[unit];
            if (!biases.IsEmpty)
                biases[unit] = oldBiases[order[unit]] * factors[unit];
            for (var output = 0; output < nextOutputs; output++)
                next[(unit * nextOutputs) + output] = oldNext[(order[unit] * nextOutputs) + output] / factors[unit];
        }
    }

    /// <summary>Moves the hidden units between each pair of Gemm or MatMul nodes with only a Relu between them; returns how many units.</summary>
    internal static int Move(GraphProto graph)
    {
        var tensors = graph.Initializer.GroupBy(tensor => tensor.Name, StringComparer.Ordinal).Where(group => group.Count() == 1).ToDictionary(group => group.Key, group => group.Single(), StringComparer.Ordinal);
        var uses = graph.Node.SelectMany(node => node.Input).Concat(graph.Output.Select(output => output.Name)).GroupBy(name => name, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        if (graph.Node.Any(node => node.Attribute.Any(attribute => attribute.G is not null || attribute.Graphs.Count > 0)))
            return 0;   // an inner graph may read any value
        var moved = 0;
        foreach (var first in graph.Node.Where(IsPlainGemm))
        {
            if (Follower(graph, first, "Relu", uses) is not { } relu || Follower(graph, relu, "Gemm", uses) is not { } second || !IsPlainGemm(second))
                continue;
            string[] names = [first.Input[1], first.Input[2], second.Input[1]];
            if (names.All(name => uses.GetValueOrDefault(name) == 1 && tensors.ContainsKey(name)))
                moved += Move(tensors[names[0]], tensors[names[1]], tensors[names[2]]);
        }

        return moved;
    }

    private static int Move(TensorProto weights, TensorProto biases, TensorProto next)
    {
        if (weights.Dims.Count != 2 || biases.Dims.Count != 1 || next.Dims.Count != 2 || weights.DataType != GraphBuilder.FloatType || biases.DataType != GraphBuilder.FloatType || next.DataType != GraphBuilder.FloatType
            || weights.Dims[1] != biases.Dims[0] || next.Dims[0] != biases.Dims[0] || biases.Dims[0] < 2)
            return 0;
        float[] w = OnnxFile.Floats(weights), b = OnnxFile.Floats(biases), n = OnnxFile.Floats(next);
        var (order, factors) = Draw(b.Length);
        Move(w, b, n, order, factors);
        foreach (var (tensor, values) in ((TensorProto, float[])[])[(weights, w), (biases, b), (next, n)])
        {
            tensor.FloatData.Clear();
            tensor.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan()));
        }

        return b.Length;
    }

    /// <summary>The only node that takes <paramref name="node"/>'s value, as its first input.</summary>
    private static NodeProto? Follower(GraphProto graph, NodeProto node, string operation, Dictionary<string, int> uses) =>
        node.Output.Count == 1 && uses.GetValueOrDefault(node.Output[0]) == 1
            ? graph.Node.FirstOrDefault(other => other.OpType == operation && other.Domain is ("" or "ai.onnx") && other.Input.Count > 0 && other.Input[0] == node.Output[0]) : null;

    private static bool IsPlainGemm(NodeProto node) => node is { OpType: "Gemm", Input.Count: 3 } && node.Attribute.All(attribute => attribute.Name switch
    {
        "alpha" or "beta" => attribute.F == 1,
        "transA" or "transB" => attribute.I == 0,
        _ => false,
    });
}
