using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Bulwark.Tests.Cli;

public sealed class SealCommandTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(100_000);
    private string _recipient = "";

    public async ValueTask InitializeAsync()
    {
        Assert.Equal(0, (await RunAsync("init")).Code);
        await File.WriteAllBytesAsync(_folder["a"], _content, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder["phrase"], "correct horse\n", TestContext.Current.CancellationToken);
        _recipient = Json(await RunAsync("seal", "identity", "-o", _folder["me.key"], "--json")).GetProperty("recipient").GetString()!;
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Each_recipient_opens_and_changes_of_them_take_hold()
    {
        Assert.Equal(0, (await RunAsync("seal", _folder["a"], "--to", "sealing", "--to", _recipient, "--suite", "cobblestone")).Code);
        await OpensAsync("a.sealed");
        await OpensAsync("a.sealed", "-i", _folder["me.key"]);
        var changed = Json(await RunAsync("seal", "recipients", _folder["a.sealed"], "--add-passphrase-file", _folder["phrase"], "--remove", _recipient, "--json"));
        Assert.Equal(["sealing@1", "passphrase (Argon2id, 64 MiB, 3 passes)"], changed.GetProperty("slots").EnumerateArray().Select(slot => slot.GetString()));
        await OpensAsync("a.sealed", "--passphrase-file", _folder["phrase"]);
        var (code, _, error) = await RunAsync("open", _folder["a.sealed"], "-i", _folder["me.key"], "-o", _folder["out"]);
        Assert.Equal(2, code);
        Assert.Contains("sealing@1", error);
        Assert.Equal(2, (await RunAsync("seal", "recipients", _folder["a.sealed"], "--remove", "nobody")).Code);
    }

    [Fact]
    public async Task A_private_key_opens_without_any_workspace()
    {
        Assert.Equal(0, (await CommandContractTests.RunAsync(["seal", _folder["a"], "--to", _recipient, "-w", _folder["none"]])).Code);
        Assert.Equal(0, (await CommandContractTests.RunAsync(["open", _folder["a.sealed"], "-i", _folder["me.key"], "-o", _folder["out"], "-w", _folder["none"]])).Code);
        Assert.Equal(_content, await File.ReadAllBytesAsync(_folder["out"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Age_files_are_told_by_their_first_bytes_and_tink_files_are_asked_for()
    {
        Assert.Equal(0, (await RunAsync("seal", _folder["a"], "--format", "age", "--to", _recipient)).Code);
        Assert.Equal(0, (await RunAsync("seal", _folder["a"], "--format", "age", "-a", "--passphrase-file", _folder["phrase"], "-o", _folder["b.age"])).Code);
        Assert.Equal(0, (await RunAsync("seal", _folder["a"], "--format", "tink", "--keyset", _folder["keys.json"], "--segment", "4KB", "--aad", "x")).Code);
        await OpensAsync("a.age", "-i", _folder["me.key"]);
        await OpensAsync("b.age", "--passphrase-file", _folder["phrase"]);
        await OpensAsync("a.tink", "--format", "tink", "--keyset", _folder["keys.json"], "--aad", "x");
        Assert.Contains("EgcIgCAQIBgDGi", await File.ReadAllTextAsync(_folder["keys.json"], TestContext.Current.CancellationToken));   // as tinkey writes AES256_GCM_HKDF_4KB
        Assert.Equal(1, (await RunAsync("open", _folder["a.tink"], "--format", "tink", "--keyset", _folder["keys.json"], "-o", _folder["out"])).Code);
        Assert.Equal(2, (await RunAsync("open", _folder["a.tink"], "-o", _folder["out"])).Code);
        Assert.Equal(2, (await RunAsync("seal", _folder["a"], "--format", "age", "--to", "sealing")).Code);
        Assert.Equal(2, (await RunAsync("open", _folder["a.age"], "-o", _folder["out"])).Code);
    }

    [Theory]
    [InlineData("0-9", 0, 10)]
    [InlineData("99990-200000", 99_990, 100_000)]
    [InlineData("-7", 99_993, 100_000)]
    [InlineData("5-", 5, 100_000)]
    public async Task A_range_is_opened_alone(string range, int from, int to)
    {
        Assert.Equal(0, (await RunAsync("seal", _folder["a"])).Code);
        Assert.Equal(0, (await RunAsync("open", _folder["a.sealed"], "--range", range, "-o", _folder["part"])).Code);
        Assert.Equal(_content[from..to], await File.ReadAllBytesAsync(_folder["part"], TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("-")]
    [InlineData("9-3")]
    [InlineData("a-b")]
    [InlineData("100000-")]
    public async Task A_range_that_is_none_could_not_be_asked(string range)
    {
        Assert.Equal(0, (await RunAsync("seal", _folder["a"])).Code);
        Assert.Equal(2, (await RunAsync("open", _folder["a.sealed"], "--range", range, "-o", _folder["part"])).Code);
        Assert.False(File.Exists(_folder["part"]));
    }

    [Fact]
    public async Task The_key_is_printed_only_when_asked_for_and_the_log_has_it()
    {
        Assert.Equal(0, (await RunAsync("seal", _folder["a"])).Code);
        Assert.Equal(2, (await RunAsync("seal", "export-key", _folder["a.sealed"])).Code);
        var before = Directory.EnumerateFiles(_folder["w"], "*", SearchOption.AllDirectories).Sum(path => new FileInfo(path).Length);
        var exported = Json(await RunAsync("seal", "export-key", _folder["a.sealed"], "--reveal", "--json"));
        Assert.True(Directory.EnumerateFiles(_folder["w"], "*", SearchOption.AllDirectories).Sum(path => new FileInfo(path).Length) > before);
        var file = await File.ReadAllBytesAsync(_folder["a.sealed"], TestContext.Current.CancellationToken);
        var plaintext = Bulwark.Cryptography.Floe.Decrypt(
            Convert.FromHexString(exported.GetProperty("key").GetString()!), Convert.FromHexString(exported.GetProperty("associatedData").GetString()!), file.AsSpan(exported.GetProperty("payloadOffset").GetInt32()));
        Assert.Equal(_content, plaintext);
    }

    [Fact]
    public async Task What_an_interrupted_run_left_is_named_and_not_continued()
    {
        await File.WriteAllTextAsync(_folder[".a.sealed.0123456789ab.tmp"], "half", TestContext.Current.CancellationToken);
        var (code, _, error) = await RunAsync("seal", _folder["a"]);
        Assert.Equal(0, code);
        Assert.Contains("not continued", error.ReplaceLineEndings(" "));
        Assert.Equal("half", await File.ReadAllTextAsync(_folder[".a.sealed.0123456789ab.tmp"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_identity_is_never_written_over()
    {
        var before = await File.ReadAllTextAsync(_folder["me.key"], TestContext.Current.CancellationToken);
        Assert.Equal(2, (await RunAsync("seal", "identity", "-o", _folder["me.key"])).Code);
        Assert.Equal(before, await File.ReadAllTextAsync(_folder["me.key"], TestContext.Current.CancellationToken));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["me.key"]));
    }

    private async Task OpensAsync(string name, params string[] with)
    {
        var (code, _, error) = await RunAsync(["open", _folder[name], "-o", _folder["out"], .. with]);
        Assert.True(code == 0, error);
        Assert.Equal(_content, await File.ReadAllBytesAsync(_folder["out"], TestContext.Current.CancellationToken));
        File.Delete(_folder["out"]);
    }

    private static JsonElement Json((int Code, string Output, string Error) answer) => JsonDocument.Parse(Encoding.UTF8.GetBytes(answer.Output)).RootElement;

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] args) => CommandContractTests.RunAsync([.. args, "-w", _folder["w"]]);
}
