using System.Text;
using Bulwark.Models;
using Bulwark.Models.Onnx;
using Google.Protobuf;

namespace Bulwark.Tests.Models;

public class ModelObfuscationTests
{
    private const int Rows = 2000;

    [Fact]
    public void A_network_of_ours_says_less_and_scores_the_same()
    {
        var old = OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 16, 8));
        var made = ModelObfuscation.Obfuscate(old);
        Assert.Equal(24, made.MovedUnits);
        RequireSameScores(old, made.Onnx);
        Assert.NotEqual(OnnxModel.Import(old).Network.Parameters.ToArray(), OnnxModel.Import(made.Onnx).Network.Parameters.ToArray());
        var text = Encoding.Latin1.GetString(made.Onnx);
        Assert.All(ModelSamples.Schema.Features, feature => Assert.DoesNotContain($"\"{feature.Name}\"", text));
    }

    [Fact]
    public void A_model_made_elsewhere_loses_its_names_and_scores_the_same()
    {
        var model = OnnxFile.Parse(OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 16, 8)));
        model.ProducerName = "secret-team";
        model.MetadataProps.Clear();
        model.MetadataProps.Add(new StringStringEntryProto { Key = "author", Value = "secret-person" });
        model.Graph.DocString = "secret-notes";
        foreach (var node in model.Graph.Node)
            node.DocString = "secret-step";
        model.Graph.Node.Insert(0, new NodeProto { OpType = "Constant", Output = { "secret-constant" }, Attribute = { new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = new TensorProto { DataType = 1, Dims = { 1 }, FloatData = { 1 } } } } });
        var old = model.ToByteArray();
        var made = ModelObfuscation.Obfuscate(old);
        Assert.Equal((24, 1), (made.MovedUnits, made.Folded));
        Assert.DoesNotContain("secret", Encoding.Latin1.GetString(made.Onnx));
        Assert.DoesNotContain("layer0", Encoding.Latin1.GetString(made.Onnx));
        RequireSameScores(old, made.Onnx);
    }

    [Fact]
    public void The_comparison_sees_a_model_that_is_not_the_same()
    {
        var network = ModelSamples.Network(ModelSamples.Schema, 1, 16);
        using var one = new NetworkScorer(ModelSamples.Schema, network.Clone());
        network.Weights(0)[3] += 0.5f;
        using var other = new NetworkScorer(ModelSamples.Schema, network);
        Assert.True(ModelEquality.LargestDifference(one, other, ModelEquality.MadeUpRows(one.Width, ModelSamples.Schema, Rows), Rows) > 1e-4);
    }

    private static void RequireSameScores(byte[] old, byte[] made)
    {
        using var one = new OnnxScorer(old);
        using var other = new OnnxScorer(made);
        Assert.InRange(ModelEquality.LargestDifference(one, other, ModelEquality.MadeUpRows(one.Width, ModelSamples.Schema, Rows), Rows), 0, 1e-5);
    }
}
