using System.Buffers.Binary;
using Bulwark.Networks;

namespace Bulwark.Models.Onnx;

/// <summary>Rectified convolutions at the beginning of a graph as ONNX nodes: Conv, Relu and Flatten, behind a Reshape where rows come flat.</summary>
internal sealed class ConvolutionChain
{
    private readonly Dictionary<string, TensorProto> _tensors;
    private readonly ImageShape _image;
    private readonly List<Convolution> _layers = [];
    private readonly List<float> _parameters = [];

    private ConvolutionChain(Dictionary<string, TensorProto> tensors, ImageShape image) => (_tensors, _image) = (tensors, image);

    internal ConvolutionStack Stack => new(_image, _layers);

    /// <summary>As the network's own: each layer's weights, then its biases.</summary>
    internal ReadOnlySpan<float> Parameters => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_parameters);

    /// <summary>Nodes that belong to the chain.</summary>
    internal int Nodes { get; private set; }

    /// <summary>Name of the flat features.</summary>
    internal string Value { get; private set; } = "";

    /// <summary>Writes the convolutions of a network that takes flat rows; returns the name of the flat features.</summary>
    internal static string Write(GraphBuilder graph, DenseNetwork<float> network, string input)
    {
        var stack = network.Shape.Convolutions!;
        var (channels, height, width) = stack.Image;
        var value = graph.Node("Reshape", "image", input, graph.Longs("image.shape", [0, channels, height, width], 4));
        for (var layer = 0; layer < stack.Layers.Count; layer++)
        {
            var (written, kernel, stride, padding) = stack.Layers[layer];
            var weights = graph.Floats($"conv{layer}.weights", network.ConvolutionWeights(layer), written, stack.LayerImage(layer).Channels, kernel, kernel);
            var biases = graph.Floats($"conv{layer}.biases", network.ConvolutionBiases(layer), written);
            value = graph.Node("Conv", $"conv{layer}", value, weights, biases);
            graph.Attribute("kernel_shape", [kernel, kernel]);
            graph.Attribute("strides", [stride, stride]);
            graph.Attribute("pads", [padding, padding, padding, padding]);
            value = graph.Node("Relu", $"conv{layer}.rectified", value);
        }

        return graph.Node("Flatten", "flat", ("axis", 1), value);
    }

    /// <summary>The chain at the beginning of <paramref name="nodes"/>; null where they begin otherwise.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing or of an impossible shape.</exception>
    /// <exception cref="NotSupportedException">The chain holds what these networks do not.</exception>
    internal static ConvolutionChain? Read(Dictionary<string, TensorProto> tensors, IReadOnlyList<NodeProto> nodes, ValueInfoProto? input, string value)
    {
        if (nodes.Count == 0 || nodes[0].OpType is not ("Conv" or "Reshape"))
            return null;
        var first = nodes[0].OpType == "Reshape" ? 1 : 0;
        var chain = new ConvolutionChain(tensors, first == 1 ? Reshaped(tensors, nodes[0], value) : ImageOf(input, nodes[0]));
        value = first == 1 ? nodes[0].Output[0] : value;
        for (var at = first; at < nodes.Count; at++)
        {
            var node = nodes[at];
            if (node.Output.Count != 1 || node.Domain is not ("" or "ai.onnx") || node.Input.Count == 0 || node.Input[0] != value)
                throw Unsupported(node);
            value = node.Output[0];
            if (node.OpType == "Conv" && at + 1 < nodes.Count && nodes[at + 1] is { OpType: "Relu", Input: [var rectified], Output: [var next] } && rectified == value)
            {
                chain.Take(node);
                (value, at) = (next, at + 1);
                continue;
            }

            if (chain._layers.Count == 0 || !chain.IsFlatten(node))
                throw Unsupported(node);
            (chain.Nodes, chain.Value) = (at + 1, value);
            return chain;
        }

        throw new NotSupportedException("The graph's convolutions lead to no dense layer.");
    }

    private void Take(NodeProto node)
    {
        if (node.Input.Count is not (2 or 3))
            throw Unsupported(node);
        var (stride, padding) = (1, 0);
        var weights = Tensor(node.Input[1]);
        if (weights.Dims.Count != 4 || weights.Dims.Any(dim => dim is < 1 or > 1 << 16))
            throw new InvalidDataException($"Tensor '{weights.Name}' is no set of windows (out, in, height, width).");
        var (written, read, kernel) = ((int)weights.Dims[0], (int)weights.Dims[1], (int)weights.Dims[2]);
        if (weights.Dims[3] != kernel)
            throw Unsupported(node);
        foreach (var attribute in node.Attribute)
        {
            var fits = attribute.Name switch
            {
                "kernel_shape" => Same(attribute, 2, out var side) && side == kernel,
                "strides" => Same(attribute, 2, out stride),
                "pads" => Same(attribute, 4, out padding),
                "dilations" => Same(attribute, 2, out var dilation) && dilation == 1,
                "group" => attribute.I == 1,
                "auto_pad" => attribute.S.ToStringUtf8() == "NOTSET",
                _ => false,
            };
            if (!fits)
                throw Unsupported(node);
        }

        if (Stack.LayerImage(_layers.Count).Channels != read)
            throw new InvalidDataException($"Tensor '{weights.Name}' reads {read} channels where there are {Stack.LayerImage(_layers.Count).Channels}.");
        _layers.Add(new(written, kernel, stride, padding));
        if (string.Join(' ', Stack.Faults()) is { Length: > 0 } faults)
            throw new NotSupportedException(faults);
        _parameters.AddRange(OnnxFile.Floats(weights));
        var biases = node.Input.Count == 3 && node.Input[2].Length > 0 ? OnnxFile.Floats(Tensor(node.Input[2])) : new float[written];
        if (biases.Length != written)
            throw new InvalidDataException($"Node '{node.Name}' has {biases.Length} biases for {written} channels.");
        _parameters.AddRange(biases);
    }

    private static bool Same(AttributeProto attribute, int count, out int value)
    {
        value = attribute.Ints.Count > 0 && attribute.Ints[0] is >= 0 and <= 1 << 16 ? (int)attribute.Ints[0] : -1;
        var first = (long)value;
        return attribute.Ints.Count == count && value >= 0 && attribute.Ints.All(item => item == first);
    }

    private bool IsFlatten(NodeProto node)
    {
        if (node.OpType == "Flatten")
            return node.Attribute.All(attribute => attribute is { Name: "axis", I: 1 });
        return node.OpType == "Reshape" && node.Input.Count == 2 && Longs(Tensor(node.Input[1])) is [var rows, var features]
            && ((rows is 0 or -1 && features == Stack.Features) || (rows == 0 && features == -1));
    }

    private static ImageShape Reshaped(Dictionary<string, TensorProto> tensors, NodeProto node, string value)
    {
        if (node.Input.Count == 2 && node.Input[0] == value && node.Output.Count == 1 && tensors.TryGetValue(node.Input[1], out var shape)
            && Longs(shape) is [0 or -1, > 0 and <= 1 << 16 and var channels, > 0 and <= 1 << 16 and var height, > 0 and <= 1 << 16 and var width])
            return new((int)channels, (int)height, (int)width);
        throw Unsupported(node);
    }

    private static ImageShape ImageOf(ValueInfoProto? input, NodeProto node)
    {
        if (input?.Type?.TensorType is { ElemType: GraphBuilder.FloatType, Shape.Dim: [_, var channels, var height, var width] }
            && channels.DimValue is > 0 and <= 1 << 16 && height.DimValue is > 0 and <= 1 << 16 && width.DimValue is > 0 and <= 1 << 16)
            return new((int)channels.DimValue, (int)height.DimValue, (int)width.DimValue);
        throw Unsupported(node);
    }

    private static long[] Longs(TensorProto tensor)
    {
        if (tensor.DataType != GraphBuilder.Int64Type || tensor.Dims.Count != 1)
            return [];
        if (tensor.RawData.IsEmpty)
            return [.. tensor.Int64Data];
        var bytes = tensor.RawData.ToByteArray();
        return bytes.Length % 8 != 0 ? [] : [.. Enumerable.Range(0, bytes.Length / 8).Select(i => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8 * i)))];
    }

    private TensorProto Tensor(string name) => _tensors.TryGetValue(name, out var tensor)
        ? tensor : throw new NotSupportedException($"'{name}' is no constant of the graph: its weights are computed.");

    private static NotSupportedException Unsupported(NodeProto node) =>
        new($"Node '{node.Name}' ({node.OpType}) is no part of a chain of rectified convolutions; score this model as it is, without a white-box view.");
}
