using System.Globalization;
using Bulwark.EndToEnd.Making;
using Bulwark.EndToEnd.Sealing;

namespace Bulwark.EndToEnd.Data;

/// <summary>kill -9 in the middle of protecting and of rotating a folder's keys. BULWARK_FAULT_ROUNDS raises the number of kills (3 here).</summary>
public sealed class ProtectFaultTests : IAsyncLifetime
{
    private static readonly int s_rounds = int.Parse(Environment.GetEnvironmentVariable("BULWARK_FAULT_ROUNDS") ?? "3", CultureInfo.InvariantCulture);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-protect-faults");

    public async ValueTask InitializeAsync()
    {
        Assert.Equal(0, (await CommandLine.RunAsync("init", "-w", PathOf("w"))).Code);
        Assert.Equal(0, (await CommandLine.RunAsync("data", "simulate", "--rows", "150000", "--seed", "1", "-o", PathOf("t.parquet"), "-w", PathOf("w"))).Code);
    }

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    [Fact]
    public async Task Killed_while_it_protects_it_leaves_no_dataset_but_a_hidden_folder()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGKILL.");
        for (var round = 0; round < s_rounds; round++)
        {
            await BuiltProgram.KilledInTimeAsync(() =>
            {
                if (Directory.Exists(PathOf("parts")))
                    Directory.Delete(PathOf("parts"), recursive: true);
                return BuiltProgram.KillAsync(
                    BuiltProgram.Start("data", "protect", PathOf("t.parquet"), "--rows-per-file", "10000", "-o", PathOf("parts"), "-w", PathOf("w")),
                    () => Directory.EnumerateDirectories(_folder.FullName, ".parts.*").Any(hidden => Directory.GetFiles(hidden).Length > 2 * (round + 1)), Cancel);
            });
            Assert.False(Directory.Exists(PathOf("parts")));
            var hidden = Assert.Single(Directory.GetDirectories(_folder.FullName, ".parts.*.tmp"));
            var refused = await CommandLine.RunAsync("data", "reveal", hidden, "--columns", "amount", "--purpose", "test", "-w", PathOf("w"));
            Assert.NotEqual(0, refused.Code);
            Assert.Contains("no protected dataset", refused.Error, StringComparison.Ordinal);
            Directory.Delete(hidden, recursive: true);
        }

        Assert.Equal(0, (await CommandLine.RunAsync("data", "protect", PathOf("t.parquet"), "--rows-per-file", "10000", "-o", PathOf("parts"), "-w", PathOf("w"))).Code);
        await RevealsAsync();
    }

    [Fact]
    public async Task Killed_while_keys_rotate_every_part_opens_and_the_next_run_completes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGKILL.");
        Assert.Equal(0, (await CommandLine.RunAsync("data", "protect", PathOf("t.parquet"), "--rows-per-file", "1000", "-o", PathOf("parts"), "-w", PathOf("w"))).Code);
        var first = PathOf("parts/_KEY_MATERIAL_FOR_part-00000.parquet.json");
        for (var round = 0; round < s_rounds; round++)
        {
            Assert.Equal(0, (await CommandLine.RunAsync("keys", "rotate", "data/ssn", "-w", PathOf("w"))).Code);
            var before = await File.ReadAllTextAsync(first, Cancel);
            await BuiltProgram.KillAsync(BuiltProgram.Start("keys", "rewrap", PathOf("parts"), "-w", PathOf("w")), () => File.ReadAllText(first) != before, Cancel);
            await RevealsAsync();
            Assert.Equal(0, (await CommandLine.RunAsync("keys", "rewrap", PathOf("parts"), "-w", PathOf("w"))).Code);
            Assert.DoesNotContain("data/ssn@" + (round + 1) + " ", await File.ReadAllTextAsync(first, Cancel), StringComparison.Ordinal);
        }

        await RevealsAsync();
    }

    [Fact]
    public async Task On_a_full_disk_nothing_is_kept_and_the_message_says_why()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no ulimit.");
        foreach (var (output, more) in new[] { ("out.parquet", ""), ("out", "--rows-per-file 100000") })
        {
            // A file may have 1 MB: the write behind it fails as it does on a full disk.
            var shell = $"ulimit -f 1000; trap '' XFSZ; DOTNET_EnableWriteXorExecute=0 exec '{BuiltProgram.Dotnet}' '{BuiltProgram.Library}' data protect {PathOf("t.parquet")} {more} -o {PathOf(output)} -w {PathOf("w")}";
            var (code, _, error) = await BuiltProgram.RunAsync(BuiltProgram.Start("bash", ["-c", shell]), [], Cancel);
            Assert.Equal(2, code);
            Assert.Contains("error:", error, StringComparison.Ordinal);
            Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
            Assert.DoesNotContain(_folder.GetFileSystemInfos(), entry => entry.Name.Contains("out", StringComparison.Ordinal));
        }
    }

    private async Task RevealsAsync()
    {
        var revealed = await CommandLine.RunAsync("data", "reveal", PathOf("parts"), "--columns", "ssn,amount", "--purpose", "test", "-o", PathOf("out.csv"), "-w", PathOf("w"));
        Assert.True(revealed.Code == 0, revealed.Said);
        Assert.Equal(150_001, File.ReadLines(PathOf("out.csv")).Count());
    }
}
