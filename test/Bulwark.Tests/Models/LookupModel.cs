using Bulwark.Models;
using Bulwark.Models.Onnx;
using Google.Protobuf;

namespace Bulwark.Tests.Models;

/// <summary>An ONNX model that is one large table in a file of its own: the feature names a row, the score is the logistic function of the row's sum.</summary>
internal static class LookupModel
{
    private const int Columns = 1024;
    internal const int BytesPerRow = Columns * sizeof(float);

    /// <summary>Rows that fill at least so many bytes.</summary>
    internal static long RowsFor(long bytes) => (bytes + BytesPerRow - 1) / BytesPerRow;

    internal static FeatureSchema Schema(long rows) => new()
    {
        Label = "chosen",
        Features = [new Feature { Name = "row", Kind = FeatureKind.Integer, Minimum = 0, Maximum = rows - 1 }],
    };

    /// <summary>Writes <c>model.onnx</c> and <c>table.bin</c>: zeros (a sparse file), but for the rows that are named.</summary>
    internal static string Write(string folder, long rows, params (long Row, float Value)[] values)
    {
        using (var table = File.Create(Path.Combine(folder, "table.bin")))
        {
            table.SetLength(rows * BytesPerRow);
            foreach (var (row, value) in values)
            {
                table.Position = row * BytesPerRow;
                table.Write(BitConverter.GetBytes(value));
            }
        }

        var graph = new GraphProto { Name = "lookup" };
        graph.Input.Add(Matrix("features"));
        graph.Output.Add(Matrix("score"));
        graph.Initializer.Add(Outside("table", rows));
        graph.Initializer.Add(new TensorProto { Name = "shape", DataType = 7, Dims = { 2 }, Int64Data = { -1, Columns } });
        graph.Initializer.Add(new TensorProto { Name = "ones", DataType = 1, Dims = { Columns, 1 }, FloatData = { Enumerable.Repeat(1f, Columns) } });
        graph.Node.Add(new NodeProto { OpType = "Cast", Input = { "features" }, Output = { "index" }, Attribute = { new AttributeProto { Name = "to", Type = (AttributeProto.Types.AttributeType)2, I = 7 } } });
        graph.Node.Add(new NodeProto { OpType = "Gather", Input = { "table", "index" }, Output = { "picked" } });
        graph.Node.Add(new NodeProto { OpType = "Reshape", Input = { "picked", "shape" }, Output = { "rows" } });
        graph.Node.Add(new NodeProto { OpType = "MatMul", Input = { "rows", "ones" }, Output = { "sum" } });
        graph.Node.Add(new NodeProto { OpType = "Sigmoid", Input = { "sum" }, Output = { "score" } });
        var model = new ModelProto { IrVersion = 8, ProducerName = "test", Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        var path = Path.Combine(folder, "model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }

    /// <summary>As a model folder with the weights apart.</summary>
    internal static ModelFolder Folder(string scratch, long rows, params (long Row, float Value)[] values)
    {
        var onnx = OnnxModel.WithWeightsApart(File.ReadAllBytes(Write(scratch, rows, values)), scratch, Path.Combine(scratch, ModelFolder.WeightsName));
        File.Delete(Path.Combine(scratch, "table.bin"));
        onnx = OnnxModel.WithSchema(onnx, Schema(rows));
        var manifest = new ModelManifest { Name = "lookup", Version = "1.0.0", Created = DateTimeOffset.UnixEpoch };
        return new(manifest, new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = onnx }, Path.Combine(scratch, ModelFolder.WeightsName));
    }

    internal static float Score(float value) => (float)(1 / (1 + Math.Exp(-value)));

    internal static TensorProto Outside(string name, long rows, string location = "table.bin") => new()
    {
        Name = name,
        DataType = 1,
        Dims = { rows, Columns },
        DataLocation = 1,
        ExternalData =
        {
            new StringStringEntryProto { Key = "location", Value = location }, new StringStringEntryProto { Key = "offset", Value = "0" },
            new StringStringEntryProto { Key = "length", Value = $"{rows * BytesPerRow}" },
        },
    };

    private static ValueInfoProto Matrix(string name)
    {
        var shape = new TensorShapeProto();
        shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = "N" });
        shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = 1 });
        return new() { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = 1, Shape = shape } } };
    }
}
