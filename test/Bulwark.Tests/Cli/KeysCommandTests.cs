using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Cli;

public sealed class KeysCommandTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Ring => Path.Combine(_folder["w"], "keyring.json");

    public async ValueTask InitializeAsync()
    {
        Assert.Equal(0, (await RunAsync("init")).Code);
        Directory.CreateDirectory(_folder["data"]);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return default;
    }

    [Fact]
    public async Task A_folder_is_rewrapped_every_use_logged_and_the_old_key_destroyed_only_when_meant()
    {
        foreach (var i in Enumerable.Range(0, 5))
            await SealAsync($"f{i}");
        await File.WriteAllTextAsync(_folder["data/notes.txt"], "not sealed", Cancel);
        Assert.Equal(0, (await RunAsync("keys", "rotate", "sealing")).Code);
        var first = await JsonAsync(0, "keys", "rewrap", _folder["data"]);
        Assert.Equal((5, 0, 1), (Number(first, "rewrapped"), Number(first, "newest"), Number(first, "notSealed")));
        Assert.Equal(5, Number(await JsonAsync(0, "keys", "rewrap", _folder["data"]), "newest"));
        var inventory = (await JsonAsync(0, "keys", "inventory")).GetProperty("keys").EnumerateArray().ToDictionary(key => $"{key.GetProperty("key").GetString()}@{key.GetProperty("version").GetString()}");
        Assert.True(inventory["file:sealing@1"].GetProperty("usesLogged").GetInt64() >= 5, "five unwraps");
        Assert.Equal(5, inventory["file:sealing@2"].GetProperty("usesLogged").GetInt64());
        var before = await File.ReadAllBytesAsync(Ring, Cancel);
        Assert.Equal(2, (await RunAsync("keys", "destroy", "sealing@1")).Code);
        Assert.Equal(before, await File.ReadAllBytesAsync(Ring, Cancel));
        var (code, _, error) = await RunAsync("keys", "destroy", "sealing@1", "--yes");
        Assert.Equal(0, code);
        Assert.Contains("Copies of keyring.json", error);
        Assert.Equal(0, (await RunAsync("open", _folder["data/f0.sealed"], "-o", _folder["f0"])).Code);
        Assert.Equal("content of f0", await File.ReadAllTextAsync(_folder["f0"], Cancel));
    }

    [Fact]
    public async Task A_file_that_does_not_open_is_named_and_makes_the_answer_no()
    {
        await SealAsync("good");
        await SealAsync("bad");
        var bytes = await File.ReadAllBytesAsync(_folder["data/bad.sealed"], Cancel);
        bytes[36] ^= 1;
        await File.WriteAllBytesAsync(_folder["data/bad.sealed"], bytes, Cancel);
        Assert.Equal(0, (await RunAsync("keys", "rotate", "sealing")).Code);
        var report = await JsonAsync(1, "keys", "rewrap", _folder["data"]);
        Assert.Equal(1, Number(report, "rewrapped"));
        Assert.Equal("bad.sealed", Assert.Single(report.GetProperty("failed").EnumerateArray()).GetProperty("path").GetString());
        Assert.Equal(bytes, await File.ReadAllBytesAsync(_folder["data/bad.sealed"], Cancel));
    }

    [Fact]
    public async Task What_cannot_be_logged_is_not_done()
    {
        await SealAsync("f");
        Assert.Equal(0, (await RunAsync("keys", "rotate", "sealing")).Code);
        var before = await File.ReadAllBytesAsync(_folder["data/f.sealed"], Cancel);
        await File.WriteAllTextAsync(Path.Combine(_folder["w"], "log", "checkpoint"), "no checkpoint\n", Cancel);
        Assert.NotEqual(0, (await RunAsync("keys", "rewrap", _folder["data"])).Code);
        Assert.Equal(before, await File.ReadAllBytesAsync(_folder["data/f.sealed"], Cancel));
        Assert.NotEqual(0, (await RunAsync("keys", "destroy", "sealing@1", "--yes")).Code);
        using var ring = KeyRing.Open(Ring, KeyRingUnlock.KeyFile(Path.Combine(_folder["w"], "keyring.key")));
        Assert.Equal(KeyState.Enabled, ring.List().Single(key => key.Id.ToString() == "sealing@1").State);
    }

    [Fact]
    public async Task Without_its_log_a_workspace_uses_no_key()
    {
        await SealAsync("f");
        Directory.Delete(Path.Combine(_folder["w"], "log"), recursive: true);
        foreach (var words in (string[][])[["open", _folder["data/f.sealed"], "-o", _folder["opened"]], ["seal", "export-key", _folder["data/f.sealed"], "--reveal"], ["keys", "destroy", "sealing@1", "--yes"]])
        {
            var (code, output, error) = await RunAsync(words);
            Assert.NotEqual(0, code);
            Assert.Contains("is missing", error);
            Assert.DoesNotContain("suite", output);
        }

        Assert.False(File.Exists(_folder["opened"]));
        using var ring = KeyRing.Open(Ring, KeyRingUnlock.KeyFile(Path.Combine(_folder["w"], "keyring.key")));
        Assert.Equal(KeyState.Enabled, ring.List().Single(key => key.Id.ToString() == "sealing@1").State);
    }

    [Fact]
    public async Task The_inventory_is_what_auditors_ask_for_and_no_formula()
    {
        Assert.Equal(0, (await RunAsync("keys", "create", "cards", "--purpose", "=cmd|' /C calc'!A0", "--use-days", "20")).Code);
        var (code, csv, _) = await RunAsync("keys", "inventory", "--csv");
        Assert.Equal(0, code);
        Assert.StartsWith("key,version,state,algorithm,strength_bits,created,rotated,use_ends", csv);
        var line = csv.Split("\r\n").Single(line => line.StartsWith("\"file:cards\"", StringComparison.Ordinal));
        Assert.Contains("\"'=cmd|", line);
        Assert.Contains("\"AES-256-GCM\",\"256\"", line);
        Assert.Contains("may protect new things until", line);
        Assert.Contains("keys rotate cards", (await RunAsync("keys", "list")).Error);
        Assert.Contains("cards@1", (await RunAsync("doctor")).Output);
    }

    [Fact]
    public async Task A_key_comes_in_from_a_file_in_three_spellings_and_nothing_else_does()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        await File.WriteAllTextAsync(_folder["hex"], Convert.ToHexString(key) + "\n", Cancel);
        await File.WriteAllBytesAsync(_folder["raw"], RandomNumberGenerator.GetBytes(32), Cancel);
        await File.WriteAllTextAsync(_folder["base64"], Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), Cancel);
        await File.WriteAllTextAsync(_folder["wrong"], "no key", Cancel);
        foreach (var name in (string[])["hex", "raw", "base64"])
            Assert.Equal(0, (await RunAsync("keys", "import", name, "--from", _folder[name])).Code);
        Assert.Equal(2, (await RunAsync("keys", "import", "wrong", "--from", _folder["wrong"])).Code);
        Assert.Equal(2, (await RunAsync("keys", "import", "again", "--from", _folder["hex"])).Code);
        using var ring = KeyRing.Open(Ring, KeyRingUnlock.KeyFile(Path.Combine(_folder["w"], "keyring.key")));
        Assert.Equal(HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, [], "bulwark.dev/derive/v1\nx"u8.ToArray()), ring.Derive("hex", "x").Span);
    }

    [Theory]
    [InlineData("vault:https://localhost:1/transit/kek", "VAULT_TOKEN")]
    [InlineData("vault:http://vault.example/transit/kek", "https")]
    [InlineData("pkcs11:token=T;object=K", "BULWARK_PKCS11_MODULE")]
    [InlineData("pkcs11:token=T;object=K?pin-value=1234", "A PIN does not belong")]
    [InlineData("aws-kms:arn:aws:kms:eu-central-1:123456789012:key/1", "AWS_ACCESS_KEY_ID")]
    [InlineData("gcp-kms:projects/p/locations/l/keyRings/r/cryptoKeys/k", "GOOGLE_OAUTH_ACCESS_TOKEN")]
    [InlineData("azure-kv:https://name.vault.azure.net/keys/kek", "AZURE_KEYVAULT_TOKEN")]
    [InlineData("s3:bucket", "no kind of key store")]
    public async Task A_store_that_cannot_be_asked_says_what_to_do(string key, string says)
    {
        var (code, output, error) = await RunAsync("keys", "list", key);
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(says, error);
        Assert.DoesNotContain("1234", error);
    }

    private async Task SealAsync(string name)
    {
        await File.WriteAllTextAsync(_folder["plain"], $"content of {name}", Cancel);
        Assert.Equal(0, (await RunAsync("seal", _folder["plain"], "-o", _folder[$"data/{name}.sealed"])).Code);
    }

    private async Task<JsonElement> JsonAsync(int code, params string[] args)
    {
        var answer = await RunAsync([.. args, "--json"]);
        Assert.True(code == answer.Code, $"{answer.Code}: {answer.Error}");
        return JsonDocument.Parse(answer.Output).RootElement;
    }

    private static int Number(JsonElement element, string name) => element.GetProperty(name).GetInt32();

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] args) => CommandContractTests.RunAsync([.. args, "-w", _folder["w"]]);
}
