using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Tests.Cli;

public sealed class VerifyCommandTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public async ValueTask InitializeAsync() => Assert.Equal(0, (await RunAsync("init")).Code);

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_file_is_sealed_verified_and_opened_again()
    {
        await File.WriteAllTextAsync(_folder["a.csv"], "id,amount\n1,2\n", TestContext.Current.CancellationToken);
        Assert.Equal(0, (await RunAsync("seal", _folder["a.csv"], "--context", "year=2026")).Code);
        var (code, output, _) = await RunAsync("verify", _folder["a.csv.sealed"], "--json");
        Assert.Equal(0, code);
        using var document = JsonDocument.Parse(output);
        Assert.Equal("sealed file", document.RootElement.GetProperty("kind").GetString());
        Assert.True(document.RootElement.GetProperty("verified").GetBoolean());
        Assert.Equal(0, (await RunAsync("open", _folder["a.csv.sealed"], "-o", _folder["b.csv"])).Code);
        Assert.Equal("id,amount\n1,2\n", await File.ReadAllTextAsync(_folder["b.csv"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_changed_sealed_file_is_answered_no_and_leaves_no_file()
    {
        await File.WriteAllTextAsync(_folder["a.csv"], "id,amount\n1,2\n", TestContext.Current.CancellationToken);
        await RunAsync("seal", _folder["a.csv"]);
        var bytes = await File.ReadAllBytesAsync(_folder["a.csv.sealed"], TestContext.Current.CancellationToken);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(_folder["a.csv.sealed"], bytes, TestContext.Current.CancellationToken);
        Assert.Equal(1, (await RunAsync("verify", _folder["a.csv.sealed"])).Code);
        Assert.Equal(1, (await RunAsync("open", _folder["a.csv.sealed"], "-o", _folder["b.csv"])).Code);
        Assert.False(File.Exists(_folder["b.csv"]));
    }

    [Fact]
    public async Task A_file_sealed_elsewhere_could_not_be_asked_and_names_its_key()
    {
        using var elsewhere = new TemporaryFolder();
        await File.WriteAllTextAsync(_folder["a"], "secret", TestContext.Current.CancellationToken);
        Assert.Equal(0, (await CommandContractTests.RunAsync(["init", "-w", elsewhere["w"]])).Code);
        Assert.Equal(0, (await CommandContractTests.RunAsync(["keys", "create", "theirs", "-w", elsewhere["w"]])).Code);
        Assert.Equal(0, (await CommandContractTests.RunAsync(["seal", _folder["a"], "--key", "theirs", "-w", elsewhere["w"]])).Code);
        var (code, _, error) = await RunAsync("open", _folder["a.sealed"]);
        Assert.Equal(2, code);
        Assert.Contains("theirs@1", error);
    }

    [Fact]
    public async Task An_entry_is_appended_proved_and_verified_offline()
    {
        await File.WriteAllTextAsync(_folder["entry"], "hello", TestContext.Current.CancellationToken);
        Assert.Equal(0, (await RunAsync("log", "append", _folder["entry"])).Code);
        Assert.Equal(0, (await RunAsync("log", "prove", "0", "-o", _folder["p.tlog-proof"])).Code);
        Assert.Equal(0, (await RunAsync("log", "verify")).Code);
        Assert.Equal(0, (await RunAsync("verify", _folder["p.tlog-proof"], "--entry", _folder["entry"])).Code);
        await File.WriteAllTextAsync(_folder["entry"], "hullo", TestContext.Current.CancellationToken);
        var (code, output, _) = await RunAsync("verify", _folder["p.tlog-proof"], "--entry", _folder["entry"]);
        Assert.Equal(1, code);
        Assert.Contains("NotIncluded", output);
        Assert.Equal(2, (await RunAsync("log", "prove", "1")).Code);
    }

    [Fact]
    public async Task A_changed_log_is_answered_no_and_names_the_entry()
    {
        await File.WriteAllTextAsync(_folder["entry"], "hello", TestContext.Current.CancellationToken);
        await RunAsync("log", "append", _folder["entry"]);
        var bundle = Path.Combine(_folder["w"], "log", "tile", "entries", "000.p", "1");
        await File.WriteAllBytesAsync(bundle, [0, 5, .. "hullo"u8], TestContext.Current.CancellationToken);
        var (code, output, _) = await RunAsync("log", "verify");
        Assert.Equal(1, code);
        Assert.Contains("Entry 0 ", output);
        Assert.Equal(1, (await RunAsync("verify", Path.Combine(_folder["w"], "log"))).Code);
    }

    [Fact]
    public async Task A_log_rolled_back_behind_a_kept_checkpoint_is_answered_no()
    {
        await File.WriteAllTextAsync(_folder["entry"], "hello", TestContext.Current.CancellationToken);
        var log = Path.Combine(_folder["w"], "log");
        var old = await File.ReadAllBytesAsync(Path.Combine(log, "checkpoint"), TestContext.Current.CancellationToken);
        await RunAsync("log", "append", _folder["entry"]);
        var (_, seen, _) = await RunAsync("log", "checkpoint");
        await File.WriteAllTextAsync(_folder["seen"], seen, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await RunAsync("log", "verify", "--seen", _folder["seen"])).Code);
        Assert.Equal(0, (await RunAsync("verify", _folder["seen"])).Code);
        await File.WriteAllBytesAsync(Path.Combine(log, "checkpoint"), old, TestContext.Current.CancellationToken);
        Assert.Equal(0, (await RunAsync("log", "verify")).Code);
        Assert.Equal(1, (await RunAsync("log", "verify", "--seen", _folder["seen"])).Code);
    }

    [Fact]
    public async Task A_signed_statement_is_verified_only_with_a_trusted_key()
    {
        using var stranger = Signer.Generate();
        var statement = Bulwark.Tests.Lineage.SampleClaims.Evaluated();
        await File.WriteAllBytesAsync(_folder["s.json"], Dsse.Sign(statement, stranger), TestContext.Current.CancellationToken);
        Assert.Equal(1, (await RunAsync("verify", _folder["s.json"])).Code);
        Assert.Equal(0, (await RunAsync("verify", _folder["s.json"], "--key", stranger.PublicKey.ToString())).Code);
    }

    [Theory]
    [InlineData("id,amount\n1,2\n")]
    [InlineData("{}")]
    [InlineData("{ broken")]
    [InlineData("")]
    public async Task A_file_of_nobodys_could_not_be_asked(string text)
    {
        await File.WriteAllTextAsync(_folder["x"], text, TestContext.Current.CancellationToken);
        Assert.Equal(2, (await RunAsync("verify", _folder["x"])).Code);
    }

    [Fact]
    public async Task Keys_are_listed_rotated_and_retired_without_a_secret()
    {
        Assert.Equal(0, (await RunAsync("keys", "rotate", "sealing")).Code);
        Assert.Equal(0, (await RunAsync("keys", "retire", "sealing@1")).Code);
        var (code, output, _) = await RunAsync("keys", "list", "--json");
        Assert.Equal(0, code);
        using var document = JsonDocument.Parse(output);
        var keys = document.RootElement.GetProperty("keys").EnumerateArray().ToDictionary(key => key.GetProperty("id").GetString()!);
        Assert.Equal("decryptOnly", keys["sealing@1"].GetProperty("state").GetString());
        Assert.Equal("enabled", keys["sealing@2"].GetProperty("state").GetString());
        Assert.Equal(2, (await RunAsync("keys", "create", "sealing")).Code);
        Assert.Equal(2, (await RunAsync("keys", "rotate", "absent")).Code);
        Assert.StartsWith("ed25519:", (await RunAsync("keys", "export-public", "log")).Output);
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] args) => CommandContractTests.RunAsync([.. args, "-w", _folder["w"]]);
}
