using System.Net;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
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
        var (model, data) = await WriteAsync();
        await File.WriteAllTextAsync(_folder["rules.yaml"], """
            format: bulwark-constraints/v1
            features:
              amount: { down: 0.01 }
            relations:
              - { name: vacuous, rule: "0 <= count or 0 < amount" }
            utility: amount
            """, TestContext.Current.CancellationToken);
        string[] suite = ["attack", "suite", "-m", model, "-d", data, "-c", _folder["rules.yaml"], "--samples", "120", "--strengths", "0.05,0.2", "--queries", "60", "--steps", "20", "-w", _folder["none"]];
        var (code, output, error) = await RunAsync([.. suite, "--json", "--html", _folder["r.html"], "--sarif", _folder["r.sarif"], "--junit", _folder["r.xml"], "--state", _folder["state"], "--fail-below", "0.99"]);
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

        Assert.Equal(1, (await RunAsync([.. suite, "--no-checks", "--fail-below", "0"])).Code);
        (code, output, _) = await RunAsync([.. suite, "--state", _folder["other"]]);
        Assert.Equal(0, code);
        Assert.Contains("right under every attack", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shards_are_merged()
    {
        var (model, data) = await WriteAsync();
        string[] suite = ["attack", "suite", "-m", model, "-d", data, "--samples", "60", "--strengths", "0.1", "--steps", "10", "--queries", "20", "--no-checks", "--attacks", "apgd-ce,search", "-w", _folder["none"]];
        Assert.Equal(0, (await RunAsync([.. suite, "--shard", "1/2", "-o", _folder["1.json"]])).Code);
        Assert.Equal(0, (await RunAsync([.. suite, "--shard", "2/2", "-o", _folder["2.json"]])).Code);
        var (_, whole, _) = await RunAsync([.. suite, "--json"]);
        var (code, merged, error) = await RunAsync("attack", "merge", _folder["1.json"], _folder["2.json"], "--json");
        Assert.True(code == 0, error);
        Assert.Equal(Rows(whole), Rows(merged));
        Assert.Equal(2, (await RunAsync("attack", "merge", _folder["1.json"])).Code);
    }

    [Fact]
    public async Task A_sealed_package_is_attacked_with_the_workspaces_keys()
    {
        var (model, data) = await WriteAsync();
        var manifest = new ModelManifest { Name = "fraud", Version = "1.0", Created = DateTimeOffset.UnixEpoch };
        new ModelFolder(manifest, new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = await File.ReadAllBytesAsync(model, TestContext.Current.CancellationToken) }).Save(_folder["run"]);
        Assert.Equal(0, (await RunAsync("init", "-w", _folder["w"])).Code);
        var (code, _, error) = await RunAsync("model", "seal", _folder["run"], "-o", _folder["victim.bulwark"], "-w", _folder["w"]);
        Assert.True(code == 0, error);
        string[] suite = ["attack", "suite", "-m", _folder["victim.bulwark"], "-d", data, "--samples", "40", "--strengths", "0.2", "--steps", "10", "--attacks", "apgd-ce", "--no-checks", "--json"];
        (code, var output, error) = await RunAsync([.. suite, "-w", _folder["w"]]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        Assert.True(document.RootElement.GetProperty("report").GetProperty("whiteBox").GetBoolean());
        (code, _, error) = await RunAsync([.. suite, "-w", _folder["none"]]);
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
    public async Task Constraints_are_tested_on_real_rows()
    {
        var (_, data) = await WriteAsync();
        await File.WriteAllTextAsync(_folder["sound.yaml"], "format: bulwark-constraints/v1\nrelations: [ { name: adult, rule: age >= 18 } ]\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["wrong.yaml"], "format: bulwark-constraints/v1\nrelations: [ { name: old, rule: age >= 60 } ]\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["schema.json"], Victims.Schema.ToJson(), TestContext.Current.CancellationToken);
        var (code, output, error) = await RunAsync("attack", "constraints", "-c", _folder["sound.yaml"], "-d", data, "--label", "fraud", "--schema", _folder["schema.json"]);
        Assert.True(code == 0, output + error);
        (code, output, _) = await RunAsync("attack", "constraints", "-c", _folder["wrong.yaml"], "-d", data, "--label", "fraud", "--schema", _folder["schema.json"]);
        Assert.Equal(1, code);
        Assert.Contains("real rows break it", output, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("attack", "constraints", "-c", data, "-d", data, "--label", "fraud")).Code);
    }

    [Fact]
    public async Task Trees_are_proven_and_attacked()
    {
        var (_, data) = await WriteAsync();
        // Fraud above an amount of 500: as far from it as the row's amount is.
        await File.WriteAllTextAsync(_folder["trees.json"], """
            [ { "nodeid": 0, "split": "f0", "split_condition": 500, "yes": 1, "no": 2, "missing": 1, "children": [ { "nodeid": 1, "leaf": -1 }, { "nodeid": 2, "leaf": 1 } ] } ]
            """, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["schema.json"], Victims.Schema.ToJson(), TestContext.Current.CancellationToken);
        string[] trees = ["attack", "trees", "-t", _folder["trees.json"], "-d", data, "--label", "fraud", "--schema", _folder["schema.json"], "--within", "0.1", "-w", _folder["none"]];
        var (code, output, error) = await RunAsync([.. trees, "--json"]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        var report = document.RootElement.GetProperty("report");
        var (raw, labels) = Victims.Rows();
        var right = Enumerable.Range(0, labels.Length).Where(row => raw[row * 3] >= 500 == (labels[row] == 1)).ToList();
        Assert.Equal(right.Count, report.GetProperty("clean").GetProperty("count").GetInt32());
        var proven = right.Count(row => Math.Abs(raw[row * 3] - 500) > 100);
        Assert.Equal(proven, report.GetProperty("proven").GetProperty("count").GetInt32());
        Assert.Equal(proven, report.GetProperty("unbroken").GetProperty("count").GetInt32());
        Assert.Equal(1, (await RunAsync([.. trees, "--fail-below", "0.99"])).Code);
    }

    private static string Rows(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("report").GetProperty("rows").GetRawText();
    }

    private async Task<(string Model, string Data)> WriteAsync()
    {
        await File.WriteAllBytesAsync(_folder["victim.onnx"], OnnxModel.Export(Victims.Schema, Victims.Network()), TestContext.Current.CancellationToken);
        var (raw, labels) = Victims.Rows();
        var text = new StringBuilder("amount,count,age,fraud\n");
        for (var row = 0; row < labels.Length; row++)
            text.Append(raw[row * 3]).Append(',').Append(raw[(row * 3) + 1]).Append(',').Append(raw[(row * 3) + 2]).Append(',').Append(labels[row]).Append('\n');
        await File.WriteAllTextAsync(_folder["rows.csv"], text.ToString(), TestContext.Current.CancellationToken);
        return (_folder["victim.onnx"], _folder["rows.csv"]);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        var code = await BulwarkCommand.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }

    private sealed class Stub(Func<HttpRequestMessage, string> answer) : HttpMessageHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) => new(HttpStatusCode.OK) { Content = new StringContent(answer(request)) };

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(Send(request, cancellationToken));
    }
}
