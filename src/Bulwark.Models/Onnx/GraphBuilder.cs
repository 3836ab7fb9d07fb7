using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Bulwark.Models.Onnx;

/// <summary>Writes an ONNX graph node by node; each method returns the name of the value it makes.</summary>
internal sealed class GraphBuilder(string name)
{
    internal const int FloatType = 1;
    internal const int Int64Type = 7;

    internal GraphProto Graph { get; } = new() { Name = name };

    /// <summary>A matrix input or output with any number of rows.</summary>
    internal static ValueInfoProto Matrix(string name, int columns)
    {
        var shape = new TensorShapeProto();
        shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = "N" });
        shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = columns });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = FloatType, Shape = shape } } };
    }

    internal string Floats(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> dims) => Tensor(name, FloatType, MemoryMarshal.AsBytes(values), dims);

    internal string Longs(string name, ReadOnlySpan<long> values, params ReadOnlySpan<long> dims) => Tensor(name, Int64Type, MemoryMarshal.AsBytes(values), dims);

    internal string Node(string operation, string output, params ReadOnlySpan<string> inputs)
    {
        var node = new NodeProto { OpType = operation, Name = output };
        foreach (var input in inputs)
            node.Input.Add(input);
        node.Output.Add(output);
        Graph.Node.Add(node);
        return output;
    }

    /// <summary>As <see cref="Node(string, string, ReadOnlySpan{string})"/>, with one whole-number attribute.</summary>
    internal string Node(string operation, string output, (string Name, long Value) attribute, params ReadOnlySpan<string> inputs)
    {
        Node(operation, output, inputs);
        Graph.Node[^1].Attribute.Add(new AttributeProto { Name = attribute.Name, I = attribute.Value, Type = AttributeProto.Types.AttributeType.Int });
        return output;
    }

    /// <summary>Gives the last node a list of whole numbers.</summary>
    internal void Attribute(string name, ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        foreach (var value in values)
            attribute.Ints.Add(value);
        Graph.Node[^1].Attribute.Add(attribute);
    }

    // Raw tensor bytes are little-endian, as is every machine that .NET runs on today.
    private string Tensor(string name, int type, ReadOnlySpan<byte> bytes, ReadOnlySpan<long> dims)
    {
        var tensor = new TensorProto { Name = name, DataType = type, RawData = ByteString.CopyFrom(bytes) };
        foreach (var dim in dims)
            tensor.Dims.Add(dim);
        Graph.Initializer.Add(tensor);
        return name;
    }
}
