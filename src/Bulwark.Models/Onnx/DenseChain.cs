using Bulwark.Networks;

namespace Bulwark.Models.Onnx;

/// <summary>Dense layers as ONNX nodes, behind convolutions where there are any: written as Gemm and Relu, read also from MatMul and Add.</summary>
internal sealed class DenseChain
{
    private readonly Dictionary<string, TensorProto> _tensors = new(StringComparer.Ordinal);
    private readonly List<(int Inputs, int Outputs, float[] Weights, float[] Biases)> _layers = [];
    private bool _rectified = true;      // the next layer may begin: the chain stands at the input or after a Relu
    private bool _biased = true;         // the last layer has its biases
    private string? _activation;
    private ConvolutionChain? _convolutions;

    internal static void Write(GraphBuilder graph, DenseNetwork<float> network, string input, string output)
    {
        var value = WriteLogits(graph, network, network.Shape.Convolutions is null ? input : ConvolutionChain.Write(graph, network, input));
        if (network.Shape.Outputs == 1)
            graph.Node("Sigmoid", output, value);
        else
            graph.Node("Softmax", output, ("axis", 1), value);
    }

    /// <summary>The dense layers alone, their names behind <paramref name="prefix"/>; returns the name of the logits.</summary>
    internal static string WriteLogits(GraphBuilder graph, DenseNetwork<float> network, string value, string prefix = "")
    {
        var shape = network.Shape;
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var weights = graph.Floats($"{prefix}layer{layer}.weights", network.Weights(layer), shape.LayerInputs(layer), shape.LayerOutputs(layer));
            var biases = graph.Floats($"{prefix}layer{layer}.biases", network.Biases(layer), shape.LayerOutputs(layer));
            value = graph.Node("Gemm", $"{prefix}layer{layer}", value, weights, biases);
            if (layer < shape.Layers - 1)
                value = graph.Node("Relu", $"{prefix}layer{layer}.rectified", value);
        }

        return value;
    }

    /// <summary>The network of <paramref name="nodes"/>, which take <paramref name="value"/> and then each other's outputs, in order, up to the graph's only output.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="nodes">Its nodes, or the last of them.</param>
    /// <param name="value">What the first of them takes.</param>
    /// <param name="input">The graph's input where the nodes begin with it: convolutions read the image's shape from it.</param>
    /// <exception cref="InvalidDataException">A tensor is missing or of an impossible shape.</exception>
    /// <exception cref="NotSupportedException">The nodes are no chain of dense layers.</exception>
    internal static DenseNetwork<float> Read(GraphProto graph, IReadOnlyList<NodeProto> nodes, string value, ValueInfoProto? input = null)
    {
        var chain = new DenseChain();
        foreach (var tensor in graph.Initializer)
        {
            if (!chain._tensors.TryAdd(tensor.Name, tensor))
                throw new InvalidDataException($"The ONNX model has two tensors called '{tensor.Name}'.");
        }

        chain._convolutions = ConvolutionChain.Read(chain._tensors, nodes, input, value);
        value = chain._convolutions?.Value ?? value;
        foreach (var node in nodes.Skip(chain._convolutions?.Nodes ?? 0))
        {
            if (node.Output.Count != 1 || node.Domain is not ("" or "ai.onnx"))
                throw Unsupported(node);
            chain.Take(node, value);
            value = node.Output[0];
        }

        if (graph.Output.Count != 1 || graph.Output[0].Name != value || chain._layers.Count == 0 || chain._rectified)
            throw new NotSupportedException("The graph is no chain of dense layers from its input to its only output.");
        return chain.Build();
    }

    private void Take(NodeProto node, string value)
    {
        if (_activation is not null && node.OpType != "Identity")
            throw Unsupported(node);
        switch (node.OpType)
        {
            case "Gemm" when node.Input.Count is 2 or 3 && node.Input[0] == value:
                Dense(node, node.Input[1], node.Input.ElementAtOrDefault(2));
                break;
            case "MatMul" when node.Input is [var input, var weights] && input == value && node.Attribute.Count == 0:
                Dense(node, weights, null);
                break;
            case "Add" when node.Input.Count == 2 && node.Input.Contains(value) && !_biased:
                Bias(node.Input[0] == value ? node.Input[1] : node.Input[0]);
                break;
            case "Relu" when node.Input is [var input] && input == value && !_rectified:
                (_rectified, _biased) = (true, true);
                break;
            case "Identity" when node.Input is [var input] && input == value:
                break;
            case "Sigmoid" when node.Input is [var input] && input == value && !_rectified && _layers[^1].Outputs == 1:
            case "Softmax" when node.Input is [var normalised] && normalised == value && !_rectified && _layers[^1].Outputs > 1 && OverLastAxis(node):
                _activation = node.OpType;
                break;
            default:
                throw Unsupported(node);
        }
    }

    private void Dense(NodeProto node, string weightsName, string? biasesName)
    {
        if (!_rectified)
            throw Unsupported(node);
        var transposed = false;
        foreach (var attribute in node.Attribute)
        {
            var neutral = attribute.Name switch
            {
                "alpha" or "beta" => attribute.F == 1,
                "transA" => attribute.I == 0,
                "transB" => attribute.I is 0 or 1,
                _ => false,
            };
            if (!neutral)
                throw Unsupported(node);
            transposed |= attribute is { Name: "transB", I: 1 };
        }

        var tensor = Tensor(weightsName);
        var values = OnnxFile.Floats(tensor);
        if (tensor.Dims.Count != 2 || values.Length == 0)
            throw new InvalidDataException($"Tensor '{tensor.Name}' is no matrix.");
        var (inputs, outputs) = transposed ? ((int)tensor.Dims[1], (int)tensor.Dims[0]) : ((int)tensor.Dims[0], (int)tensor.Dims[1]);
        if (_layers.Count == 0 && _convolutions is { } before && before.Stack.Features != inputs)
            throw new InvalidDataException($"Tensor '{tensor.Name}' takes {inputs} columns, the convolutions give {before.Stack.Features}.");
        if (_layers.Count > 0 && _layers[^1].Outputs != inputs)
            throw new InvalidDataException($"Tensor '{tensor.Name}' takes {inputs} columns, the layer before it gives {_layers[^1].Outputs}.");
        _layers.Add((inputs, outputs, transposed ? Transpose(values, outputs, inputs) : values, new float[outputs]));
        (_rectified, _biased) = (false, false);
        if (!string.IsNullOrEmpty(biasesName))
            Bias(biasesName);
        _biased |= node.OpType == "Gemm";
    }

    private void Bias(string name)
    {
        var tensor = Tensor(name);
        var values = OnnxFile.Floats(tensor);
        var outputs = _layers[^1].Outputs;
        // A bias is a row, (outputs) or (1, outputs); anything else would broadcast over the batch.
        if (values.Length != outputs || tensor.Dims.Count is not (1 or 2) || tensor.Dims[^1] != outputs)
            throw new InvalidDataException($"Tensor '{tensor.Name}' is no row of {outputs} biases.");
        values.CopyTo(_layers[^1].Biases, 0);
        _biased = true;
    }

    private DenseNetwork<float> Build()
    {
        int[] hidden = [.. _layers.SkipLast(1).Select(layer => layer.Outputs)];
        var network = new DenseNetwork<float>(_convolutions is null
            ? new(_layers[0].Inputs, hidden, _layers[^1].Outputs)
            : NetworkShape.OfImages(_convolutions.Stack, hidden, _layers[^1].Outputs));
        _convolutions?.Parameters.CopyTo(network.Parameters);
        for (var layer = 0; layer < _layers.Count; layer++)
        {
            _layers[layer].Weights.CopyTo(network.Weights(layer));
            _layers[layer].Biases.CopyTo(network.Biases(layer));
        }

        return network;
    }

    private TensorProto Tensor(string name) => _tensors.TryGetValue(name, out var tensor)
        ? tensor : throw new NotSupportedException($"'{name}' is no constant of the graph: its weights are computed.");

    private static bool OverLastAxis(NodeProto node) =>
        node.Attribute.All(attribute => attribute.Name == "axis" && attribute.I is 1 or -1);

    private static float[] Transpose(float[] values, int rows, int columns)
    {
        var turned = new float[values.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                turned[(column * rows) + row] = values[(row * columns) + column];
        }

        return turned;
    }

    private static NotSupportedException Unsupported(NodeProto node) =>
        new($"Node '{node.Name}' ({node.OpType}) is no part of a chain of dense layers; score this model as it is, without a white-box view.");
}
