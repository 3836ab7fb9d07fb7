using System.Text;
using Bulwark.Cli;
using Bulwark.Models;
using Bulwark.Tests.Assurance;

namespace Bulwark.Tests.Cli;

/// <summary>A folder with a model to attack and rows for it, and a way to run commands.</summary>
internal static class AttackRun
{
    internal static async Task<(string Model, string Data)> WriteVictimAsync(this TemporaryFolder folder)
    {
        await File.WriteAllBytesAsync(folder["victim.onnx"], OnnxModel.Export(Victims.Schema, Victims.Network()), TestContext.Current.CancellationToken);
        var (raw, labels) = Victims.Rows();
        var text = new StringBuilder("amount,count,age,fraud\n");
        for (var row = 0; row < labels.Length; row++)
            text.Append(raw[row * 3]).Append(',').Append(raw[(row * 3) + 1]).Append(',').Append(raw[(row * 3) + 2]).Append(',').Append(labels[row]).Append('\n');
        await File.WriteAllTextAsync(folder["rows.csv"], text.ToString(), TestContext.Current.CancellationToken);
        return (folder["victim.onnx"], folder["rows.csv"]);
    }

    /// <summary>The same model sealed with the keys of a new workspace.</summary>
    internal static async Task<string> SealVictimAsync(this TemporaryFolder folder, string model)
    {
        var manifest = new ModelManifest { Name = "fraud", Version = "1.0", Created = DateTimeOffset.UnixEpoch };
        new ModelFolder(manifest, new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = await File.ReadAllBytesAsync(model, TestContext.Current.CancellationToken) }).Save(folder["run"]);
        Assert.Equal(0, (await RunAsync("init", "-w", folder["w"])).Code);
        var (code, _, error) = await RunAsync("model", "seal", folder["run"], "-o", folder["victim.bulwark"], "-w", folder["w"]);
        Assert.True(code == 0, error);
        return folder["victim.bulwark"];
    }

    internal static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        var code = await BulwarkCommand.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
