using System.Text.Json;
using Bulwark.EndToEnd.Making;
using Bulwark.Models;
using Bulwark.Monitoring;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>What <c>model harden</c> and <c>model screen</c> wrote into a model's folder, sealed and served.</summary>
public sealed class HardenedModelTests
{
    [Fact]
    public async Task Scores_leave_with_the_decimals_that_model_harden_left_them()
    {
        double[] plain, hardened;
        using (var world = await GatewayWorld.CreateAsync())
            plain = await ScoresAsync(world);
        using (var world = await GatewayWorld.CreateAsync(folder => RunAsync("model", "harden", folder, "--decimals", "1")))
            hardened = await ScoresAsync(world);
        Assert.All(plain, score => Assert.NotEqual(score, Math.Round(score, 1), 1e-6));
        Assert.All(hardened, score => Assert.Equal(score, Math.Round(score, 1), 1e-6));
        Assert.All(plain.Zip(hardened), pair => Assert.InRange(pair.Second, pair.First - 0.1, pair.First + 0.1));   // never over the decision's edge
    }

    [Fact]
    public async Task A_row_that_breaks_a_declared_relation_is_refused_under_its_name()
    {
        using var world = await GatewayWorld.CreateAsync(async folder =>
        {
            var constraints = folder + ".json";
            await File.WriteAllTextAsync(constraints, """{"format":"bulwark-constraints/v1","relations":[{"name":"the young pay little","rule":"age < 25 => amount <= 60"}]}""", GatewayWorld.Cancel);
            await RunAsync("model", "screen", folder, "--constraints", constraints);
            Assert.Single(InputScreen.FromJson(await File.ReadAllBytesAsync(Path.Combine(folder, ModelFolder.ScreenName), GatewayWorld.Cancel)).Relations);
        });
        await using var host = await world.StartAsync();
        using var client = world.Payments(host);
        using var kept = await GatewayWorld.InferAsync(client, GatewayWorld.Body([50, 24, 1]));
        Assert.True(kept.IsSuccessStatusCode, await kept.Content.ReadAsStringAsync(GatewayWorld.Cancel));
        using var broken = await GatewayWorld.InferAsync(client, GatewayWorld.Body([61.5f, 24, 1]));
        var text = await broken.Content.ReadAsStringAsync(GatewayWorld.Cancel);
        Assert.Equal(422, (int)broken.StatusCode);
        Assert.Contains("relation-broken: row 0, relation the young pay little", text, StringComparison.Ordinal);
        Assert.DoesNotContain("61.5", text, StringComparison.Ordinal);
    }

    private static async Task RunAsync(params string[] args)
    {
        var answered = await CommandLine.RunAsync(args);
        Assert.True(answered.Code == 0, answered.Said);
    }

    private static async Task<double[]> ScoresAsync(GatewayWorld world)
    {
        await using var host = await world.StartAsync();
        using var client = world.Payments(host);
        using var answer = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow, [700, 90, 0]));
        var text = await answer.Content.ReadAsStringAsync(GatewayWorld.Cancel);
        Assert.True(answer.IsSuccessStatusCode, text);
        using var document = JsonDocument.Parse(text);
        return [.. document.RootElement.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(score => score.GetDouble())];
    }
}
