using Bulwark.Models;
using Bulwark.Models.Onnx;
using Google.Protobuf;

namespace Bulwark.Tests.Models;

/// <summary>Ensembles of trees in the operators that the converters of scikit-learn, XGBoost and LightGBM write (ai.onnx.ml), served like any other model.</summary>
public class ForeignTreeTests
{
    /// <summary>One split, x[1] ≤ 0.5, with the weights of both classes at each leaf, as skl2onnx writes a forest.</summary>
    [Theory]
    [InlineData(0f, 0.2f)]
    [InlineData(1f, 0.7f)]
    public void A_forest_with_two_classes_at_each_leaf_gives_the_second(float value, float expected)
    {
        var trees = Split(classNodes: [1, 1, 2, 2], classes: [0, 1, 0, 1], weights: [0.8f, 0.2f, 0.3f, 0.7f], "NONE");
        Assert.Equal(expected, Score(Model(trees), value), 1e-6f);
    }

    /// <summary>The same split with one margin at each leaf and a logistic end, as onnxmltools writes boosted trees.</summary>
    [Theory]
    [InlineData(0f, -1.5f)]
    [InlineData(1f, 0.75f)]
    public void Boosted_trees_with_one_margin_at_each_leaf_give_a_probability(float value, float margin)
    {
        var trees = Split(classNodes: [1, 2], classes: [0, 0], weights: [-1.5f, 0.75f], "LOGISTIC");
        Assert.Equal(1 / (1 + MathF.Exp(-margin)), Score(Model(trees), value), 1e-6f);
    }

    [Fact]
    public void A_scaler_before_a_linear_classifier_is_scored_too()
    {
        var scaler = Node("Scaler", ["x"], ["scaled"]);
        Add(scaler, "offset", [0f, 0.5f, 0]);
        Add(scaler, "scale", [1f, 2, 1]);
        var linear = Node("LinearClassifier", ["scaled"], ["label", "probabilities"]);
        Add(linear, "coefficients", [0f, -1, 0, 0, 1, 0]);
        Add(linear, "intercepts", [0f, 0]);
        Add(linear, "classlabels_ints", [0, 1]);
        Add(linear, "post_transform", "SOFTMAX");
        Assert.Equal(1 / (1 + MathF.Exp(-2)), Score(Model(scaler, linear), 1), 1e-6f);   // scaled to 1: margins -1 and 1
    }

    private static float Score(byte[] onnx, float value)
    {
        using var scorer = new OnnxScorer(onnx);
        Assert.Equal((3, 1), (scorer.Width, scorer.Classes));
        var score = new float[2];
        scorer.Score([9, value, 9, 9, value, 9], 2, score);
        Assert.Equal(score[0], score[1]);
        return score[0];
    }

    private static NodeProto Split(long[] classNodes, long[] classes, float[] weights, string end)
    {
        var node = Node("TreeEnsembleClassifier", ["x"], ["label", "probabilities"]);
        Add(node, "nodes_treeids", [0, 0, 0]);
        Add(node, "nodes_nodeids", [0, 1, 2]);
        Add(node, "nodes_featureids", [1, 0, 0]);
        Add(node, "nodes_truenodeids", [1, 0, 0]);
        Add(node, "nodes_falsenodeids", [2, 0, 0]);
        Add(node, "nodes_missing_value_tracks_true", [0, 0, 0]);
        Add(node, "nodes_values", [0.5f, 0, 0]);
        Add(node, "nodes_modes", "BRANCH_LEQ", "LEAF", "LEAF");
        Add(node, "class_treeids", new long[classNodes.Length]);
        Add(node, "class_nodeids", classNodes);
        Add(node, "class_ids", classes);
        Add(node, "class_weights", weights);
        Add(node, "classlabels_int64s", [0, 1]);
        Add(node, "post_transform", end);
        return node;
    }

    private static byte[] Model(params NodeProto[] nodes)
    {
        var label = GraphBuilder.Matrix("label", 1);
        label.Type.TensorType.ElemType = GraphBuilder.Int64Type;
        label.Type.TensorType.Shape.Dim.RemoveAt(1);
        var graph = new GraphProto { Name = "foreign", Node = { nodes }, Input = { GraphBuilder.Matrix("x", 3) }, Output = { label, GraphBuilder.Matrix("probabilities", 2) } };
        return new ModelProto { IrVersion = 8, Graph = graph, OpsetImport = { new OperatorSetIdProto { Version = 17 }, new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 3 } } }.ToByteArray();
    }

    private static NodeProto Node(string type, string[] inputs, string[] outputs) => new() { OpType = type, Domain = "ai.onnx.ml", Input = { inputs }, Output = { outputs } };

    private static void Add(NodeProto node, string name, long[] values) => node.Attribute.Add(new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } });

    private static void Add(NodeProto node, string name, float[] values) => node.Attribute.Add(new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Floats, Floats = { values } });

    private static void Add(NodeProto node, string name, string value) => node.Attribute.Add(new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8(value) });

    private static void Add(NodeProto node, string name, params string[] values) =>
        node.Attribute.Add(new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Strings, Strings = { values.Select(ByteString.CopyFromUtf8) } });
}
