using Bulwark.Cli;
using Bulwark.Cli.Making;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Training;
using Bulwark.Worker;

namespace Bulwark.Tests.Cli;

/// <summary>A model is not trained under relations that real rows break, and its screen never outgrows its limits.</summary>
public class FittedScreenTests
{
    private static readonly FeatureSchema s_schema = FeatureSchema.Parse("""
        {"label":"bad","features":[
          {"name":"day","kind":"numeric","minimum":0,"maximum":100},
          {"name":"week","kind":"numeric","minimum":0,"maximum":100}]}
        """);

    private static readonly ScreenRelation s_kept = new() { Name = "positive", Rule = "day >= 0" };
    private static readonly ScreenRelation s_broken = new() { Name = "day within week", Rule = "day <= week" };

    [Theory]
    [InlineData(4, 0)]
    [InlineData(0, 4)]
    public void A_declared_relation_that_many_rows_break_is_refused_by_name(int brokenTest, int brokenTraining)
    {
        var refused = Assert.Throws<CommandException>(() => FittedScreen.RequireSound(Request(Rows(300, brokenTraining), Rows(300, brokenTest)) with { Relations = [s_kept, s_broken] }));
        Assert.Contains($"4 of 300 {(brokenTest > 0 ? "test" : "training")} rows", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'day within week': day <= week", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Few_broken_rows_are_counted_and_not_refused()
    {
        var request = Request(Rows(300, 3), Rows(300, 3)) with { Relations = [s_kept, s_broken] };
        FittedScreen.RequireSound(request);
        var (screen, encoded) = Fitted(request);
        Assert.Equal(3, ScreenRefusals.Of(screen, request.Test, encoded).Relations);
    }

    [Fact]
    public void Private_training_rows_are_not_asked()
    {
        var request = Request(Rows(300, 150), Rows(300, 0)) with { Relations = [s_broken] };
        FittedScreen.RequireSound(request with { Options = new() { Private = new() } });
        Assert.Throws<CommandException>(() => FittedScreen.RequireSound(request));
    }

    [Fact]
    public void What_the_screen_refuses_of_test_rows_is_counted_by_its_parts()
    {
        var request = Request(Rows(1000, 0), Rows(1000, 0));
        var (screen, _) = Fitted(request);
        Assert.Contains(screen.Relations, relation => relation is { Rule: "day <= week", Origin: ScreenRelationOrigin.Learnt });
        float[] raw = [.. request.Test.Raw[..20], 200, 300, 50, 40, 0.001f, 99.9f];
        var rows = Of(raw);
        var counted = ScreenRefusals.Of(screen.WithThreshold(1.5f), rows, rows.Encode(new(s_schema)));
        Assert.Equal((13, 1, 1), (counted.Rows, counted.Contract, counted.Relations));
        Assert.InRange(counted.Distance, 1, 10);
        Assert.Equal(counted.Contract + counted.Relations + counted.Distance, counted.Refused);
    }

    [Fact]
    public void The_learner_takes_what_declared_relations_leave()
    {
        var many = Enumerable.Range(0, InputScreen.MostRelations).Select(i => new ScreenRelation { Name = $"r{i}", Rule = $"day + {i} >= 0" }).ToArray();
        var full = Request(Rows(400, 0), Rows(400, 0)) with { Relations = many };
        Assert.Equal(many.Length, Fitted(full).Screen.Relations.Count);
        Assert.Equal(many.Length, Fitted(full with { Relations = many[1..] }).Screen.Relations.Count);   // one learnt beside them

        var tens = string.Join(" + ", Enumerable.Repeat("day", 20));
        var costly = Enumerable.Range(0, 185).Select(i => new ScreenRelation { Name = $"c{i}", Rule = $"{tens} >= -{i}" }).ToArray();
        var declared = InputScreen.OfContract(ScreenContract.Of(s_schema)).WithRelations(costly);
        Assert.Equal(InputScreen.MostRelationOperations - declared.RelationOperations, FittedScreen.Room(declared).MostOperations);
        Assert.InRange(Fitted(full with { Relations = costly }).Screen.RelationOperations, declared.RelationOperations, InputScreen.MostRelationOperations);
    }

    private static (InputScreen Screen, EncodedDataset Encoded) Fitted(TrainingRequest request)
    {
        var encoder = new FeatureEncoder(s_schema);
        var encoded = request.Test.Encode(encoder);
        return (FittedScreen.Of(request, request.Train.Encode(encoder), encoded, TestContext.Current.CancellationToken), encoded);
    }

    private static TrainingRequest Request(Dataset train, Dataset test) => new("m", train, test, new(), new DirectoryInfo("none"));

    /// <summary>The day is within the week but in the first rows.</summary>
    private static Dataset Rows(int count, int broken)
    {
        var random = new Random(count + broken);
        return Of([.. Enumerable.Range(0, count).SelectMany(row => (float)(random.NextDouble() * 90) is var day && row < broken ? (float[])[day + 5, day] : [day, day + 1 + (random.NextSingle() * (99 - day))])]);
    }

    private static Dataset Of(float[] raw) => new(s_schema, raw, [.. Enumerable.Range(0, raw.Length / 2).Select(row => row % 2)], new Dictionary<string, int>(), Digest.Of("rows"u8));
}
