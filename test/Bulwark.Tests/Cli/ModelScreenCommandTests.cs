using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Cli;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Networks;
using Bulwark.Worker;

namespace Bulwark.Tests.Cli;

public sealed class ModelScreenCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ModelScreenCommandTests()
    {
        var schema = new FeatureSchema { Label = "y", Features = [new Feature { Name = "a", Minimum = 0, Maximum = 1 }, new Feature { Name = "b", Minimum = 0, Maximum = 1 }] };
        var screen = InputScreen.OfContract(ScreenContract.Of(schema)).WithRelations([new() { Name = "a <= b", Rule = "a <= b", Origin = ScreenRelationOrigin.Learnt, Rows = 500, Shuffled = 0.5 }], new(250, 0));
        var manifest = new ModelManifest { Name = "m", Version = "1", Created = DateTimeOffset.UnixEpoch };
        new ModelFolder(manifest, new Dictionary<string, ReadOnlyMemory<byte>>
        {
            [ModelFolder.OnnxName] = OnnxModel.Export(schema, DenseNetwork<float>.Create(new NetworkShape(2, [4], 1), seed: 1)),
            [ModelFolder.ScreenName] = screen.ToJson(),
        }).Save(_folder["model"]);
        File.WriteAllText(_folder["more.json"], """{"format":"bulwark-constraints/v1","oneHot":[["a","b"]],"relations":[{"name":"b is twice a at most","rule":"b <= 2 * a"}]}""");
    }

    private InputScreen Kept => InputScreen.FromJson(File.ReadAllBytes(Path.Combine(_folder["model"], ModelFolder.ScreenName)));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Relations_are_shown_with_their_origin_and_the_bound_on_what_they_refuse()
    {
        var (code, output, _) = await RunAsync("model", "screen", _folder["model"], "--json");
        Assert.Equal(0, code);
        using var answer = JsonDocument.Parse(output);
        Assert.Equal("learnt", answer.RootElement.GetProperty("relations")[0].GetProperty("origin").GetString());
        Assert.Equal(1 - Math.Pow(0.05, 1 / 250.0), answer.RootElement.GetProperty("check").GetProperty("atMost95").GetDouble(), 1e-9);   // the closed form of none in 250
        var (_, inspected, _) = await RunAsync("model", "inspect", _folder["model"], "--json");
        Assert.Contains("a \\u003C= b", inspected.Replace("a <= b", "a \\u003C= b", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Constraints_are_added_learnt_ones_removed_and_the_whole_exported()
    {
        Assert.Equal(0, (await RunAsync("model", "screen", _folder["model"], "--constraints", _folder["more.json"], "--remove", "a <= b", "--export", _folder["out.json"])).Code);
        Assert.Equal(["a + b = 1", "b <= 2 * a"], Kept.Relations.Select(relation => relation.Rule));
        Assert.All(Kept.Relations, relation => Assert.Equal(ScreenRelationOrigin.Declared, relation.Origin));
        Assert.Null(Kept.RelationCheck);
        Assert.Equal(2, TabularConstraints.Parse(await File.ReadAllTextAsync(_folder["out.json"], TestContext.Current.CancellationToken)).Relations.Count);
    }

    [Theory]
    [InlineData("""{"format":"bulwark-constraints/v1","relations":[{"name":"x","rule":"c <= a"}]}""", "'c', which is no feature")]
    [InlineData("""{"format":"bulwark-constraints/v1","relations":[{"name":"a <= b","rule":"b <= a"}]}""", "2 times")]
    public async Task What_does_not_fit_changes_nothing(string constraints, string why)
    {
        var before = Kept.ToJson();
        await File.WriteAllTextAsync(_folder["bad.json"], constraints, TestContext.Current.CancellationToken);
        var (code, _, error) = await RunAsync("model", "screen", _folder["model"], "--constraints", _folder["bad.json"]);
        Assert.Equal(2, code);
        Assert.Contains(why, error.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("model", "screen", _folder["model"], "--remove", "nothing")).Code);
        Assert.Equal(before, Kept.ToJson());
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        return (await BulwarkCommand.RunAsync(args, output, error), output.ToString(), error.ToString());
    }
}
