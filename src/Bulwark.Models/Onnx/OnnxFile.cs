using Google.Protobuf;

namespace Bulwark.Models.Onnx;

/// <summary>Reads the bytes of an ONNX file as strictly as the format allows.</summary>
internal static class OnnxFile
{
    internal const int ExternalData = 1;

    /// <param name="onnx">The file.</param>
    /// <param name="weightsApart">True when tensors of the graph may be in <see cref="ModelFolder.WeightsName"/>, and nowhere else.</param>
    /// <exception cref="InvalidDataException">The bytes are no ONNX model, or it refers to other files.</exception>
    internal static ModelProto Parse(ReadOnlySpan<byte> onnx, bool weightsApart = false)
    {
        ModelProto model;
        try
        {
            model = ModelProto.Parser.ParseFrom(onnx);
        }
        catch (InvalidProtocolBufferException fault)
        {
            throw new InvalidDataException($"The file is no ONNX model: {fault.Message}", fault);
        }

        if (model.Graph is null || model.Graph.Output.Count == 0)
            throw new InvalidDataException("The file is no ONNX model: it has no graph with an output.");
        if (RefersToOtherFiles(model.Graph, weightsApart) || model.Functions.SelectMany(function => function.Node).Any(RefersToOtherFiles))
            throw new InvalidDataException("The ONNX model keeps weights in other files; save it with its weights inside.");
        return model;
    }

    internal static FeatureSchema? SchemaOf(ModelProto model)
    {
        var entries = model.MetadataProps.Where(entry => entry.Key == OnnxModel.SchemaEntry).ToList();
        return entries.Count switch
        {
            0 => null,
            1 => FeatureSchema.Parse(entries[0].Value),
            _ => throw new InvalidDataException($"The ONNX model has {entries.Count} schemas."),
        };
    }

    /// <summary>The only input of the graph that no initializer fills.</summary>
    /// <exception cref="NotSupportedException">There are several inputs, or none.</exception>
    internal static ValueInfoProto OnlyInput(GraphProto graph)
    {
        var filled = graph.Initializer.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        var inputs = graph.Input.Where(input => !filled.Contains(input.Name)).ToList();
        return inputs.Count == 1 ? inputs[0] : throw new NotSupportedException($"The ONNX model has {inputs.Count} inputs; it must have one, a float matrix (rows, features).");
    }

    /// <summary>The values of a float tensor.</summary>
    /// <exception cref="InvalidDataException">Its size is not what its shape says, or it is no float tensor.</exception>
    internal static float[] Floats(TensorProto tensor)
    {
        long count = 1;
        foreach (var dim in tensor.Dims)
        {
            if (dim is < 0 or > int.MaxValue || (count *= dim) > int.MaxValue)
                throw new InvalidDataException($"Tensor '{tensor.Name}' has an impossible shape.");
        }

        if (tensor.DataType != GraphBuilder.FloatType)
            throw new InvalidDataException($"Tensor '{tensor.Name}' is not of single-precision numbers.");
        if (tensor.RawData.Length == count * sizeof(float) && tensor.FloatData.Count == 0)
        {
            var values = new float[count];
            Buffer.BlockCopy(tensor.RawData.ToByteArray(), 0, values, 0, tensor.RawData.Length);
            return values;
        }

        return tensor.FloatData.Count == count && tensor.RawData.IsEmpty
            ? [.. tensor.FloatData]
            : throw new InvalidDataException($"Tensor '{tensor.Name}' does not hold the {count} numbers that its shape says.");
    }

    /// <summary>True for a tensor whose values are not in the model itself.</summary>
    internal static bool IsOutside(TensorProto tensor) => RefersToOtherFiles(tensor);

    private static bool RefersToOtherFiles(GraphProto graph, bool weightsApart) =>
        graph.Initializer.Any(tensor => RefersToOtherFiles(tensor) && !(weightsApart && Scanning.OnnxScan.Location(tensor) == ModelFolder.WeightsName))
        || graph.SparseInitializer.Any(RefersToOtherFiles)
        || graph.Node.Any(RefersToOtherFiles);

    private static bool RefersToOtherFiles(NodeProto node) => node.Attribute.Any(attribute =>
        (attribute.T is { } tensor && RefersToOtherFiles(tensor))
        || (attribute.SparseTensor is { } sparse && RefersToOtherFiles(sparse))
        || (attribute.G is { } graph && RefersToOtherFiles(graph, weightsApart: false))
        || attribute.Tensors.Any(RefersToOtherFiles)
        || attribute.SparseTensors.Any(RefersToOtherFiles)
        || attribute.Graphs.Any(inner => RefersToOtherFiles(inner, weightsApart: false)));

    private static bool RefersToOtherFiles(SparseTensorProto tensor) =>
        (tensor.Values is { } values && RefersToOtherFiles(values)) || (tensor.Indices is { } indices && RefersToOtherFiles(indices));

    private static bool RefersToOtherFiles(TensorProto tensor) => tensor.DataLocation == ExternalData || tensor.ExternalData.Count > 0;
}
