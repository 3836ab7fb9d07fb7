using Bulwark.EndToEnd.Making;
using Bulwark.EndToEnd.Sealing;

namespace Bulwark.EndToEnd.Keys;

/// <summary>Rotating, rewrapping and shredding on a disk that takes nothing more: nothing is half done, and the same commands complete when there is room again.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-full");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Limits of a file's size are set by a POSIX shell.");
        Directory.CreateDirectory(PathOf("data"));
        await File.WriteAllTextAsync(PathOf("policy.yaml"), """
            format: data-policy/v1
            dataset: payments
            subject: customer
            columns: { name: { action: encryptValue, perSubject: true } }
            otherwise: keep
            """, Cancel);
        await File.WriteAllTextAsync(PathOf("t.csv"), "customer,name\nc1,Ada\nc2,Bob\n", Cancel);
        await Succeed("init");
        await Succeed("data", "protect", PathOf("t.csv"), "--policy", PathOf("policy.yaml"), "-o", PathOf("t.parquet"));
        await Succeed("seal", PathOf("t.csv"), "-o", PathOf("data/t.sealed"));
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Nothing_is_half_done_and_the_message_says_why()
    {
        var ring = await File.ReadAllBytesAsync(PathOf("w/keyring.json"), Cancel);
        await RefusedAsync("keys", "rotate", "sealing");
        Assert.Equal(ring, await File.ReadAllBytesAsync(PathOf("w/keyring.json"), Cancel));
        await Succeed("keys", "rotate", "sealing");

        var file = await File.ReadAllBytesAsync(PathOf("data/t.sealed"), Cancel);
        await RefusedAsync("keys", "rewrap", PathOf("data"));
        Assert.Equal(file, await File.ReadAllBytesAsync(PathOf("data/t.sealed"), Cancel));
        await Succeed("keys", "rewrap", PathOf("data"));
        await Succeed("open", PathOf("data/t.sealed"), "-o", PathOf("t.out"));
        Assert.Equal(await File.ReadAllTextAsync(PathOf("t.csv"), Cancel), await File.ReadAllTextAsync(PathOf("t.out"), Cancel));

        await RefusedAsync("data", "shred", "--subject", "c1", "--end-epoch");
        Assert.Equal(["Ada", "Bob"], await NamesAsync("before.csv"));
        await Succeed("data", "shred", "--subject", "c1", "--end-epoch");
        Assert.Equal(["", "Bob"], await NamesAsync("after.csv"));
    }

    private async Task RefusedAsync(params string[] args)
    {
        // No file may have a byte: every write fails as it does on a full disk. (The runtime's own code pages are a file, too, unless told.)
        var shell = $"ulimit -f 0; trap '' XFSZ; DOTNET_EnableWriteXorExecute=0 exec '{BuiltProgram.Dotnet}' '{BuiltProgram.Library}' {string.Join(' ', args)} -w {PathOf("w")}";
        var (code, _, error) = await BuiltProgram.RunAsync(BuiltProgram.Start("bash", ["-c", shell]), [], Cancel);
        Assert.True(code == 2, $"{string.Join(' ', args)}: exit code {code}\n{error}");
        Assert.Contains("error:", error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_folder.FullName, "*.tmp", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }));
    }

    private async Task<string[]> NamesAsync(string output)
    {
        await Succeed("data", "reveal", PathOf("t.parquet"), "--columns", "name", "--purpose", "test", "-o", PathOf(output));
        return [.. File.ReadLines(PathOf(output)).Skip(1).Select(line => line.Trim('"'))];
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private async Task Succeed(params string[] args)
    {
        var answered = await CommandLine.RunAsync([.. args, "-w", PathOf("w")]);
        Assert.True(answered.Code == 0, answered.Said);
    }
}
