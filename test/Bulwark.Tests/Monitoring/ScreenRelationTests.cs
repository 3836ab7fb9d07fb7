using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Monitoring;

namespace Bulwark.Tests.Monitoring;

public class ScreenRelationTests
{
    private static readonly ScreenField[] s_fields =
    [
        new() { Name = "amount", Kind = ScreenFieldKind.Numeric, Minimum = 0, Maximum = 1000 },
        new() { Name = "fee", Kind = ScreenFieldKind.Numeric, Minimum = 0, Maximum = 1000 },
        new() { Name = "kind", Kind = ScreenFieldKind.Categorical, Categories = 3, AllowMissing = true },
    ];

    private static readonly InputScreen s_screen = InputScreen.OfContract(s_fields).WithRelations([new() { Name = "fees are small", Rule = "fee <= 0.1 * amount" }, new() { Name = "no fee on cash", Rule = "kind = 2 => fee = 0" }]);

    [Theory]
    [InlineData(new[] { 100f, 10, 0 }, ScreenOutcome.Accepted, "")]
    [InlineData(new[] { 100f, 11, 0 }, ScreenOutcome.RelationBroken, "relation fees are small")]
    [InlineData(new[] { 100f, 1, 2 }, ScreenOutcome.RelationBroken, "relation no fee on cash")]
    [InlineData(new[] { 100f, 1, -1 }, ScreenOutcome.Accepted, "")]   // the category is missing
    [InlineData(new[] { 100f, 1001, 2 }, ScreenOutcome.OutOfBounds, "feature fee")]
    public void The_relation_that_is_broken_is_named_and_no_value(float[] row, ScreenOutcome expected, string name)
    {
        var verdict = s_screen.CheckContract(row);
        Assert.Equal((expected, name), (verdict.Outcome, s_screen.NameOf(verdict)));
    }

    [Fact]
    public void Fitting_and_calibrating_keep_the_relations()
    {
        float[] encoded = [0, 0.1f, 0.2f, 0.3f, 0.5f, 0.4f, 0.1f, 0.2f];
        var (mean, covariance) = InputScreen.Moments(encoded, 2);
        var screen = InputScreen.Fit(s_fields, mean, covariance).WithRelations(s_screen.Relations).Calibrate(encoded, 0);
        Assert.Equal(ScreenOutcome.RelationBroken, screen.Check([100, 11, 0], [0.1f, 0.2f]).Outcome);
        Assert.Equal(2, screen.WithThreshold(3).Relations.Count);
    }

    [Fact]
    public void Relations_are_version_2_and_come_back_as_they_were()
    {
        var json = s_screen.WithRelations([.. s_screen.Relations, new() { Name = "x", Rule = "fee <= amount", Origin = ScreenRelationOrigin.Learnt, Rows = 500, Shuffled = 0.4 }], new(250, 1)).ToJson();
        var read = InputScreen.FromJson(json);
        Assert.Equal("bulwark.dev/input-screen/v2", (string?)JsonNode.Parse(json)!["format"]);
        Assert.Equal(3, read.Relations.Count);
        Assert.Equal(new RelationCheck(250, 1), read.RelationCheck);
        Assert.Equal(json, read.ToJson());
    }

    [Fact]
    public void A_screen_without_relations_is_version_1_still()
    {
        var json = InputScreen.OfContract(s_fields).ToJson();
        Assert.Equal("bulwark.dev/input-screen/v1", (string?)JsonNode.Parse(json)!["format"]);
        Assert.Empty(InputScreen.FromJson(json).Relations);
    }

    [Theory]
    [InlineData("format", "\"bulwark.dev/input-screen/v1\"", "has no relations")]
    [InlineData("relations", "[]", "there are none")]
    [InlineData("relations", "null", "there are none")]
    [InlineData("relations", """[{"name":"a","rule":"fee <= nothing","origin":"declared","rows":0,"shuffled":0}]""", "'nothing', which is no feature")]
    [InlineData("relations", """[{"name":"a","rule":"fee","origin":"declared","rows":0,"shuffled":0}]""", "comparison is missing")]
    [InlineData("relations", """[{"name":"","rule":"fee <= amount","origin":"declared","rows":0,"shuffled":0}]""", "name is empty")]
    [InlineData("relations", """[{"name":"a","rule":"fee <= amount","origin":1,"rows":0,"shuffled":0}]""", "origin")]
    [InlineData("relations", """[{"name":"a","rule":"fee <= amount","origin":"learnt","rows":0,"shuffled":2}]""", "shuffled share")]
    [InlineData("relations", """[{"name":"a","rule":"fee <= amount"},{"name":"a","rule":"fee < amount"}]""", "2 times")]
    [InlineData("relationCheck", """{"rows":3,"broken":4}""", "4 of 3")]
    public void Unsound_relations_are_refused(string member, string value, string why)
    {
        var document = JsonNode.Parse(s_screen.ToJson())!;
        document[member] = JsonNode.Parse(value);
        var fault = Assert.Throws<InvalidDataException>(() => InputScreen.FromJson(Encoding.UTF8.GetBytes(document.ToJsonString())));
        Assert.Contains(why, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_row_costs_is_bounded()
    {
        var sum = string.Join(" + ", Enumerable.Repeat("fee", 1000));
        ScreenRelation[] long8 = [.. Enumerable.Range(0, 8).Select(i => new ScreenRelation { Name = $"{i}", Rule = $"{sum} <= amount" })];
        Assert.Contains("operations", Assert.Throws<ArgumentException>(() => InputScreen.OfContract(s_fields).WithRelations(long8)).Message, StringComparison.Ordinal);
        ScreenRelation[] many = [.. Enumerable.Range(0, 257).Select(i => new ScreenRelation { Name = $"{i}", Rule = "fee <= amount" })];
        Assert.Contains("at most 256", Assert.Throws<ArgumentException>(() => InputScreen.OfContract(s_fields).WithRelations(many)).Message, StringComparison.Ordinal);
    }
}
