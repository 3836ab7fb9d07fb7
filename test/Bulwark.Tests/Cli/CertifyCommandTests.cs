using System.Text.Json;
using Bulwark.Cli;
using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Tests.Cli;

public class CertifyCommandTests
{
    [Fact]
    public async Task Rows_are_proven_as_far_as_the_true_margin_goes()
    {
        using var folder = new TemporaryFolder();
        var (model, data, _) = await WriteAsync(folder);
        var (code, output, error) = await RunAsync("certify", "rows", "-m", model, "--data", data, "--eps", "0.05,0.3", "--mutable", "all", "--json", "-w", folder["none"]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        var certified = document.RootElement.GetProperty("certified");
        Assert.Equal([40, 40, 20], certified.EnumerateArray().Select(share => share.GetProperty("rows").GetProperty("count").GetInt32()));
        (code, _, _) = await RunAsync("certify", "rows", "-m", model, "--data", data, "--eps", "0.3", "--mutable", "all", "--fail-below", "0.9", "-w", folder["none"]);
        Assert.Equal(1, code);
        (code, _, error) = await RunAsync("certify", "rows", "-m", model, "--data", data, "--eps", "far", "-w", folder["none"]);
        Assert.Equal(2, code);
        Assert.Contains("far", error);
    }

    [Fact]
    public async Task Smoothing_certifies_what_lies_far_from_the_boundary()
    {
        using var folder = new TemporaryFolder();
        var (model, data, _) = await WriteAsync(folder);
        var (code, output, error) = await RunAsync("certify", "rows", "-m", model, "--data", data, "--method", "smoothing", "--eps", "0.05", "--draws", "1000", "--alpha", "1e-9", "--json", "-w", folder["none"]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        Assert.Equal(40, document.RootElement.GetProperty("certified")[1].GetProperty("rows").GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task A_vote_of_parts_withstands_poisoned_rows()
    {
        using var folder = new TemporaryFolder();
        var (_, data, schema) = await WriteAsync(folder, rows: 400);
        var (code, output, error) = await RunAsync("certify", "poisoning", data, "--test", data, "--schema", schema, "--parts", "5", "--json", "-w", folder["none"]);
        Assert.True(code == 0, error);
        using var document = JsonDocument.Parse(output);
        var shares = document.RootElement.GetProperty("certified").EnumerateArray().ToList();
        Assert.Equal([0, 1, 2], shares.Select(share => share.GetProperty("poisonedRows").GetInt32()));
        Assert.True(shares[2].GetProperty("rows").GetProperty("rate").GetDouble() > 0.9, output);
    }

    /// <summary>One feature, a boundary at one half, rows at 0.1 from it and at 0.4 in equal parts.</summary>
    private static async Task<(string Model, string Data, string Schema)> WriteAsync(TemporaryFolder folder, int rows = 40)
    {
        var schema = new FeatureSchema { Label = "fraud", Features = [new Feature { Name = "amount", Minimum = 0, Maximum = 1, Mutable = true }] };
        var network = new DenseNetwork<float>(new(new FeatureEncoder(schema).EncodedWidth, [], 1));
        network.Weights(0)[0] = 20;
        network.Biases(0)[0] = -10;
        var (model, data, file) = (folder["model.onnx"], folder["rows.csv"], folder["schema.json"]);
        await File.WriteAllBytesAsync(model, OnnxModel.Export(schema, network), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file, schema.ToJson(), TestContext.Current.CancellationToken);
        string[] amounts = ["0.1", "0.4", "0.6", "0.9"];
        await File.WriteAllLinesAsync(data, ["amount,fraud", .. Enumerable.Range(0, rows).Select(row => $"{amounts[row % 4]}{row:d4},{(row % 4 < 2 ? 0 : 1)}")], TestContext.Current.CancellationToken);
        return (model, data, file);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await BulwarkCommand.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
