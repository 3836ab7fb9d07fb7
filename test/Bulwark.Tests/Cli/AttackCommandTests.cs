using System.Text;
using System.Text.Json;
using Bulwark.Cli;
using Bulwark.Models;
using Bulwark.Tests.Assurance;

namespace Bulwark.Tests.Cli;

public class AttackCommandTests
{
    [Fact]
    public async Task Evasion_reports_before_and_after_logs_itself_and_gates()
    {
        using var folder = new TemporaryFolder();
        var (model, data) = await WriteAsync(folder, steepness: 20);
        Assert.Equal(0, (await RunAsync("init", "-w", folder["w"])).Code);
        string[] attack = ["attack", "evasion", "-m", model, "--data", data, "--samples", "100", "--queries", "30", "--strengths", "0.05,0.2", "-w", folder["w"], "--json"];

        var (code, output, error) = await RunAsync([.. attack, "--baseline", model, "-o", folder["report.json"]]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        var report = document.RootElement.GetProperty("model").GetProperty("report");
        Assert.True(report.GetProperty("whiteBox").GetBoolean());
        Assert.Equal(["fgsm", "pgd", "apgd", "query"], report.GetProperty("outcomes").EnumerateArray().Select(outcome => outcome.GetProperty("attack").GetString()).Distinct());
        Assert.True(document.RootElement.TryGetProperty("baseline", out _));
        Assert.Equal(0, document.RootElement.GetProperty("logEntry").GetInt64());
        Assert.True(File.Exists(folder["report.json"]));

        Assert.Equal(1, (await RunAsync([.. attack, "--fail-above", "0.01"])).Code);
        Assert.Equal(0, (await RunAsync([.. attack, "--fail-above", "0.99"])).Code);
    }

    [Fact]
    public async Task The_table_shows_the_worst_case()
    {
        using var folder = new TemporaryFolder();
        var (model, data) = await WriteAsync(folder, steepness: 20);
        var (code, output, error) = await RunAsync("attack", "evasion", "-m", model, "--data", data, "--samples", "60", "--queries", "20", "-w", folder["none"]);
        Assert.True(code == 0, error);
        Assert.Contains("worst case", output);
        Assert.Contains("untouched: accuracy 100", output);
    }

    [Fact]
    public async Task Membership_reports_rates_with_their_counts()
    {
        using var folder = new TemporaryFolder();
        var (model, data) = await WriteAsync(folder, steepness: 20);
        var (code, output, error) = await RunAsync("attack", "membership", "-m", model, "--members", data, "--others", data, "--json", "-w", folder["none"]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        var report = document.RootElement.GetProperty("model").GetProperty("report");
        Assert.Equal(0.5, report.GetProperty("auc").GetDouble(), 1e-9);
        Assert.Equal(2, report.GetProperty("points").GetArrayLength());
    }

    [Fact]
    public async Task Membership_by_shadow_models_gates_and_attributes_and_inversion_stand_beside_their_baselines()
    {
        using var folder = new TemporaryFolder();
        var (model, data) = await WriteAsync(folder, steepness: 20);
        string[] rows = ["-m", model, "--members", data, "--others", data, "--json", "-w", folder["none"]];
        var (code, output, error) = await RunAsync(["attack", "membership", "--shadows", "4", "--fail-above", "0.9", .. rows]);
        Assert.True(code == 0, error);
        using var membership = JsonDocument.Parse(output);
        Assert.Equal(4, membership.RootElement.GetProperty("model").GetProperty("attacks").GetArrayLength());   // labels, two likelihood ratios, references
        Assert.Equal(2, (await RunAsync(["attack", "membership", "--shadows", "3", .. rows])).Code);
        (code, output, error) = await RunAsync(["attack", "attribute", "--features", "age", .. rows]);
        Assert.True(code == 0, error);
        Assert.Contains("imputed", output, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync(["attack", "attribute", "--features", "colour", .. rows])).Code);
        (code, output, error) = await RunAsync(["attack", "inversion", .. rows]);
        Assert.True(code == 0, error);
        Assert.Contains("baselineDistance", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_sees_bins_is_attacked_by_queries()
    {
        using var folder = new TemporaryFolder();
        var (_, data) = await WriteAsync(folder, steepness: 20);
        var schema = Victims.Schema.WithEqualBins(8);
        var encoder = new FeatureEncoder(schema);
        var network = new Bulwark.Networks.DenseNetwork<float>(new(encoder.EncodedWidth, [], 1));
        for (var column = 0; column < encoder.EncodedWidth; column++)
            network.Weights(0)[column] = encoder.Columns[column].Feature < 2 ? column % 8 : 0;
        network.Biases(0)[0] = -7;
        await File.WriteAllBytesAsync(folder["binned.onnx"], OnnxModel.Export(schema, network), TestContext.Current.CancellationToken);
        var (code, output, error) = await RunAsync("attack", "evasion", "-m", folder["binned.onnx"], "--data", data, "--samples", "60", "--queries", "50", "--strengths", "0,0.3", "-w", folder["none"], "--json");
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        var report = document.RootElement.GetProperty("model").GetProperty("report");
        Assert.False(report.GetProperty("whiteBox").GetBoolean());
        Assert.Equal(["query"], report.GetProperty("outcomes").EnumerateArray().Select(outcome => outcome.GetProperty("attack").GetString()).Distinct());
    }

    [Fact]
    public async Task A_feature_that_does_not_exist_cannot_be_attacked()
    {
        using var folder = new TemporaryFolder();
        var (model, data) = await WriteAsync(folder, steepness: 20);
        var (code, _, error) = await RunAsync("attack", "evasion", "-m", model, "--data", data, "--mutable", "colour", "-w", folder["none"]);
        Assert.Equal(2, code);
        Assert.Contains("colour", error);
        (code, _, error) = await RunAsync("attack", "evasion", "-m", model, "--data", data, "--strengths", "much", "-w", folder["none"]);
        Assert.Equal(2, code);
        Assert.Contains("much", error);
    }

    private static async Task<(string Model, string Data)> WriteAsync(TemporaryFolder folder, float steepness)
    {
        await File.WriteAllBytesAsync(folder["victim.onnx"], OnnxModel.Export(Victims.Schema, Victims.Network(steepness)), TestContext.Current.CancellationToken);
        var (raw, labels) = Victims.Rows();
        var text = new StringBuilder("amount,count,age,fraud\n");
        for (var row = 0; row < labels.Length; row++)
            text.Append(raw[row * 3]).Append(',').Append(raw[(row * 3) + 1]).Append(',').Append(raw[(row * 3) + 2]).Append(',').Append(labels[row]).Append('\n');
        await File.WriteAllTextAsync(folder["rows.csv"], text.ToString(), TestContext.Current.CancellationToken);
        return (folder["victim.onnx"], folder["rows.csv"]);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        var code = await BulwarkCommand.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
