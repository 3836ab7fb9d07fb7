using System.Net;
using System.Text.Json;
using System.Xml.Linq;
using Bulwark.Assurance;
using Bulwark.Cli;
using Bulwark.Cli.Attacks;
using Bulwark.Models;
using Bulwark.Tests.Assurance;

namespace Bulwark.Tests.Cli;

public sealed class AttackSuiteCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_suite_writes_every_format_and_a_raised_flag_fails_the_gate()
    {
        var (model, data) = await _folder.WriteVictimAsync();
        await File.WriteAllTextAsync(_folder["rules.yaml"], """
            format: bulwark-constraints/v1
            features:
              amount: { down: 0.01 }
            relations:
              - { name: vacuous, rule: "0 <= count or 0 < amount" }
            utility: amount
            """, TestContext.Current.CancellationToken);
        string[] suite = ["attack", "suite", "-m", model, "-d", data, "-c", _folder["rules.yaml"], "--samples", "120", "--strengths", "0.05,0.2", "--queries", "60", "--steps", "20", "-w", _folder["none"]];
        var (code, output, error) = await AttackRun.RunAsync([.. suite, "--json", "--html", _folder["r.html"], "--sarif", _folder["r.sarif"], "--junit", _folder["r.xml"], "--state", _folder["state"], "--fail-below", "0.99"]);
        Assert.True(code == 1, error);
        Assert.Contains("vacuous", error, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(output);
        var report = document.RootElement.GetProperty("report");
        Assert.Equal(["apgd-ce", "apgd-t", "capgd", "fab-t", "search", "price"], report.GetProperty("attacks").EnumerateArray().Select(attack => attack.GetString()));
        Assert.Equal(120, report.GetProperty("rows").GetArrayLength());
        Assert.True(report.GetProperty("curve")[1].GetProperty("meanNetGain").GetDouble() > 0);
        Assert.False(document.RootElement.GetProperty("gate").GetProperty("passed").GetBoolean());

        using var sarif = JsonDocument.Parse(await File.ReadAllTextAsync(_folder["r.sarif"], TestContext.Current.CancellationToken));
        Assert.Equal("2.1.0", sarif.RootElement.GetProperty("version").GetString());
        Assert.Contains(sarif.RootElement.GetProperty("runs")[0].GetProperty("results").EnumerateArray(), result => result.GetProperty("ruleId").GetString() == "gate");
        var junit = XDocument.Load(_folder["r.xml"]).Root!;
        Assert.Equal(junit.Elements("testcase").Count(), (int)junit.Attribute("tests")!);
        Assert.Contains(junit.Elements("testcase"), test => test.Element("failure") is not null && ((string)test.Attribute("name")!).StartsWith("gate", StringComparison.Ordinal));
        Assert.Contains("<svg", await File.ReadAllTextAsync(_folder["r.html"], TestContext.Current.CancellationToken), StringComparison.Ordinal);

        Assert.Equal(1, (await AttackRun.RunAsync([.. suite, "--no-checks", "--fail-below", "0"])).Code);
        (code, output, _) = await AttackRun.RunAsync([.. suite, "--state", _folder["other"]]);
        Assert.Equal(0, code);
        Assert.Contains("right under every attack", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shards_are_merged()
    {
        var (model, data) = await _folder.WriteVictimAsync();
        string[] suite = ["attack", "suite", "-m", model, "-d", data, "--samples", "60", "--strengths", "0.1", "--steps", "10", "--queries", "20", "--no-checks", "--attacks", "apgd-ce,search", "-w", _folder["none"]];
        Assert.Equal(0, (await AttackRun.RunAsync([.. suite, "--shard", "1/2", "-o", _folder["1.json"]])).Code);
        Assert.Equal(0, (await AttackRun.RunAsync([.. suite, "--shard", "2/2", "-o", _folder["2.json"]])).Code);
        var (_, whole, _) = await AttackRun.RunAsync([.. suite, "--json"]);
        var (code, merged, error) = await AttackRun.RunAsync("attack", "merge", _folder["1.json"], _folder["2.json"], "--json");
        Assert.True(code == 0, error);
        Assert.Equal(Rows(whole), Rows(merged));
        Assert.Equal(2, (await AttackRun.RunAsync("attack", "merge", _folder["1.json"])).Code);
    }

    [Fact]
    public async Task A_sealed_package_is_attacked_with_the_workspaces_keys()
    {
        var (model, data) = await _folder.WriteVictimAsync();
        var sealedModel = await _folder.SealVictimAsync(model);
        string[] suite = ["attack", "suite", "-m", sealedModel, "-d", data, "--samples", "40", "--strengths", "0.2", "--steps", "10", "--attacks", "apgd-ce", "--no-checks", "--json"];
        var (code, output, error) = await AttackRun.RunAsync([.. suite, "-w", _folder["w"]]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        Assert.True(document.RootElement.GetProperty("report").GetProperty("whiteBox").GetBoolean());
        (code, _, error) = await AttackRun.RunAsync([.. suite, "-w", _folder["none"]]);
        Assert.Equal(2, code);
        Assert.Contains("sealed", error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_endpoint_is_asked_within_its_budget()
    {
        var asked = 0;
        using var scorer = new RemoteScorer(new("https://host/v2/models/fraud"), Victims.Schema, 10, new Stub(request =>
        {
            asked++;
            Assert.Equal("https://host/v2/models/fraud/infer", request.RequestUri!.AbsoluteUri);
            Assert.Equal("Bearer token", request.Headers.Authorization!.ToString());
            return """{ "outputs": [ { "name": "score", "datatype": "FP32", "shape": [2, 1], "data": [0.25, 0.75] } ] }""";
        }), "token");
        var scores = new float[2];
        scorer.Score([1, 2, 3, 4, 5, 6], 2, scores);
        Assert.Equal([0.25f, 0.75f], scores);
        var refused = Assert.Throws<CommandException>(() => scorer.Score(new float[27], 9, new float[9]));
        Assert.Contains("budget", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task A_stage_is_attacked_through_its_stand_in_and_reported_without()
    {
        var (model, data) = await _folder.WriteVictimAsync();
        string[] suite = ["attack", "suite", "-m", model, "-d", data, "--samples", "60", "--strengths", "0.2", "--steps", "20", "--queries", "60", "--attacks", "apgd-ce,search", "--stage", "levels:9", "--json", "-w", _folder["none"]];
        Assert.Equal((true, false), Flagged((await AttackRun.RunAsync([.. suite, "--no-stand-in"])).Output, "F4", "F6"));
        Assert.Equal((false, false), Flagged((await AttackRun.RunAsync(suite)).Output, "F4", "F6"));
        string[] noisy = [.. suite.Select(argument => argument == "levels:9" ? "noise:0.02" : argument)];
        var (_, output, _) = await AttackRun.RunAsync(noisy);
        Assert.Equal((true, false), Flagged(output, "F6", "F4"));
        Assert.Contains("behind noise:0.02", output, StringComparison.Ordinal);
        Assert.Equal((false, false), Flagged((await AttackRun.RunAsync([.. noisy, "--draws", "20"])).Output, "F6", "F4"));
        Assert.Equal(2, (await AttackRun.RunAsync([.. suite, "--stage", "blur:3"])).Code);
    }

    [Fact]
    public async Task Images_are_attacked_on_a_model_and_within_an_endpoints_budget()
    {
        var schema = new FeatureSchema { Label = "y", Features = [.. Enumerable.Range(0, PlantedModels.Width).Select(i => new Feature { Name = $"p{i}", Minimum = 0, Maximum = 1 })] };
        await File.WriteAllBytesAsync(_folder["planted.onnx"], OnnxModel.Export(schema, PlantedModels.Network), TestContext.Current.CancellationToken);
        byte[] pixels = [.. PlantedModels.Inputs.Select(value => (byte)Math.Round(value * 255))];
        byte[] labels = [.. PlantedModels.Labels.Select(label => (byte)label)];
        await File.WriteAllBytesAsync(_folder["i.idx"], [0, 0, 8, 3, 0, 0, 0, PlantedModels.Rows, 0, 0, 0, 4, 0, 0, 0, 5, .. pixels], TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(_folder["l.idx"], [0, 0, 8, 1, 0, 0, 0, PlantedModels.Rows, .. labels], TestContext.Current.CancellationToken);
        string[] images = ["attack", "images", "-m", _folder["planted.onnx"], "--images", _folder["i.idx"], "--labels", _folder["l.idx"], "--attacks", "apgd-ce,square", "--strengths", "0.02,0.1", "--steps", "20", "--queries", "100", "--no-checks", "-w", _folder["none"]];
        var (code, output, error) = await AttackRun.RunAsync([.. images, "--json", "--html", _folder["i.html"]]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        var curve = document.RootElement.GetProperty("report").GetProperty("curve");
        Assert.True(curve[1].GetProperty("robust").GetProperty("count").GetInt32() < curve[0].GetProperty("robust").GetProperty("count").GetInt32());
        Assert.Equal(2, (await AttackRun.RunAsync([.. images, "--endpoint", "https://host/v2/models/m"])).Code);

        var asked = new QueriedNetwork(new DifferentiableNetwork<float>(PlantedModels.Network));
        using var remote = new RemoteImages(new("https://host/v2/models/m"), [1, 4, 5], PlantedModels.Inputs.AsSpan(0, PlantedModels.Width), 20_000, new Stub(request =>
        {
            using var body = JsonDocument.Parse(request.Content!.ReadAsStream());
            var input = body.RootElement.GetProperty("inputs")[0];
            Assert.Equal([1, 4, 5], input.GetProperty("shape").EnumerateArray().Skip(1).Select(size => size.GetInt32()));
            float[] points = [.. input.GetProperty("data").EnumerateArray().Select(value => value.GetSingle())];
            var scores = new float[points.Length / PlantedModels.Width * 3];
            asked.Score(points, points.Length / PlantedModels.Width, scores);
            return JsonSerializer.Serialize(new { outputs = new[] { new { name = "scores", datatype = "FP32", shape = new[] { scores.Length / 3, 3 }, data = scores } } });
        }), null);
        Assert.Equal(3, remote.Classes);
        var target = new PointTarget(remote, null) { Image = (1, 4, 5) };
        var options = new SuiteOptions { Attacks = ["square"], Strengths = [0.1], Queries = 100, Checks = false };
        var report = AttackSuite.Run(target, PlantedModels.Inputs, PlantedModels.Labels, options, cancel: TestContext.Current.CancellationToken);
        Assert.InRange(report.Curve[0].AttackSuccess.Rate, 0.2, 1);
        Assert.Contains("budget", Assert.Throws<CommandException>(() => AttackSuite.Run(target, PlantedModels.Inputs, PlantedModels.Labels, options with { Queries = 10_000, Strengths = [0.001] }, cancel: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_endpoint_that_does_not_answer_is_said_to_be_late_and_not_an_interruption()
    {
        using var endpoint = new InferenceEndpoint(new("https://host/v2/models/m"), 10, new Stub(_ => throw new TaskCanceledException("waited", new TimeoutException())), null);
        Assert.Contains("did not answer", Assert.Throws<CommandException>(() => endpoint.Ask([1], 1, [1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Constraints_are_tested_on_real_rows()
    {
        var (_, data) = await _folder.WriteVictimAsync();
        await File.WriteAllTextAsync(_folder["sound.yaml"], "format: bulwark-constraints/v1\nrelations: [ { name: adult, rule: age >= 18 } ]\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["wrong.yaml"], "format: bulwark-constraints/v1\nrelations: [ { name: old, rule: age >= 60 } ]\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["schema.json"], Victims.Schema.ToJson(), TestContext.Current.CancellationToken);
        var (code, output, error) = await AttackRun.RunAsync("attack", "constraints", "-c", _folder["sound.yaml"], "-d", data, "--label", "fraud", "--schema", _folder["schema.json"]);
        Assert.True(code == 0, output + error);
        (code, output, _) = await AttackRun.RunAsync("attack", "constraints", "-c", _folder["wrong.yaml"], "-d", data, "--label", "fraud", "--schema", _folder["schema.json"]);
        Assert.Equal(1, code);
        Assert.Contains("real rows break it", output, StringComparison.Ordinal);
        Assert.Equal(2, (await AttackRun.RunAsync("attack", "constraints", "-c", data, "-d", data, "--label", "fraud")).Code);
    }

    [Fact]
    public async Task Trees_are_proven_and_attacked()
    {
        var (_, data) = await _folder.WriteVictimAsync();
        // Fraud above an amount of 500: as far from it as the row's amount is.
        await File.WriteAllTextAsync(_folder["trees.json"], """
            [ { "nodeid": 0, "split": "f0", "split_condition": 500, "yes": 1, "no": 2, "missing": 1, "children": [ { "nodeid": 1, "leaf": -1 }, { "nodeid": 2, "leaf": 1 } ] } ]
            """, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["schema.json"], Victims.Schema.ToJson(), TestContext.Current.CancellationToken);
        string[] trees = ["attack", "trees", "-t", _folder["trees.json"], "-d", data, "--label", "fraud", "--schema", _folder["schema.json"], "--within", "0.1", "-w", _folder["none"]];
        var (code, output, error) = await AttackRun.RunAsync([.. trees, "--json"]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        var report = document.RootElement.GetProperty("report");
        var (raw, labels) = Victims.Rows();
        var right = Enumerable.Range(0, labels.Length).Where(row => raw[row * 3] >= 500 == (labels[row] == 1)).ToList();
        Assert.Equal(right.Count, report.GetProperty("clean").GetProperty("count").GetInt32());
        var proven = right.Count(row => Math.Abs(raw[row * 3] - 500) > 100);
        Assert.Equal(proven, report.GetProperty("proven").GetProperty("count").GetInt32());
        Assert.Equal(proven, report.GetProperty("unbroken").GetProperty("count").GetInt32());
        Assert.Equal(1, (await AttackRun.RunAsync([.. trees, "--fail-below", "0.99"])).Code);
    }

    private static (bool First, bool Second) Flagged(string json, string first, string second)
    {
        using var document = JsonDocument.Parse(json);
        var flags = document.RootElement.GetProperty("report").GetProperty("flags").EnumerateArray().Select(flag => flag.GetProperty("id").GetString()).ToHashSet();
        return (flags.Contains(first), flags.Contains(second));
    }

    private static string Rows(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("report").GetProperty("rows").GetRawText();
    }

    private sealed class Stub(Func<HttpRequestMessage, string> answer) : HttpMessageHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) => new(HttpStatusCode.OK) { Content = new StringContent(answer(request)) };

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(Send(request, cancellationToken));
    }
}
