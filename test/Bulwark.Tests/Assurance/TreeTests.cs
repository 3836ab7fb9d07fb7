using Bulwark.Assurance;
using Bulwark.Models.Onnx;

namespace Bulwark.Tests.Assurance;

public class TreeTests
{
    private const string Dump = """
        [ { "nodeid": 0, "split": "f0", "split_condition": 0.5, "yes": 1, "no": 2, "missing": 2, "children": [
              { "nodeid": 1, "leaf": -1 },
              { "nodeid": 2, "split": "f1", "split_condition": 0.25, "yes": 3, "no": 4, "missing": 3, "children": [ { "nodeid": 3, "leaf": 2 }, { "nodeid": 4, "leaf": -0.5 } ] } ] },
          { "nodeid": 0, "split": "f1", "split_condition": 0.75, "yes": 1, "no": 2, "missing": 1, "children": [ { "nodeid": 1, "leaf": 0.1 }, { "nodeid": 2, "leaf": 3 } ] } ]
        """;

    [Theory]
    [InlineData(PerturbationNorm.Linf)]
    [InlineData(PerturbationNorm.L2)]
    [InlineData(PerturbationNorm.L1)]
    public void The_proven_distance_is_that_of_a_grid(PerturbationNorm norm)
    {
        var ensemble = TreeFile.Read(Dump);
        for (var i = 0; i < 25; i++)
        {
            float[] row = [0.11f + (0.19f * (i % 5)), 0.07f + (0.2f * (i / 5))];
            var positive = ensemble.Margin(row) > 0;
            var nearest = double.PositiveInfinity;
            for (var g = 0; g <= 400 * 401; g++)
            {
                float[] other = [g % 401 / 400f, g / 401 / 400f];
                if (ensemble.Margin(other) > 0 != positive)
                    nearest = Math.Min(nearest, PerturbationBall<float>.Distance(norm, other, row));
            }

            var proven = new TreeVerifier(ensemble).Distance(row, norm);
            Assert.True(proven.Exact);
            Assert.InRange(proven.Lower, nearest - 0.006, nearest + 1e-6);
            Assert.NotEqual(positive, ensemble.Margin(proven.Point) > 0);
            Assert.True(new TreeVerifier(ensemble).Distance(row, norm, mostSteps: 2).Lower <= nearest + 1e-6);
            var within = new TreeVerifier(ensemble).Distance(row, norm, within: proven.Lower / 2);
            Assert.True(within.Lower <= proven.Lower && within.Point is null);
        }
    }

    [Fact]
    public void The_attack_never_claims_less_than_the_proof_and_its_point_flips()
    {
        var ensemble = TreeFile.Read(Dump);
        float[] starts = [0.1f, 0.1f, 0.9f, 0.1f, 0.9f, 0.5f, 0.1f, 0.9f];
        foreach (var row in (float[][])[[0.2f, 0.3f], [0.8f, 0.2f], [0.7f, 0.6f]])
        {
            var found = new LeafTupleAttack(ensemble).Run(row, starts, PerturbationNorm.L2)!.Value;
            Assert.True(found.Distance >= new TreeVerifier(ensemble).Distance(row, PerturbationNorm.L2).Lower - 1e-9);
            Assert.NotEqual(ensemble.Margin(row) > 0, ensemble.Margin(found.Point) > 0);
        }
    }

    [Fact]
    public void LightGbm_text_is_read_and_a_threshold_belongs_to_the_left()
    {
        var ensemble = TreeFile.Read("""
            tree
            version=v4
            num_class=1
            max_feature_idx=1

            Tree=0
            num_leaves=3
            split_feature=0 1
            threshold=0.5 2.25
            decision_type=2 0
            left_child=-1 -2
            right_child=1 -3
            leaf_value=-1 0.25 4

            end of trees
            """);
        Assert.Equal(-1, ensemble.Margin([0.5f, 9]));
        Assert.Equal(0.25, ensemble.Margin([0.6f, 2.25f]));
        Assert.Equal(4, ensemble.Margin([0.6f, 2.3f]));
        Assert.Equal(-1, ensemble.Margin([float.NaN, 2.3f]));
    }

    [Fact]
    public void An_XGBoost_model_is_read()
    {
        var ensemble = TreeFile.Read("""
            { "learner": { "learner_model_param": { "num_class": "0", "base_score": "5E-1", "num_feature": "2" }, "objective": { "name": "binary:logistic" },
              "gradient_booster": { "model": { "trees": [ { "left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [1, 0, 0],
                "split_conditions": [0.5, -2, 3], "default_left": [1, 0, 0] } ] } } } }
            """);
        Assert.Equal(-2, ensemble.Margin([9, 0.4f]));
        Assert.Equal(3, ensemble.Margin([9, 0.5f]));
        Assert.Equal(-2, ensemble.Margin([9, float.NaN]));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("nothing")]
    [InlineData("""[ { "nodeid": 0, "split": "f0", "split_condition": 1, "yes": 1, "no": 2, "missing": 1, "children": [ { "nodeid": 1, "leaf": 1 } ] } ]""")]
    public void What_is_no_ensemble_is_refused(string text) => Assert.Throws<InvalidDataException>(() => TreeFile.Read(text));

    [Fact]
    public void An_ONNX_ensemble_is_read_as_it_scores()
    {
        var node = new NodeProto { OpType = "TreeEnsembleClassifier", Domain = "ai.onnx.ml" };
        void Whole(string name, params long[] values) => node.Attribute.Add(new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } });
        void Numbers(string name, params float[] values) => node.Attribute.Add(new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Floats, Floats = { values } });
        Whole("nodes_treeids", 0, 0, 0);
        Whole("nodes_nodeids", 0, 1, 2);
        Whole("nodes_featureids", 1, 0, 0);
        Whole("nodes_truenodeids", 1, 0, 0);
        Whole("nodes_falsenodeids", 2, 0, 0);
        Numbers("nodes_values", 0.5f, 0, 0);
        var modes = new AttributeProto { Name = "nodes_modes", Type = AttributeProto.Types.AttributeType.Strings };
        foreach (var mode in (string[])["BRANCH_LEQ", "LEAF", "LEAF"])
            modes.Strings.Add(Google.Protobuf.ByteString.CopyFromUtf8(mode));
        node.Attribute.Add(modes);
        node.Attribute.Add(new AttributeProto { Name = "post_transform", Type = AttributeProto.Types.AttributeType.String, S = Google.Protobuf.ByteString.CopyFromUtf8("LOGISTIC") });
        Whole("class_treeids", 0, 0);
        Whole("class_nodeids", 1, 2);
        Whole("class_ids", 0, 0);
        Numbers("class_weights", -2, 3);
        var model = new ModelProto { Graph = new GraphProto { Node = { node }, Output = { new ValueInfoProto { Name = "probabilities" } } } };
        var ensemble = OnnxTrees.Read(Google.Protobuf.MessageExtensions.ToByteArray(model));
        Assert.Equal((-2, 3), (ensemble.Margin([9, 0.5f]), ensemble.Margin([9, 0.6f])));

        modes.Strings[0] = Google.Protobuf.ByteString.CopyFromUtf8("BRANCH_EQ");
        Assert.Contains("BRANCH_EQ", Assert.Throws<InvalidDataException>(() => OnnxTrees.Read(Google.Protobuf.MessageExtensions.ToByteArray(model))).Message, StringComparison.Ordinal);
        node.OpType = "Gemm";
        Assert.Throws<InvalidDataException>(() => OnnxTrees.Read(Google.Protobuf.MessageExtensions.ToByteArray(model)));
    }
}
