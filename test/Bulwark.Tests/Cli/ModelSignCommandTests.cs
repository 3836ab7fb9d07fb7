using System.Text.Json;

namespace Bulwark.Tests.Cli;

public sealed class ModelSignCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ModelSignCommandTests()
    {
        Directory.CreateDirectory(_folder["model"]);
        File.WriteAllText(_folder["model/a.txt"], "a");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_model_is_signed_checked_and_refused_once_it_changed()
    {
        Assert.Equal(0, (await RunAsync("init")).Code);
        Assert.Equal(0, (await RunAsync("model", "signing-key", "-o", _folder["release.pem"])).Code);
        Assert.Equal(2, (await RunAsync("model", "signing-key", "-o", _folder["release.pem"])).Code);
        var (signed, answer) = await RunAsync("model", "sign", _folder["model"], "--key", _folder["release.pem"]);
        Assert.Equal((0, 1), (signed, answer.GetProperty("resources").GetInt32()));
        Assert.True(answer.GetProperty("logIndex").GetInt64() >= 0);
        Assert.Equal(0, (await RunAsync("model", "verify-signature", _folder["model"], "--key", _folder["release.pub"])).Code);
        await File.WriteAllTextAsync(_folder["model/a.txt"], "b", TestContext.Current.CancellationToken);
        var (code, report) = await RunAsync("model", "verify-signature", _folder["model"], "--key", _folder["release.pub"]);
        Assert.Equal((1, "modelAltered"), (code, report.GetProperty("verdict").GetString()));
        Assert.Equal("a.txt", report.GetProperty("changed")[0].GetString());
    }

    [Fact]
    public async Task Without_a_key_a_signature_or_a_model_the_question_cannot_be_asked()
    {
        Assert.Equal(2, (await RunAsync("model", "sign", _folder["model"], "--key", _folder["none.pem"])).Code);
        Assert.Equal(2, (await RunAsync("model", "verify-signature", _folder["model"], "--key", _folder["none.pem"])).Code);
        await File.WriteAllTextAsync(_folder["model/model.sig"], "{}", TestContext.Current.CancellationToken);
        Assert.Equal(2, (await RunAsync("model", "verify-signature", _folder["model"])).Code);
    }

    private async Task<(int Code, JsonElement Answer)> RunAsync(params string[] arguments)
    {
        var (code, output, _) = await CommandContractTests.RunAsync([.. arguments, "--json", "-w", _folder["w"]]);
        using var document = JsonDocument.Parse(output.Length == 0 ? "{}" : output);
        return (code, document.RootElement.Clone());
    }
}
