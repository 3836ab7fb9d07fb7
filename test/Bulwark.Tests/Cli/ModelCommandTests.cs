using System.Text.Json;
using Bulwark.Cli;
using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Tests.Cli;

public sealed class ModelCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Package => _folder["fraud.bulwark"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_sealed_model_is_verified_elsewhere_with_the_signers_key_alone()
    {
        var key = await SealAsync();
        var (code, output, _) = await RunAsync("model", "verify", Package, "--key", key, "--json", "-w", _folder["elsewhere"]);
        Assert.Equal(0, code);
        using var answer = JsonDocument.Parse(output);
        Assert.Equal("trusted", answer.RootElement.GetProperty("verdict").GetString());
        Assert.Equal("2.0", answer.RootElement.GetProperty("manifest").GetProperty("version").GetString());
        Assert.Contains("development", answer.RootElement.GetProperty("manifest").GetProperty("insecureNotes")[0].GetString());
    }

    [Fact]
    public async Task The_workspaces_own_package_is_trusted_without_naming_a_key()
    {
        await SealAsync();
        Assert.Equal(0, (await RunAsync("model", "verify", Package, "-w", _folder["w"])).Code);
    }

    [Fact]
    public async Task Sealing_appends_an_entry_to_the_log()
    {
        await SealAsync();
        Assert.Equal(0, (await RunAsync("model", "inspect", Package, "-w", _folder["w"])).Code);
        var checkpoint = await File.ReadAllLinesAsync(Path.Combine(_folder["w"], "log", "checkpoint"), TestContext.Current.CancellationToken);
        Assert.Equal("2", checkpoint[1]);   // the wrap of its key, and the seal
    }

    [Fact]
    public async Task A_flipped_bit_is_refused_with_exit_code_1_and_the_reason()
    {
        var key = await SealAsync();
        var bytes = await File.ReadAllBytesAsync(Package, TestContext.Current.CancellationToken);
        bytes[bytes.Length / 2] ^= 4;   // the signature stands behind the payload
        await File.WriteAllBytesAsync(Package, bytes, TestContext.Current.CancellationToken);
        var (code, output, _) = await RunAsync("model", "verify", Package, "--key", key);
        Assert.Equal(1, code);
        Assert.Contains("PayloadAltered", output);
    }

    [Fact]
    public async Task Without_a_key_or_workspace_the_signer_is_named_and_not_trusted()
    {
        var key = await SealAsync();
        var (code, output, _) = await RunAsync("model", "verify", Package, "-w", _folder["elsewhere"]);
        Assert.Equal(1, code);
        Assert.Contains("UntrustedSigner", output);
        Assert.Contains(key, output.ReplaceLineEndings(""));
    }

    [Fact]
    public async Task A_file_that_is_no_package_is_refused()
    {
        await File.WriteAllTextAsync(Package, "hello", TestContext.Current.CancellationToken);
        var (code, output, _) = await RunAsync("model", "verify", Package, "--json");
        Assert.Equal(1, code);
        Assert.Contains("notAPackage", output);
    }

    [Fact]
    public async Task A_folder_that_is_no_model_folder_could_not_be_sealed()
    {
        await RunAsync("init", "-w", _folder["w"]);
        Directory.CreateDirectory(_folder["empty"]);
        var (code, _, error) = await RunAsync("model", "seal", _folder["empty"], "-o", Package, "-w", _folder["w"]);
        Assert.Equal(2, code);
        Assert.Contains("manifest.json", error);
        Assert.False(File.Exists(Package));
    }

    [Fact]
    public async Task An_ONNX_file_is_imported_into_a_folder_that_can_be_sealed()
    {
        var onnx = _folder["m.onnx"];
        await File.WriteAllBytesAsync(onnx, Onnx(), TestContext.Current.CancellationToken);
        var (code, output, _) = await RunAsync("model", "import", onnx, "-o", _folder["model"], "--json");
        Assert.Equal(0, code);
        using var answer = JsonDocument.Parse(output);
        Assert.True(answer.RootElement.GetProperty("whiteBox").GetBoolean());
        Assert.Equal("m", ModelFolder.Load(_folder["model"]).Manifest.Name);
        Assert.Equal(2, (await RunAsync("model", "import", Package + ".absent", "-o", _folder["x"])).Code);
        await File.WriteAllTextAsync(onnx, "no model", TestContext.Current.CancellationToken);
        Assert.Equal(2, (await RunAsync("model", "import", onnx, "-o", _folder["x"])).Code);
        Assert.False(Directory.Exists(_folder["x"]));
    }

    [Fact]
    public async Task A_package_can_bear_a_signature_of_the_plain_files_inside_and_one_of_itself_beside_it()
    {
        await SealAsync();
        Assert.Equal(0, (await RunAsync("model", "signing-key", "-o", _folder["release.pem"])).Code);
        var (code, _, error) = await RunAsync("model", "seal", _folder["run"], "-o", Package, "--sign-key", _folder["release.pem"], "-w", _folder["w"]);
        Assert.True(code == 0, error);
        string[] beside = ["model", "verify-signature", Package, "--key", _folder["release.pub"], "-w", _folder["w"]];
        Assert.Equal(0, (await RunAsync(beside)).Code);
        Assert.Equal(0, (await RunAsync([.. beside, "--inside"])).Code);
        Assert.Equal(0, (await RunAsync("verify", Package + ".sig", "--key", _folder["release.pub"], "-w", _folder["w"])).Code);
        Assert.Equal(0, (await RunAsync("model", "verify", Package, "-w", _folder["w"])).Code);
        Assert.Equal(0, (await RunAsync("model", "signing-key", "-o", _folder["other.pem"])).Code);
        Assert.Equal(1, (await RunAsync("model", "verify-signature", Package, "--inside", "--key", _folder["other.pub"], "-w", _folder["w"])).Code);
        var bytes = await File.ReadAllBytesAsync(Package, TestContext.Current.CancellationToken);
        bytes[^100] ^= 4;
        await File.WriteAllBytesAsync(Package, bytes, TestContext.Current.CancellationToken);
        Assert.Equal(1, (await RunAsync(beside)).Code);
    }

    private async Task<string> SealAsync()
    {
        Assert.Equal(0, (await RunAsync("init", "-w", _folder["w"])).Code);
        var manifest = new ModelManifest { Name = "fraud", Version = "1.0", Created = DateTimeOffset.UnixEpoch };
        new ModelFolder(manifest, new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = Onnx() }).Save(_folder["run"]);
        var (code, output, error) = await RunAsync("model", "seal", _folder["run"], "-o", Package, "--version", "2.0", "--json", "-w", _folder["w"]);
        Assert.True(code == 0, error);
        using var answer = JsonDocument.Parse(output);
        return answer.RootElement.GetProperty("signer").GetString()!;
    }

    private static byte[] Onnx()
    {
        var schema = new FeatureSchema { Label = "y", Features = [new Feature { Name = "a", Minimum = 0, Maximum = 1 }] };
        return OnnxModel.Export(schema, DenseNetwork<float>.Create(new NetworkShape(1, [4], 1), seed: 1));
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        return (await BulwarkCommand.RunAsync(args, output, error), output.ToString(), error.ToString());
    }
}
