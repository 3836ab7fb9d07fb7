using Bulwark.Models.Onnx;

namespace Bulwark.Models;

/// <summary>An operator of a graph.</summary>
/// <param name="Name">For example Gemm.</param>
/// <param name="Training">Whether it is in training mode: a dropout that drops, a batch normalisation by its batch.</param>
internal readonly record struct OnnxOperator(string Name, bool Training);

/// <summary>What an ONNX model computes with, subgraphs and functions included.</summary>
internal static class OnnxOperators
{
    /// <exception cref="InvalidDataException">The bytes are no ONNX model.</exception>
    internal static IReadOnlyList<OnnxOperator> List(ReadOnlySpan<byte> onnx)
    {
        var model = OnnxFile.Parse(onnx);
        var training = model.Graph.Initializer.Where(tensor => tensor.RawData.Length == 1 && tensor.RawData[0] == 1).Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        return [.. Nodes(model.Graph).Concat(model.Functions.SelectMany(function => function.Node)).Select(node => new OnnxOperator(node.OpType, IsTraining(node, training))).Distinct()];
    }

    /// <summary>The attributes of the only node of one of these operators; null when there is none, or several.</summary>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model.</exception>
    internal static OnnxAttributes? Attributes(ReadOnlySpan<byte> onnx, params string[] operators)
    {
        if (OnnxFile.Parse(onnx).Graph.Node.Where(node => operators.Contains(node.OpType)).ToList() is not [var only])
            return null;
        return new(
            only.Attribute.Where(attribute => attribute.Ints.Count > 0).ToDictionary(attribute => attribute.Name, attribute => attribute.Ints.ToArray()),
            only.Attribute.Where(attribute => attribute.Floats.Count > 0).ToDictionary(attribute => attribute.Name, attribute => attribute.Floats.ToArray()),
            only.Attribute.Where(attribute => attribute.Strings.Count > 0 || !attribute.S.IsEmpty)
                .ToDictionary(attribute => attribute.Name, attribute => attribute.Strings.Count > 0 ? attribute.Strings.Select(text => text.ToStringUtf8()).ToArray() : [attribute.S.ToStringUtf8()]));
    }

    private static IEnumerable<NodeProto> Nodes(GraphProto graph) => graph.Node.SelectMany(node =>
        node.Attribute.SelectMany(attribute => attribute.Graphs.Concat(attribute.G is { } inner ? [inner] : [])).SelectMany(Nodes).Prepend(node));

    private static bool IsTraining(NodeProto node, HashSet<string> trueTensors) => node.OpType switch
    {
        "Dropout" => node.Input.Count > 2 && trueTensors.Contains(node.Input[2]),
        "BatchNormalization" => node.Attribute.Any(attribute => attribute is { Name: "training_mode", I: 1 }),
        _ => false,
    };
}
