using Bulwark.Models;
using Bulwark.Models.Onnx;
using Bulwark.Networks;
using Google.Protobuf;

namespace Bulwark.Tests.Models;

public class ConvolutionOnnxTests
{
    private static readonly DenseNetwork<float> s_network = Network();

    [Fact]
    public void An_exported_network_scores_alike_in_another_runtime()
    {
        const int Rows = 50;
        var random = new Random(2);
        float[] images = [.. Enumerable.Range(0, Rows * s_network.Shape.Inputs).Select(_ => random.NextSingle())];
        using var scorer = new OnnxScorer(OnnxModel.Export(s_network));
        var (scores, logits) = (new float[Rows * 3], new float[Rows * 3]);
        scorer.Score(images, Rows, scores);
        s_network.Forward(images, Rows, logits);
        for (var row = 0; row < Rows; row++)
        {
            var sum = Enumerable.Range(0, 3).Sum(k => Math.Exp(logits[(row * 3) + k]));
            for (var k = 0; k < 3; k++)
                Assert.Equal(Math.Exp(logits[(row * 3) + k]) / sum, scores[(row * 3) + k], 1e-5);
        }
    }

    [Fact]
    public void An_exported_network_comes_back_exactly()
    {
        var imported = OnnxModel.Import(OnnxModel.Export(s_network));
        Assert.Null(imported.Schema);
        Assert.Equal(s_network.Shape, imported.Network.Shape);
        Assert.Equal(s_network.Parameters.ToArray(), imported.Network.Parameters.ToArray());
    }

    [Fact]
    public void A_graph_that_takes_images_of_four_dimensions_is_read_too()
    {
        var model = Parsed();
        var reshape = model.Graph.Node[0];
        model.Graph.Node.RemoveAt(0);
        model.Graph.Node[0].Input[0] = reshape.Input[0];
        var dims = model.Graph.Input[0].Type.TensorType.Shape.Dim;
        dims.RemoveAt(1);
        foreach (var size in (long[])[2, 8, 7])
            dims.Add(new TensorShapeProto.Types.Dimension { DimValue = size });
        var imported = OnnxModel.Import(model.ToByteArray());
        Assert.Equal(s_network.Parameters.ToArray(), imported.Network.Parameters.ToArray());
    }

    [Theory]
    [InlineData("group", 2)]
    [InlineData("dilations", 2)]
    [InlineData("pads", 0)]
    public void What_these_networks_do_not_compute_is_no_white_box(string attribute, int value)
    {
        var model = Parsed();
        var conv = model.Graph.Node.First(node => node.OpType == "Conv");
        var found = conv.Attribute.FirstOrDefault(item => item.Name == attribute);
        if (attribute == "group")
            conv.Attribute.Add(new AttributeProto { Name = "group", I = value, Type = AttributeProto.Types.AttributeType.Int });
        else if (found is null)
            conv.Attribute.Add(new AttributeProto { Name = attribute, Ints = { value, value }, Type = AttributeProto.Types.AttributeType.Ints });
        else
            found.Ints[1] = value;   // another padding above than left
        Assert.Throws<NotSupportedException>(() => OnnxModel.Import(model.ToByteArray()));
    }

    [Fact]
    public void A_chain_without_its_rectifier_is_refused()
    {
        var model = Parsed();
        var relu = model.Graph.Node.First(node => node.OpType == "Relu");
        model.Graph.Node.First(node => node.Input.Contains(relu.Output[0])).Input[0] = relu.Input[0];
        model.Graph.Node.Remove(relu);
        Assert.Throws<NotSupportedException>(() => OnnxModel.Import(model.ToByteArray()));
    }

    [Fact]
    public void Tensors_that_do_not_fit_each_other_are_refused()
    {
        var model = Parsed();
        var weights = model.Graph.Initializer.First(tensor => tensor.Name == "conv1.weights");
        (weights.Dims[0], weights.Dims[1]) = (weights.Dims[1], weights.Dims[0]);
        Assert.Throws<InvalidDataException>(() => OnnxModel.Import(model.ToByteArray()));
    }

    [Fact]
    public void A_network_of_images_takes_no_schema() =>
        Assert.Throws<ArgumentException>(() => OnnxModel.Export(ModelSamples.Schema, s_network));

    private static ModelProto Parsed() => ModelProto.Parser.ParseFrom(OnnxModel.Export(s_network));

    private static DenseNetwork<float> Network()
    {
        var network = DenseNetwork<float>.Create(NetworkShape.OfImages(new(new(2, 8, 7), [new(5, 3, 2, 1), new(6, 2, 1, 0)]), [9], 3), 4);
        for (var layer = 0; layer < 2; layer++)
            network.ConvolutionBiases(layer).Fill(0.1f * (layer + 1));
        return network;
    }
}
