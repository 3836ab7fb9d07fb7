using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Bulwark.EndToEnd.Sealing;
using Bulwark.Tests.Servers;

namespace Bulwark.EndToEnd.Keys;

/// <summary>Keys that never leave a transit server, through the built program: by a token and by AppRole, and what becomes of it when the server refuses.</summary>
public sealed class VaultCommandTests : IAsyncLifetime
{
    private const string Content = "what is sealed for the server's key", RootToken = "hvs.root", SecretId = "secret-1", WrongSecretId = "secret-2";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-vault");
    private readonly StringBuilder _said = new();
    private FakeVault _vault = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Kek => _vault.Key("kek").ToString();

    public async ValueTask InitializeAsync()
    {
        _vault = await FakeVault.StartAsync();
        Directory.CreateDirectory(PathOf("data"));
        await File.WriteAllTextAsync(PathOf("ca.pem"), _vault.AuthorityPem, Cancel);
        await File.WriteAllTextAsync(PathOf("a"), Content, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _vault.DisposeAsync();
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
    }

    [Fact]
    public async Task A_file_is_sealed_rotated_rewrapped_and_opened_by_token_and_by_AppRole_and_no_credential_is_ever_said()
    {
        (string, string)[] token = [("VAULT_TOKEN", RootToken)], role = [("VAULT_ROLE_ID", "role-1"), ("VAULT_SECRET_ID", SecretId)];
        await RunAsync(0, token, "init");
        await RunAsync(0, token, "keys", "create", Kek);
        await RunAsync(0, token, "seal", PathOf("a"), "--to", Kek, "-o", PathOf("data/a.sealed"));
        await RunAsync(0, token, "keys", "rotate", Kek);
        await RunAsync(0, role, "seal", PathOf("a"), "--to", Kek, "-o", PathOf("data/b.sealed"));
        var rewrapped = await JsonAsync(role, "keys", "rewrap", PathOf("data"), "--key", Kek);
        Assert.Equal((1, 1), (rewrapped.GetProperty("rewrapped").GetInt32(), rewrapped.GetProperty("newest").GetInt32()));
        await RunAsync(0, token, "keys", "retire", $"{Kek}@1");
        await RunAsync(0, token, "keys", "destroy", $"{Kek}@1", "--yes");
        await RunAsync(0, role, "open", PathOf("data/a.sealed"), "--key", Kek, "-o", PathOf("a.out"));
        Assert.Equal(Content, await File.ReadAllTextAsync(PathOf("a.out"), Cancel));

        var versions = (await JsonAsync(role, "keys", "inventory", "--key", Kek)).GetProperty("keys").EnumerateArray().Where(key => key.GetProperty("key").GetString() == Kek)
            .ToDictionary(key => key.GetProperty("version").GetString()!, key => (State: key.GetProperty("state").GetString(), Uses: key.GetProperty("usesLogged").GetInt64()));
        Assert.Equal("enabled", versions["2"].State);
        Assert.True(versions["2"].Uses >= 3, "two wraps and an unwrap under version 2 are in the log");
        Assert.NotEqual("enabled", versions.GetValueOrDefault("1", ("destroyed", 0)).State);
        await NoCredentialAnywhereAsync();
    }

    [Fact]
    public async Task What_the_server_refuses_could_not_be_asked_is_explained_and_leaves_no_file()
    {
        (string, string)[] token = [("VAULT_TOKEN", RootToken)];
        await RunAsync(0, token, "init");
        await RunAsync(0, token, "keys", "create", Kek);
        await RunAsync(0, token, "seal", PathOf("a"), "--to", Kek, "-o", PathOf("a.sealed"));
        await RefusedAsync([], "VAULT_TOKEN");
        await RefusedAsync([("VAULT_TOKEN", "hvs.of-another")], "refuses the token");
        await RefusedAsync([("VAULT_ROLE_ID", "role-1"), ("VAULT_SECRET_ID", WrongSecretId)], "role");
        await RefusedAsync([("VAULT_TOKEN", RootToken), ("BULWARK_KEYS_CA", "")], "certificate");
        await NoCredentialAnywhereAsync();
    }

    private async Task RefusedAsync((string, string)[] variables, string reason)
    {
        var error = await RunAsync(2, variables, "open", PathOf("a.sealed"), "--key", Kek, "-o", PathOf("gone"));
        Assert.Contains("error:", error, StringComparison.Ordinal);
        Assert.Contains(reason, error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.GetFileSystemInfos(), entry => entry.Name.Contains("gone", StringComparison.Ordinal));
    }

    /// <summary>Neither on a stream nor in any file that the commands wrote.</summary>
    private async Task NoCredentialAnywhereAsync()
    {
        var written = new StringBuilder().Append(_said);
        foreach (var path in Directory.EnumerateFiles(_folder.FullName, "*", SearchOption.AllDirectories))
            written.Append(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(path, Cancel)));
        foreach (var secret in _vault.Tokens.Concat([SecretId, WrongSecretId, "hvs.of-another"]))
            Assert.DoesNotContain(secret, written.ToString(), StringComparison.Ordinal);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private async Task<JsonElement> JsonAsync((string, string)[] variables, params string[] args)
    {
        var start = _said.Length;
        var error = await RunAsync(0, variables, [.. args, "--json"]);
        return JsonDocument.Parse(_said.ToString(start, _said.Length - start - error.Length)).RootElement;
    }

    /// <returns>What it said on standard error.</returns>
    private async Task<string> RunAsync(int code, (string Name, string Value)[] variables, params string[] args)
    {
        var information = new ProcessStartInfo(BuiltProgram.Dotnet, [BuiltProgram.Library, .. args, "-w", PathOf("w")]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in information.Environment.Keys.Where(name => name.StartsWith("VAULT_", StringComparison.Ordinal)).ToArray())
            information.Environment.Remove(name);
        information.Environment["HOME"] = _folder.FullName;   // no ~/.vault-token of the person who runs the tests
        information.Environment["DOTNET_CLI_HOME"] = _folder.FullName;
        information.Environment["BULWARK_KEYS_CA"] = PathOf("ca.pem");
        foreach (var (name, value) in variables)
            information.Environment[name] = value;
        using var process = Process.Start(information)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel);
        _said.Append(await output).Append(await error);
        Assert.True(process.ExitCode == code, $"{string.Join(' ', args)}: exit code {process.ExitCode}\n{await error}{await output}");
        return await error;
    }
}
