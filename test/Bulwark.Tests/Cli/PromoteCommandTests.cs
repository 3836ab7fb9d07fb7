using System.Text.Json;
using Bulwark.Models;
using Bulwark.Tests.Assurance;

namespace Bulwark.Tests.Cli;

public sealed class PromoteCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private string _champion = "";
    private string _rows = "";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_model_that_is_no_worse_takes_the_place_of_the_one_that_serves()
    {
        await ServeChampionAsync();
        var next = await SealAsync("next", 25);
        var (code, answer) = await PromoteAsync(next, "--over", _champion, "--rows", _rows, "--canaries", _rows, "--margin", "0.05");
        Assert.Equal((0, true), (code, answer.GetProperty("promoted").GetBoolean()));
        Assert.Equal(["signature", "sealed", "champion", "no worse", "no worse on positives", "canaries"], Names(answer, passed: true));
        Assert.NotEqual(JsonValueKind.Null, answer.GetProperty("replaces").ValueKind);
    }

    [Fact]
    public async Task A_model_that_lost_what_the_old_one_knew_is_refused_and_the_refusal_is_recorded()
    {
        await ServeChampionAsync();
        var next = await SealAsync("next", -25);
        var (code, answer) = await PromoteAsync(next, "--over", _champion, "--rows", _rows, "--canaries", _rows);
        Assert.Equal(1, code);
        Assert.Equal(["no worse", "no worse on positives", "canaries"], Names(answer, passed: false));
        Assert.True(answer.GetProperty("logIndex").GetInt64() > 0);
    }

    [Fact]
    public async Task Nobody_wins_against_another_model_than_the_one_that_serves()
    {
        await ServeChampionAsync();
        var (weak, next) = (await SealAsync("weak", -25), await SealAsync("next", -25));
        var (code, answer) = await PromoteAsync(next, "--over", weak, "--rows", _rows, "--margin", "0.05");
        Assert.Equal((1, "champion"), (code, Assert.Single(Names(answer, passed: false))));
    }

    [Fact]
    public async Task Rows_without_a_model_to_compare_with_and_the_other_way_round_are_refused()
    {
        await ServeChampionAsync();
        var (code, _, error) = await AttackRun.RunAsync("model", "promote", _champion, "--to", "production", "--rows", _rows, "-w", _folder["w"]);
        Assert.Equal(2, code);
        Assert.Contains("--over", error);
        (code, _, error) = await AttackRun.RunAsync("model", "promote", _champion, "--to", "production", "--over", _champion, "-w", _folder["w"]);
        Assert.Equal(2, code);
        Assert.Contains("--rows", error);
    }

    private async Task ServeChampionAsync()
    {
        (var model, _rows) = await _folder.WriteVictimAsync();
        _champion = await _folder.SealVictimAsync(model);
        Assert.Equal(0, (await PromoteAsync(_champion)).Code);
    }

    private async Task<string> SealAsync(string name, float steepness)
    {
        var manifest = new ModelManifest { Name = name, Version = "1.0", Created = DateTimeOffset.UnixEpoch };
        new ModelFolder(manifest, new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = OnnxModel.Export(Victims.Schema, Victims.Network(steepness)) }).Save(_folder[name]);
        var (code, _, error) = await AttackRun.RunAsync("model", "seal", _folder[name], "-o", _folder[name + ".bulwark"], "-w", _folder["w"]);
        Assert.True(code == 0, error);
        return _folder[name + ".bulwark"];
    }

    private async Task<(int Code, JsonElement Answer)> PromoteAsync(string package, params string[] more)
    {
        var (code, output, error) = await AttackRun.RunAsync(["model", "promote", package, "--to", "production", "--json", "-w", _folder["w"], .. more]);
        Assert.True(code != 2, error);
        using var document = JsonDocument.Parse(output);
        return (code, document.RootElement.Clone());
    }

    private static string[] Names(JsonElement answer, bool passed) =>
        [.. answer.GetProperty("gates").EnumerateArray().Where(gate => gate.GetProperty("passed").GetBoolean() == passed).Select(gate => gate.GetProperty("name").GetString()!)];
}
