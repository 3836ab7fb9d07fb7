using Bulwark.Models;
using Bulwark.Models.Onnx;
using Bulwark.Networks;
using Google.Protobuf;

namespace Bulwark.Tests.Models;

public class OnnxModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(1, 16)]
    [InlineData(2, 16, 8)]
    public void The_exported_graph_scores_as_the_network_does(int outputs, params int[] hidden)
    {
        var network = ModelSamples.Network(ModelSamples.Schema, outputs, hidden);
        using var managed = new NetworkScorer(ModelSamples.Schema, network);
        using var runtime = new OnnxScorer(OnnxModel.Export(ModelSamples.Schema, network));
        const int rows = 5000;
        var raw = ModelSamples.Rows(ModelSamples.Schema, rows, seed: 3);
        Assert.Equal(managed.Width, runtime.Width);
        Assert.Equal(managed.Classes, runtime.Classes);
        var expected = new float[rows * managed.Classes];
        var actual = new float[expected.Length];
        managed.Score(raw, rows, expected);
        runtime.Score(raw, rows, actual);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.True(expected.Max() - expected.Min() > 0.1, "The scores must differ for the comparison to mean anything.");
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("log")]
    [InlineData("category")]
    public void A_schema_of_one_kind_exports_too(string kind)
    {
        var feature = kind switch
        {
            "linear" => new Feature { Name = "a", Minimum = -3, Maximum = 7 },
            "log" => new Feature { Name = "a", Minimum = -3, Maximum = 7, Scaling = Scaling.Log },
            _ => new Feature { Name = "a", Kind = FeatureKind.Categorical, Categories = ["x", "y"] },
        };
        var schema = new FeatureSchema { Label = "y", Features = [feature] };
        var network = ModelSamples.Network(schema, 1);
        using var managed = new NetworkScorer(schema, network);
        using var runtime = new OnnxScorer(OnnxModel.Export(schema, network));
        var raw = ModelSamples.Rows(schema, 200, seed: 5);
        var (expected, actual) = (new float[200], new float[200]);
        managed.Score(raw, 200, expected);
        runtime.Score(raw, 200, actual);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void An_exported_network_comes_back_exactly()
    {
        var network = ModelSamples.Network(ModelSamples.Schema, 1, 8, 4);
        var imported = OnnxModel.Import(OnnxModel.Export(ModelSamples.Schema, network));
        Assert.Equal(ModelSamples.Schema.ToJson(), imported.Schema!.ToJson());
        Assert.Equal(network.Shape, imported.Network.Shape);
        Assert.Equal(network.Parameters.ToArray(), imported.Network.Parameters.ToArray());
    }

    [Fact]
    public void The_same_network_exports_to_the_same_bytes()
    {
        var network = ModelSamples.Network(ModelSamples.Schema, 1, 8);
        Assert.Equal(OnnxModel.Export(ModelSamples.Schema, network), OnnxModel.Export(ModelSamples.Schema, network.Clone()));
    }

    [Fact]
    public void A_graph_that_differs_from_its_schema_is_refused()
    {
        var model = ModelProto.Parser.ParseFrom(OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 8)));
        var schema = ModelSamples.Schema with { Features = [.. ModelSamples.Schema.Features.Select(f => f.Name == "hour" ? f with { Maximum = 24 } : f)] };
        model.MetadataProps[0].Value = schema.ToJson();
        var refusal = Assert.Throws<InvalidDataException>(() => OnnxModel.Import(model.ToByteArray()));
        Assert.Contains("altered", refusal.Message);
    }

    [Fact]
    public void A_network_of_another_width_than_the_schema_is_refused() =>
        Assert.Throws<ArgumentException>(() => OnnxModel.Export(ModelSamples.Schema, DenseNetwork<float>.Create(new NetworkShape(3, [], 1), 1)));

    [Fact]
    public void A_plain_chain_of_MatMul_Add_and_transposed_Gemm_is_imported()
    {
        var builder = Chain(out var output);
        var imported = OnnxModel.Import(Model(builder, 2, output, 2));
        Assert.Null(imported.Schema);
        Assert.Equal(new NetworkShape(2, [3], 2), imported.Network.Shape);
        var logits = new float[2];
        imported.Network.Forward([1, 2], 1, logits);
        // Hidden: relu([1,2]·W + b) = relu([1+8+1, 2+10-20, 3+12+0]) = [10, 0, 15]; out: [10+0+45, 40+0+90] + [0.5, -0.5].
        Assert.Equal([55.5f, 129.5f], logits);
    }

    [Fact]
    public void A_graph_with_another_operator_is_not_imported_but_named()
    {
        var builder = Chain(out var output);
        var bent = builder.Node("Tanh", "bent", output);
        var refusal = Assert.Throws<NotSupportedException>(() => OnnxModel.Import(Model(builder, 2, bent, 2)));
        Assert.Contains("Tanh", refusal.Message);
    }

    [Fact]
    public void A_bias_that_would_spread_over_the_batch_is_refused()
    {
        var builder = new GraphBuilder("g");
        var product = builder.Node("MatMul", "product", "x", builder.Floats("w", [1, 2, 3, 4], 2, 2));
        builder.Node("Add", "y", product, builder.Floats("b", [1, 2], 2, 1));
        Assert.Throws<InvalidDataException>(() => OnnxModel.Import(Model(builder, 2, "y", 2)));
    }

    [Fact]
    public void A_tensor_that_is_shorter_than_its_shape_is_refused()
    {
        var builder = new GraphBuilder("g");
        builder.Node("Gemm", "y", "x", builder.Floats("w", [1, 2], 2, 2));
        Assert.Throws<InvalidDataException>(() => OnnxModel.Import(Model(builder, 2, "y", 2)));
    }

    [Fact]
    public void Weights_in_other_files_are_refused()
    {
        var builder = Chain(out var output);
        builder.Graph.Initializer[0].DataLocation = 1;
        var refusal = Assert.Throws<InvalidDataException>(() => OnnxModel.Import(Model(builder, 2, output, 2)));
        Assert.Contains("other files", refusal.Message);
        Assert.Throws<InvalidDataException>(() => new OnnxScorer(Model(builder, 2, output, 2)));
    }

    [Fact]
    public void A_model_made_elsewhere_takes_a_schema_and_is_scored_by_the_runtime()
    {
        var builder = Chain(out var output);
        var model = Model(builder, 2, output, 2);
        var schema = new FeatureSchema { Label = "y", Features = [new Feature { Name = "a", Minimum = 0, Maximum = 1 }, new Feature { Name = "b", Minimum = 0, Maximum = 1 }] };
        var described = OnnxModel.WithSchema(model, schema);
        Assert.Equal(schema.ToJson(), OnnxModel.SchemaOf(described)!.ToJson());
        using var scorer = OnnxModel.OpenScorer(described);
        Assert.IsType<OnnxScorer>(scorer);
        Assert.Throws<ArgumentException>(() => OnnxModel.WithSchema(described, schema));
        Assert.Throws<ArgumentException>(() => OnnxModel.WithSchema(model, ModelSamples.Schema));
    }

    [Fact]
    public void Damaged_files_are_refused_and_never_crash()
    {
        var sound = OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 2));
        var random = new Random(1);
        for (var trial = 0; trial < 3000; trial++)
        {
            var damaged = sound.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            var cut = random.Next(4) == 0 ? random.Next(damaged.Length) : damaged.Length;
            try
            {
                OnnxModel.Import(damaged.AsSpan(0, cut));
            }
            catch (Exception refusal) when (refusal is InvalidDataException or NotSupportedException)
            {
            }
        }
    }

    /// <summary>MatMul, Add, Relu, then Gemm with transposed weights: 2-3-2.</summary>
    internal static GraphBuilder Chain(out string output)
    {
        var builder = new GraphBuilder("chain");
        var product = builder.Node("MatMul", "product", "x", builder.Floats("w0", [1, 2, 3, 4, 5, 6], 2, 3));
        var sum = builder.Node("Add", "sum", builder.Floats("b0", [1, -20, 0], 3), product);
        var hidden = builder.Node("Relu", "hidden", sum);
        output = builder.Node("Gemm", "y", ("transB", 1), hidden, builder.Floats("w1", [1, 2, 3, 4, 5, 6], 2, 3), builder.Floats("b1", [0.5f, -0.5f], 2));
        return builder;
    }

    internal static byte[] Model(GraphBuilder builder, int inputs, string output, int outputs)
    {
        builder.Graph.Input.Add(GraphBuilder.Matrix("x", inputs));
        builder.Graph.Output.Add(GraphBuilder.Matrix(output, outputs));
        return Model(builder.Graph);
    }

    internal static byte[] Model(GraphProto graph)
    {
        var model = new ModelProto { IrVersion = 8, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        return model.ToByteArray();
    }
}
