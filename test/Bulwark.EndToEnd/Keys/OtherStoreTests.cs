using System.Diagnostics;
using Bulwark.EndToEnd.Making;
using Bulwark.EndToEnd.Sealing;

namespace Bulwark.EndToEnd.Keys;

/// <summary>Master keys in a token that is no file of the workspace, through the built program: and what becomes of it when the token is taken away.</summary>
public sealed class OtherStoreTests : IDisposable
{
    private const string Pin = "2468-test", Kek = "pkcs11:token=plugged;object=kek";
    private static readonly string[] s_modules = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-token");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string? Module => Array.Find(s_modules, File.Exists);

    private string Tokens => PathOf("tokens");

    public void Dispose() => Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);

    [Fact]
    public async Task Data_and_files_are_made_and_used_by_a_tokens_key_and_refused_whole_when_the_token_is_gone()
    {
        await NewTokenAsync();
        await Succeed("init");
        await Succeed("keys", "create", Kek);
        await Succeed("data", "simulate", "--rows", "3000", "--seed", "3", "-o", PathOf("t.csv"));
        await File.WriteAllTextAsync(PathOf("policy.yaml"), $$"""
            format: data-policy/v1
            dataset: payments
            rules:
              - { column: ssn, action: encrypt, key: "{{Kek}}" }
              - { column: name, action: drop }
              - { column: card_number, action: drop }
            otherwise: keep
            """, Cancel);
        await Succeed("data", "protect", PathOf("t.csv"), "--policy", PathOf("policy.yaml"), "--kek", Kek, "-o", PathOf("t.parquet"));
        var (unnamed, _, asked) = await RunAsync("data", "features", PathOf("t.parquet"), "-o", PathOf("none.csv"));
        Assert.True(unnamed != 0, asked);   // a store that the command line does not name is not asked

        await Succeed("data", "features", PathOf("t.parquet"), "--kek", Kek, "-o", PathOf("features.csv"));
        await Succeed("train", PathOf("features.csv"), "--label", "is_fraud", "--positive", "1", "--drop", "time", "--epochs", "1", "-o", PathOf("model"));
        await Succeed("data", "protect", PathOf("features.csv"), "--kek", Kek, "-o", PathOf("features.parquet"));
        await Succeed("train", PathOf("features.parquet"), "--kek", Kek, "--label", "is_fraud", "--positive", "1", "--drop", "time", "--epochs", "1", "-o", PathOf("model2"));
        await Succeed("attack", "membership", "--model", PathOf("model2"), "--members", PathOf("features.parquet"), "--others", PathOf("features.csv"), "--kek", Kek);
        await Succeed("seal", PathOf("t.csv"), "--to", Kek, "-o", PathOf("t.sealed"));
        await Succeed("open", PathOf("t.sealed"), "--key", Kek, "-o", PathOf("t.out"));
        Assert.Equal(await File.ReadAllTextAsync(PathOf("t.csv"), Cancel), await File.ReadAllTextAsync(PathOf("t.out"), Cancel));

        Directory.Move(Tokens, PathOf("elsewhere"));   // the HSM is pulled
        Directory.CreateDirectory(Tokens);
        foreach (var args in new string[][]
        {
            ["seal", PathOf("t.csv"), "--to", Kek, "-o", PathOf("gone")],
            ["open", PathOf("t.sealed"), "--key", Kek, "-o", PathOf("gone")],
            ["data", "protect", PathOf("t.csv"), "--policy", PathOf("policy.yaml"), "--kek", Kek, "-o", PathOf("gone.parquet")],
            ["data", "reveal", PathOf("t.parquet"), "--columns", "ssn", "--purpose", "test", "--kek", Kek, "-o", PathOf("gone.csv")],
            ["train", PathOf("features.parquet"), "--kek", Kek, "--label", "is_fraud", "--positive", "1", "--drop", "time", "--epochs", "1", "-o", PathOf("gone.model")],
        })
        {
            var (code, output, error) = await RunAsync(args);
            Assert.True(code == 2, $"{string.Join(' ', args)}: exit code {code}\n{error}{output}");
            Assert.Contains("error:", error, StringComparison.Ordinal);
            Assert.Contains("token", error, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
            Assert.DoesNotContain(Pin, error, StringComparison.Ordinal);
            Assert.DoesNotContain(_folder.GetFileSystemInfos(), entry => entry.Name.Contains("gone", StringComparison.Ordinal));
        }

        Directory.Delete(Tokens);
        Directory.Move(PathOf("elsewhere"), Tokens);   // plugged in again: nothing was lost
        await Succeed("open", PathOf("t.sealed"), "--key", Kek, "-o", PathOf("t.again"));
    }

    [Fact]
    public async Task Pipelines_run_and_are_measured_on_rows_that_a_tokens_key_protects()
    {
        await NewTokenAsync();
        await Succeed("init");
        await Succeed("keys", "create", Kek);
        await File.WriteAllTextAsync(PathOf("loans.csv"), LoanRows.Csv(), Cancel);
        await File.WriteAllTextAsync(PathOf("policy.yaml"), $$"""
            format: data-policy/v1
            dataset: loans
            rules:
              - { column: income, action: encrypt, key: "{{Kek}}" }
            otherwise: keep
            """, Cancel);
        await Succeed("data", "protect", PathOf("loans.csv"), "--policy", PathOf("policy.yaml"), "--kek", Kek, "-o", PathOf("loans.parquet"));
        await File.WriteAllTextAsync(PathOf("loans.yaml"), """
            name: loans
            data: { train: loans.parquet }
            label: bad
            positive: ["1"]
            attack: { samples: 20, strengths: [0.1] }
            variants:
              - { name: plain, model: lr, epochs: 1 }
            """, Cancel);
        foreach (var command in new[] { "run", "bench" })
        {
            string[] args = [command, PathOf("loans.yaml"), "--data", _folder.FullName, "-o", PathOf($"out-{command}"), "--purpose", "scoring loans"];
            var (code, output, error) = await RunAsync(args);
            Assert.True(code == 2, $"without the key's address: exit code {code}\n{error}{output}");
            await Succeed([.. args, "--fresh", "--kek", Kek]);
        }
    }

    [Fact]
    public async Task Pulled_out_while_a_folder_is_rewrapped_no_file_is_half_written_and_plugged_in_again_the_next_run_completes()
    {
        const int Files = 1200;
        await NewTokenAsync();
        await Succeed("init");
        await Succeed("keys", "create", Kek);
        Directory.CreateDirectory(PathOf("data"));
        await File.WriteAllTextAsync(PathOf("plain"), "what the token guards", Cancel);
        await Succeed("seal", PathOf("plain"), "--to", Kek, "-o", PathOf("data/0000"));
        var old = await File.ReadAllBytesAsync(PathOf("data/0000"), Cancel);
        await Succeed("keys", "rotate", Kek);
        string[] paths = [.. Enumerable.Range(0, Files).Select(i => PathOf($"data/{i:D4}"))];
        var (code, error, changed) = (0, "", 0);
        await BuiltProgram.KilledInTimeAsync(async () =>
        {
            foreach (var path in paths)
                await File.WriteAllBytesAsync(path, old, Cancel);
            using var process = Process.Start(Information(BuiltProgram.Dotnet, [BuiltProgram.Library, "keys", "rewrap", PathOf("data"), "--key", Kek, "-w", PathOf("w")]))!;
            var (output, said) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
            while (!process.HasExited && File.ReadAllBytes(paths[0]).AsSpan().SequenceEqual(old))
                await Task.Delay(1, Cancel);
            Directory.Move(Tokens, PathOf("elsewhere"));
            Directory.CreateDirectory(Tokens);
            await process.WaitForExitAsync(Cancel);
            Directory.Delete(Tokens);
            Directory.Move(PathOf("elsewhere"), Tokens);
            (code, error) = (process.ExitCode, await output + await said);
            changed = paths.Count(path => !File.ReadAllBytes(path).AsSpan().SequenceEqual(old));
            return changed < Files;
        });
        Assert.InRange(changed, 1, Files - 1);
        Assert.True(code is 1 or 2, error);
        Assert.Contains("token", error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
        Assert.DoesNotContain(Pin, error, StringComparison.Ordinal);
        Assert.All(paths, path => Assert.Equal(old.Length, new FileInfo(path).Length));

        await Succeed("keys", "rewrap", PathOf("data"), "--key", Kek);
        Assert.DoesNotContain(paths, path => File.ReadAllBytes(path).AsSpan().SequenceEqual(old));
        foreach (var path in new[] { paths[0], paths[changed], paths[^1] }.Distinct())
        {
            await Succeed("open", path, "--key", Kek, "-o", PathOf($"out-{Path.GetFileName(path)}"));
            Assert.Equal("what the token guards", await File.ReadAllTextAsync(PathOf($"out-{Path.GetFileName(path)}"), Cancel));
        }
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private async Task NewTokenAsync()
    {
        if (Module is null || !Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "softhsm2-util"))))
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", "SoftHSM is missing: run eng/test-servers.sh.");
            Assert.Skip("SoftHSM is missing: run eng/test-servers.sh.");
        }

        Directory.CreateDirectory(Tokens);
        await File.WriteAllTextAsync(PathOf("softhsm2.conf"), $"directories.tokendir = {Tokens}\nobjectstore.backend = file\nlog.level = ERROR\n", Cancel);
        var (code, _, error) = await RunAsync("softhsm2-util", ["--init-token", "--free", "--label", "plugged", "--so-pin", "1357-officer", "--pin", Pin]);
        Assert.True(code == 0, error);
    }

    private async Task Succeed(params string[] args)
    {
        var (code, output, error) = await RunAsync(args);
        Assert.True(code == 0, $"{string.Join(' ', args)}: exit code {code}\n{error}{output}");
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] args) => RunAsync(BuiltProgram.Dotnet, [BuiltProgram.Library, .. args, "-w", PathOf("w")]);

    private async Task<(int Code, string Output, string Error)> RunAsync(string program, string[] args)
    {
        using var process = Process.Start(Information(program, args))!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, await output, await error);
    }

    private ProcessStartInfo Information(string program, string[] args)
    {
        var information = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true };
        information.Environment["SOFTHSM2_CONF"] = PathOf("softhsm2.conf");
        information.Environment["BULWARK_PKCS11_MODULE"] = Module;
        information.Environment["BULWARK_PKCS11_PIN"] = Pin;
        return information;
    }
}
