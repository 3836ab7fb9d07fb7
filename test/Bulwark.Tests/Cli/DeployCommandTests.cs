using System.Text.Json;
using Bulwark.Cli;
using Bulwark.Deployment;
using Bulwark.Models;
using Bulwark.Tests.Models;

namespace Bulwark.Tests.Cli;

/// <summary>The commands of confidential pods, of Gramine's manifests and of models whose weights are apart: exit codes and files.</summary>
public sealed class DeployCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Confidential_manifests_come_with_their_initdata_and_its_prediction_is_compared()
    {
        await File.WriteAllTextAsync(_folder["topology.yaml"], $$"""
            name: fraud
            namespace: fraud-scoring
            image: registry.example/bulwark@sha256:{{new string('1', 64)}}
            arguments: [serve, /model/fraud.bulwark]
            userNamespace: false
            confidential: {hardware: tdx, entrypoint: [/app/bulwark]}
            """, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await RunAsync("deploy", "generate", _folder["topology.yaml"], "-o", _folder["manifests"])).Code);
        Assert.Equal(0, (await RunAsync("deploy", "check", _folder["manifests"], "--level", "hardened")).Code);
        var file = Path.Combine(_folder["manifests"], "initdata.toml");
        var (code, output) = await RunAsync("deploy", "initdata", file, "--json");
        Assert.Equal(0, code);
        using var answer = JsonDocument.Parse(output);
        var predicted = answer.RootElement.GetProperty("mrConfigId").GetString()!;
        Assert.Equal(Initdata.Parse(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)).MrConfigId, predicted);
        Assert.Equal(0, (await RunAsync("deploy", "initdata", file, "--mr-config-id", predicted)).Code);
        Assert.Equal(1, (await RunAsync("deploy", "initdata", file, "--mr-config-id", new string('0', 96))).Code);
        Assert.Equal(2, (await RunAsync("deploy", "initdata", _folder["topology.yaml"])).Code);
    }

    [Fact]
    public async Task A_manifest_for_Gramine_is_written_and_an_insecure_one_is_refused()
    {
        Directory.CreateDirectory(_folder["worker"]);
        Directory.CreateDirectory(_folder["gramine"]);
        await File.WriteAllTextAsync(Path.Combine(_folder["worker"], "Bulwark.Worker"), "program", TestContext.Current.CancellationToken);
        Assert.Equal(0, (await RunAsync("deploy", "gramine", "generate", _folder["worker"], "-o", _folder["m"], "--gramine", _folder["gramine"], "--argument", "serve")).Code);
        Assert.Equal(0, (await RunAsync("deploy", "gramine", "check", _folder["m"])).Code);
        var manifest = await File.ReadAllTextAsync(_folder["m"], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["m"], "loader.insecure__use_host_env = true\n" + manifest, TestContext.Current.CancellationToken);
        var (code, output) = await RunAsync("deploy", "gramine", "check", _folder["m"]);
        Assert.Equal(1, code);
        Assert.Contains("loader.insecure__use_host_env", output, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("deploy", "gramine", "generate", _folder["gramine"], "-o", _folder["m"])).Code);
    }

    [Fact]
    public async Task A_model_is_imported_with_its_weights_apart_when_asked_to()
    {
        Directory.CreateDirectory(_folder["onnx"]);
        var onnx = LookupModel.Write(_folder["onnx"], 10, (7, 2.5f));
        await File.WriteAllTextAsync(_folder["schema.json"], LookupModel.Schema(10).ToJson(), TestContext.Current.CancellationToken);
        Assert.Equal(0, (await RunAsync("model", "import", onnx, "-o", _folder["apart"], "--schema", _folder["schema.json"], "--weights-apart")).Code);
        Assert.Equal(10 * LookupModel.BytesPerRow, new FileInfo(ModelFolder.Load(_folder["apart"]).Weights!).Length);
        Assert.Equal(0, (await RunAsync("model", "import", onnx, "-o", _folder["inside"], "--schema", _folder["schema.json"])).Code);
        Assert.Null(ModelFolder.Load(_folder["inside"]).Weights);
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, "*.tmp"));
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        return (await BulwarkCommand.RunAsync(args, output, error), output.ToString());
    }
}
