using Bulwark.Assurance;

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
}
