using Bulwark.Models;
using Bulwark.Models.Onnx;

namespace Bulwark.Tests.Models;

public class OnnxScorerTests
{
    [Fact]
    public void Two_columns_of_logits_become_the_probability_of_the_second_class()
    {
        var builder = OnnxModelTests.Chain(out var output);
        using var scorer = new OnnxScorer(OnnxModelTests.Model(builder, 2, output, 2));
        Assert.Equal(1, scorer.Classes);
        var score = new float[1];
        scorer.Score([0, 0], 1, score);
        // Logits (1.5, 3.5): hidden = relu([1, -20, 0]) = [1, 0, 0], out = [1, 4] + [0.5, -0.5].
        Assert.Equal(1 / (1 + MathF.Exp(-2)), score[0], 1e-6f);
    }

    [Fact]
    public void Two_columns_of_probabilities_give_the_second()
    {
        var builder = OnnxModelTests.Chain(out var logits);
        var output = builder.Node("Softmax", "probabilities", ("axis", 1), logits);
        using var scorer = new OnnxScorer(OnnxModelTests.Model(builder, 2, output, 2));
        var score = new float[2];
        scorer.Score([0, 0, 0, 0], 2, score);
        Assert.Equal([1 / (1 + MathF.Exp(-2)), 1 / (1 + MathF.Exp(-2))], score, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void A_labels_output_beside_the_probabilities_is_passed_over()
    {
        var builder = OnnxModelTests.Chain(out var logits);
        builder.Node("Softmax", "output_probability", ("axis", 1), logits);
        builder.Node("ArgMax", "output_label", ("axis", 1), logits);
        var label = GraphBuilder.Matrix("output_label", 1);
        label.Type.TensorType.ElemType = GraphBuilder.Int64Type;
        builder.Graph.Output.Add(label);
        using var scorer = new OnnxScorer(OnnxModelTests.Model(builder, 2, "output_probability", 2));
        Assert.Equal(1, scorer.Classes);
    }

    [Fact]
    public void A_list_of_dictionaries_is_refused_with_what_to_change()
    {
        var builder = OnnxModelTests.Chain(out var output);
        builder.Graph.Output.Add(new ValueInfoProto { Name = "maps", Type = new TypeProto { SequenceType = new TypeProto.Types.Sequence() } });
        var refusal = Assert.Throws<NotSupportedException>(() => new OnnxScorer(OnnxModelTests.Model(builder, 2, output, 2)));
        Assert.Contains("ZipMap", refusal.Message);
    }

    [Fact]
    public void An_output_that_is_no_probability_is_refused()
    {
        var builder = OnnxModelTests.Chain(out var logits);
        var output = builder.Node("Relu", "score", logits);
        using var scorer = new OnnxScorer(OnnxModelTests.Model(builder, 2, output, 2));
        Assert.Contains("no probability", Assert.Throws<InvalidDataException>(() => scorer.Score([0, 0], 1, new float[1])).Message);
    }

    [Fact]
    public void Two_inputs_are_refused()
    {
        var builder = OnnxModelTests.Chain(out var output);
        builder.Graph.Input.Add(GraphBuilder.Matrix("other", 3));
        Assert.Contains("2 inputs", Assert.Throws<NotSupportedException>(() => new OnnxScorer(OnnxModelTests.Model(builder, 2, output, 2))).Message);
    }

    [Fact]
    public void An_input_of_unknown_width_is_refused()
    {
        var builder = OnnxModelTests.Chain(out var output);
        Assert.Contains("how many features", Assert.Throws<NotSupportedException>(() => new OnnxScorer(OnnxModelTests.Model(builder, 0, output, 2))).Message);
    }

    [Fact]
    public void A_model_made_for_one_row_scores_many()
    {
        var builder = OnnxModelTests.Chain(out var output);
        var input = GraphBuilder.Matrix("x", 2);
        input.Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimValue = 1 };
        builder.Graph.Input.Add(input);
        builder.Graph.Output.Add(GraphBuilder.Matrix(output, 2));
        using var scorer = new OnnxScorer(OnnxModelTests.Model(builder.Graph));
        var scores = new float[3];
        scorer.Score([0, 0, 1, 2, 0, 0], 3, scores);
        Assert.Equal(scores[0], scores[2]);
        Assert.NotEqual(scores[0], scores[1]);
    }

    [Fact]
    public void Bytes_that_are_no_model_are_refused()
    {
        Assert.Throws<InvalidDataException>(() => new OnnxScorer("not a model"u8));
        Assert.Throws<InvalidDataException>(() => new OnnxScorer([]));
    }

    [Fact]
    public void An_operator_that_the_runtime_lacks_is_refused()
    {
        var builder = OnnxModelTests.Chain(out var logits);
        var output = builder.Node("NoSuchOperator", "score", logits);
        Assert.Throws<InvalidDataException>(() => new OnnxScorer(OnnxModelTests.Model(builder, 2, output, 2)));
    }

    [Fact]
    public void Weights_that_give_no_finite_logit_are_refused()
    {
        var network = ModelSamples.Network(ModelSamples.Schema, 1);
        network.Parameters.Fill(float.MaxValue);
        using var managed = new NetworkScorer(ModelSamples.Schema, network);
        var row = Enumerable.Repeat(1f, ModelSamples.Schema.Width).ToArray();
        Assert.Throws<InvalidDataException>(() => managed.Score(row, 1, new float[1]));
    }

    [Fact]
    public void Damaged_models_are_refused_and_never_crash_the_runtime()
    {
        var sound = OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 4));
        var random = new Random(6);
        for (var trial = 0; trial < 500; trial++)
        {
            var damaged = sound.ToArray();
            for (var changes = random.Next(1, 5); changes > 0; changes--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                using var scorer = new OnnxScorer(damaged);
                var scores = new float[2 * scorer.Classes];
                scorer.Score(new float[2 * scorer.Width], 2, scores);
                Assert.All(scores, score => Assert.InRange(score, 0, 1));
            }
            catch (Exception refusal) when (refusal is InvalidDataException or NotSupportedException)
            {
            }
        }
    }

    [Fact]
    public void Scoring_from_many_threads_gives_the_same_scores()
    {
        using var scorer = new OnnxScorer(OnnxModel.Export(ModelSamples.Schema, ModelSamples.Network(ModelSamples.Schema, 1, 8)));
        var raw = ModelSamples.Rows(ModelSamples.Schema, 64, seed: 9);
        var expected = new float[64];
        scorer.Score(raw, 64, expected);
        Parallel.For(0, 64, row =>
        {
            var own = new float[1];
            scorer.Score(raw.AsSpan(row * scorer.Width, scorer.Width), 1, own);
            Assert.Equal(expected[row], own[0], 1e-6f);
        });
    }
}
