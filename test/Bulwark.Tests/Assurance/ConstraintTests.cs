using Bulwark.Assurance;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Networks;

namespace Bulwark.Tests.Assurance;

public class ConstraintTests
{
    private static readonly FeatureSchema s_schema = new()
    {
        Label = "fraud",
        Features =
        [
            new() { Name = "amount", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 100, Mutable = true },
            new() { Name = "count", Kind = FeatureKind.Integer, Minimum = 0, Maximum = 20, Mutable = true },
            new() { Name = "total", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 2000, Mutable = true },
            new() { Name = "web", Kind = FeatureKind.Binary, Mutable = true },
            new() { Name = "shop", Kind = FeatureKind.Binary, Mutable = true },
            new() { Name = "age", Kind = FeatureKind.Integer, Minimum = 0, Maximum = 99 },
        ],
    };

    private static readonly TabularConstraints s_constraints = new()
    {
        Format = TabularConstraints.FormatName,
        OneHot = [["web", "shop"]],
        Features = new Dictionary<string, FeatureRule> { ["count"] = new() { Direction = ChangeDirection.Up, Up = 2, Change = 1 }, ["amount"] = new() { Down = 0.5 } },
        Relations =
        [
            new() { Name = "product", Rule = "total = amount * count", Repair = true },
            new() { Name = "web has count", Rule = "web > 0 => count >= 1" },
        ],
        Utility = "amount",
    };

    [Theory]
    [InlineData("amount <= total", 10f, 2f, 20f, 0.0)]
    [InlineData("amount > total", 10f, 2f, 20f, 10.000002)]
    [InlineData("total = amount * count", 10f, 2f, 25f, 5)]
    [InlineData("total = amount * count within 4", 10f, 2f, 25f, 1)]
    [InlineData("count in {1, 3, 4}", 10f, 2f, 0f, 1)]
    [InlineData("not (amount <= 5 or count <= 1)", 10f, 2f, 0f, 0)]
    [InlineData("not (amount <= 5 or count <= 1)", 4f, 1f, 0f, 1.000004)]
    [InlineData("amount > 5 => count > 3 and total > 1", 10f, 2f, 0f, 2.000004)]
    [InlineData("(amount + 2) * count - -1 <= 2 ^ 3 ^ 1", 10f, 2f, 0f, 17)]
    [InlineData("div(amount, count, -1) = -1", 10f, 0f, 0f, 0)]
    [InlineData("min(amount, 3) + max(count, 7) + abs(1 - 5) + sqrt(4) + floor(2.9) + log(1) + exp(0) + 7 % 4 <= 0", 10f, 2f, 0f, 22)]
    [InlineData("`amount` != 10", 10f, 2f, 0f, 2e-6)]
    public void A_relation_says_how_far_a_row_is_from_it(string rule, float amount, float count, float total, double expected)
    {
        var tape = RelationParser.Read(rule, s_schema.IndexOf);
        Assert.Equal(expected, tape.Value([amount, count, total, 0f, 0f, 0f]), 1e-9);
        Assert.Equal(expected == 0, tape.Holds([amount, count, total, 0, 0, 0]));
    }

    [Theory]
    [InlineData("amount <= nothing", "nothing")]
    [InlineData("amount + 1", "comparison")]
    [InlineData("amount <= 3 4", "goes on")]
    [InlineData("min(amount) <= 3", "min takes 2")]
    [InlineData("count in {1, 2", "'}' is missing")]
    [InlineData("`amount <= 3", "has no end")]
    [InlineData("(amount <= 3", "missing")]
    [InlineData("", "missing")]
    public void A_rule_that_is_none_is_refused_with_the_reason(string rule, string reason)
    {
        var fault = Assert.Throws<InvalidDataException>(() => (s_constraints with { Relations = [new() { Name = "r", Rule = rule }] }).Compile(s_schema));
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_of_a_thousand_brackets_is_refused() =>
        Assert.Throws<InvalidDataException>(() => (s_constraints with { Relations = [new() { Name = "r", Rule = new string('(', 5000) + "amount" }] }).Compile(s_schema));

    [Fact]
    public void The_gradient_is_the_differences()
    {
        var tape = RelationParser.Read("log(amount + 1) * count ^ 2 / (total + 3) + div(total, count, 1) + max(amount, total) - abs(amount - 50) <= sqrt(count) and total = amount % 7", s_schema.IndexOf);
        double[] row = [30, 4, 60, 0, 1, 9];
        var gradient = new double[6];
        var value = tape.Gradient(row, 2, gradient);
        Assert.Equal(value, tape.Value((ReadOnlySpan<double>)row), 1e-12);
        for (var j = 0; j < 6; j++)
        {
            double[] up = [.. row], down = [.. row];
            (up[j], down[j]) = (up[j] + 1e-5, down[j] - 1e-5);
            Assert.Equal((tape.Value((ReadOnlySpan<double>)up) - tape.Value((ReadOnlySpan<double>)down)) / 1e-5, gradient[j], 1e-4);
        }
    }

    [Fact]
    public void What_cannot_be_sent_is_rejected_for_its_reason()
    {
        var compiled = s_constraints.Compile(s_schema);
        float[] original = [10, 2, 20, 1, 0, 40];
        Assert.Null(compiled.Reject(original, original));
        Assert.Contains("age cannot be changed", compiled.Reject([10, 2, 20, 1, 0, 41], original), StringComparison.Ordinal);
        Assert.Contains("whole", compiled.Reject([10, 2.5f, 25, 1, 0, 40], original), StringComparison.Ordinal);
        Assert.Contains("outside", compiled.Reject([101, 2, 202, 1, 0, 40], original), StringComparison.Ordinal);
        Assert.Contains("up only", compiled.Reject([10, 1, 10, 1, 0, 40], original), StringComparison.Ordinal);
        Assert.Contains("exactly one", compiled.Reject([10, 2, 20, 1, 1, 40], original), StringComparison.Ordinal);
        Assert.Equal("product", compiled.Reject([10, 3, 20, 1, 0, 40], original));
        Assert.Equal("web has count", compiled.Reject([10, 0, 0, 1, 0, 40]));
    }

    [Fact]
    public void Repair_makes_what_can_be_sent_and_moves_nothing_else()
    {
        var compiled = s_constraints.Compile(s_schema);
        var draws = new SeededDraws(3);
        float[] original = [10, 2, 20, 1, 0, 40];
        for (var trial = 0; trial < 500; trial++)
        {
            float[] row = [.. original.Select((value, j) => (float)(value + (draws.Normal() * (j == 2 ? 0 : 5))))];
            compiled.Repair(row, original);
            if (row[0] * row[1] <= 2000)
                Assert.Null(compiled.Reject(row, original));
            Assert.Equal(40, row[5]);
        }

        float[] same = [.. original];
        compiled.Repair(same, original);
        Assert.Equal(original, same);
    }

    [Fact]
    public void Cost_is_what_the_prices_say()
    {
        var compiled = s_constraints.Compile(s_schema);
        float[] original = [10, 2, 20, 1, 0, 40];
        Assert.Equal(0, compiled.Cost(original, original));
        Assert.Equal(1 + (3 * 2), compiled.Cost([10, 5, 50, 1, 0, 40], original));
        Assert.Equal(4 * 0.5, compiled.Cost([6, 2, 12, 1, 0, 40], original), 1e-6);
        Assert.Equal(double.PositiveInfinity, compiled.Cost([10, 2, 20, 1, 0, 41], original));
        Assert.Equal(10, compiled.Utility(original));
    }

    [Fact]
    public void A_rule_that_real_rows_break_or_no_row_can_break_is_found()
    {
        var constraints = new TabularConstraints
        {
            Format = TabularConstraints.FormatName,
            Relations = [new() { Name = "right", Rule = "amount <= total" }, new() { Name = "wrong", Rule = "total <= amount" }, new() { Name = "vacuous", Rule = "0 <= count or 0 < amount" }],
        };
        float[] rows = [.. Enumerable.Range(1, 50).SelectMany(i => (float[])[i, i % 20, 3 * i, 1, 0, 30])];
        var tests = ConstraintSelfTest.Run(constraints.Compile(s_schema), rows);
        Assert.Equal([true, false, false], tests.Select(test => test.Sound));
        Assert.Equal((50, 0), (tests[1].Broken, tests[1].FirstBroken));
        Assert.Equal((0, 0), (tests[2].Broken, tests[2].Caught));
    }

    [Fact]
    public void A_file_is_read_strictly_and_written_back_alike()
    {
        Assert.Equal(s_constraints.ToJson(), TabularConstraints.Parse(s_constraints.ToJson()).ToJson());
        Assert.Throws<InvalidDataException>(() => TabularConstraints.Parse("""{ "format": "bulwark-constraints/v1", "relation": [] }"""));
        Assert.Throws<InvalidDataException>(() => TabularConstraints.Parse("""{ "format": "bulwark-constraints/v2" }"""));
        Assert.Throws<InvalidDataException>(() => TabularConstraints.Parse("""{ "format": "bulwark-constraints/v1", "features": { "a": { "up": -1 } } }"""));
        Assert.Throws<InvalidDataException>(() => TabularConstraints.Parse("nothing"));
    }

    [Fact]
    public void Attacks_under_constraints_send_only_what_can_be_sent()
    {
        var network = new DenseNetwork<float>(new(6, [], 2));
        (network.Weights(0)[1], network.Weights(0)[3], network.Biases(0)[1]) = (8, 8, -4);
        var model = new DifferentiableNetwork<float>(network);
        var encoder = new FeatureEncoder(s_schema);
        var space = new TabularSpace(encoder, (s_constraints with { Features = new Dictionary<string, FeatureRule> { ["amount"] = new() { Down = 0.1 } } }).Compile(s_schema));
        var draws = new SeededDraws(8);
        float[] rows = [.. Enumerable.Range(0, 60).SelectMany(_ =>
        {
            var (amount, count) = ((float)(draws.Uniform() * 100), (float)(1 + draws.Below(19)));
            return (float[])[amount, count, amount * count, 1, 0, 30];
        })];
        int[] labels = [.. Enumerable.Range(0, 60).Select(row => LossFunction.Predict(model.Forward(encoder.Encode(rows), 60).Slice(row * 2, 2)))];
        var reach = new TabularReach(PerturbationNorm.L2, 0.3, Budget: 2);
        var adversarial = new float[rows.Length];
        var gradient = new ConstrainedGradientDescent { Epsilon = 0.3 }.Run(model, space, rows, labels, adversarial);
        AssertSendable(space, reach with { Budget = double.PositiveInfinity }, rows, adversarial);
        var won = new TabularSearch { Reach = reach, Queries = 300 }.Run(new NetworkRows(encoder, model, 0.5), space, rows, labels, (rows, rows), adversarial);
        AssertSendable(space, reach, rows, adversarial);
        Assert.True(gradient.Count(true) > 5 && won.Count(true) > 5);
    }

    [Fact]
    public void A_search_depends_on_no_neighbour()
    {
        var network = new DenseNetwork<float>(new(6, [], 1));
        (network.Weights(0)[0], network.Biases(0)[0]) = (8, -4);
        var encoder = new FeatureEncoder(s_schema);
        var space = new TabularSpace(encoder, TabularConstraints.None.Compile(s_schema));
        float[] rows = [20, 3, 60, 1, 0, 5, 70, 3, 210, 0, 1, 9];
        var search = new TabularSearch { Reach = new(PerturbationNorm.Linf, 0.1), Queries = 40 };
        var (both, one) = (new float[12], new float[6]);
        search.Run(new NetworkRows(encoder, new DifferentiableNetwork<float>(network), 0.5), space, rows, [0, 1], (rows, rows), both);
        search.Run(new NetworkRows(encoder, new DifferentiableNetwork<float>(network), 0.5), space, rows.AsSpan(6), [1], (rows, rows), one);
        Assert.Equal(both[6..], one);
    }

    private static void AssertSendable(TabularSpace space, TabularReach reach, float[] rows, float[] adversarial)
    {
        var (before, after) = (space.Encoder.Encode(rows), space.Encoder.Encode(adversarial));
        for (var row = 0; row < 60; row++)
            Assert.Null(reach.Reject(space, adversarial.AsSpan(row * 6, 6), rows.AsSpan(row * 6, 6), after.AsSpan(row * 6, 6), before.AsSpan(row * 6, 6)));
    }
}
