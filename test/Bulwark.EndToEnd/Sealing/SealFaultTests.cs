using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Bulwark.EndToEnd.Making;

namespace Bulwark.EndToEnd.Sealing;

/// <summary>kill -9 and full disks. BULWARK_FAULT_ROUNDS raises the number of kills (3 here).</summary>
public sealed class SealFaultTests : IAsyncLifetime
{
    private const int Files = 100;
    private static readonly int s_rounds = int.Parse(Environment.GetEnvironmentVariable("BULWARK_FAULT_ROUNDS") ?? "3", CultureInfo.InvariantCulture);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-faults");

    public async ValueTask InitializeAsync() => Assert.Equal(0, (await CommandLine.RunAsync("init", "-w", PathOf("w"))).Code);

    public ValueTask DisposeAsync()
    {
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Killed_while_it_seals_or_opens_it_leaves_no_half_file_and_its_leftover_is_named_and_not_continued()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGKILL.");
        await WriteAsync("big", 300_000_000);
        await KillWhileWritingAsync("big.sealed", "seal", PathOf("big"), "-w", PathOf("w"));
        Assert.False(File.Exists(PathOf("big.sealed")));
        var again = await CommandLine.RunAsync("seal", PathOf("big"), "-w", PathOf("w"));
        Assert.True(again.Code == 0, again.Said);
        Assert.Contains("is not continued", again.Error, StringComparison.Ordinal);

        await KillWhileWritingAsync("out", "open", PathOf("big.sealed"), "-o", PathOf("out"), "-w", PathOf("w"));
        Assert.False(File.Exists(PathOf("out")));
        Assert.Equal(0, (await CommandLine.RunAsync("open", PathOf("big.sealed"), "-o", PathOf("out"), "-w", PathOf("w"))).Code);
        Assert.Equal(await DigestAsync("big"), await DigestAsync("out"));
    }

    [Fact]
    public async Task Killed_while_it_rewraps_every_file_opens_and_the_next_run_completes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGKILL.");
        Directory.CreateDirectory(PathOf("data"));
        for (var i = 0; i < Files; i++)
        {
            await File.WriteAllTextAsync(PathOf("plain"), $"content {i}", Cancel);
            Assert.Equal(0, (await CommandLine.RunAsync("seal", PathOf("plain"), "-o", PathOf($"data/{i}.sealed"), "-w", PathOf("w"))).Code);
        }

        for (var round = 0; round < s_rounds; round++)
        {
            Assert.Equal(0, (await CommandLine.RunAsync("keys", "rotate", "sealing", "-w", PathOf("w"))).Code);
            var before = await Task.WhenAll(Enumerable.Range(0, Files).Select(i => File.ReadAllBytesAsync(PathOf($"data/{i}.sealed"), Cancel)));
            var (pause, clock) = (TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(20)), new Stopwatch());
            await BuiltProgram.KillAsync(BuiltProgram.Start("keys", "rewrap", PathOf("data"), "-w", PathOf("w")), () =>
            {
                if (!clock.IsRunning && !File.ReadAllBytes(PathOf("data/0.sealed")).AsSpan().SequenceEqual(before[0]))
                    clock.Start();
                return clock.IsRunning && clock.Elapsed >= pause;
            }, Cancel);
            for (var i = 0; i < Files; i++)
                Assert.Equal(before[i][^100..], (await File.ReadAllBytesAsync(PathOf($"data/{i}.sealed"), Cancel))[^100..]);
            foreach (var i in Enumerable.Range(0, Files).Where(i => i % 10 == 0 || i < 20))
            {
                var opened = await CommandLine.RunAsync("open", PathOf($"data/{i}.sealed"), "-o", PathOf("out"), "-w", PathOf("w"));
                Assert.True(opened.Code == 0, opened.Said);
                Assert.Equal($"content {i}", await File.ReadAllTextAsync(PathOf("out"), Cancel));
            }

            var completed = await CommandLine.RunAsync("keys", "rewrap", PathOf("data"), "-w", PathOf("w"), "--json");
            Assert.True(completed.Code == 0, completed.Said);
            var again = await CommandLine.RunAsync("keys", "rewrap", PathOf("data"), "-w", PathOf("w"), "--json");
            Assert.Equal(Files, again.Json.GetProperty("newest").GetInt32());
        }
    }

    [Fact]
    public async Task On_a_full_disk_nothing_is_kept_and_the_message_says_why()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Limits of a file's size are set by a POSIX shell.");
        await WriteAsync("big", 20_000_000);
        Assert.Equal(0, (await CommandLine.RunAsync("seal", PathOf("big"), "-w", PathOf("w"))).Code);
        foreach (var command in new[] { $"seal {PathOf("big")} -o {PathOf("out")}", $"open {PathOf("big.sealed")} -o {PathOf("out")}" })
        {
            // A file may have 2 MB: the write behind it fails as it does on a full disk. (The runtime's own code pages are a file, too, unless told.)
            var shell = $"ulimit -f 2000; trap '' XFSZ; DOTNET_EnableWriteXorExecute=0 exec '{BuiltProgram.Dotnet}' '{BuiltProgram.Library}' {command} -w {PathOf("w")}";
            var (code, _, error) = await BuiltProgram.RunAsync(BuiltProgram.Start("bash", ["-c", shell]), [], Cancel);
            Assert.Equal(2, code);
            Assert.Contains("error:", error, StringComparison.Ordinal);
            Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
            Assert.False(File.Exists(PathOf("out")));
            Assert.Empty(Directory.EnumerateFiles(_folder.FullName, ".out.*.tmp"));
        }
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private Task KillWhileWritingAsync(string output, params string[] args) => BuiltProgram.KilledInTimeAsync(() =>
    {
        File.Delete(PathOf(output));
        return BuiltProgram.KillAsync(BuiltProgram.Start(args), () => Directory.EnumerateFiles(_folder.FullName, $".{output}.*.tmp").Any(path => new FileInfo(path) is { Exists: true, Length: > 5_000_000 }), Cancel);
    });

    private async Task WriteAsync(string name, int length)
    {
        await using var file = File.Create(PathOf(name));
        for (var block = new byte[1_000_000]; length > 0; length -= block.Length)
        {
            RandomNumberGenerator.Fill(block);
            await file.WriteAsync(block, Cancel);
        }
    }

    private async Task<string> DigestAsync(string name)
    {
        await using var file = File.OpenRead(PathOf(name));
        return Convert.ToHexString(await SHA256.HashDataAsync(file, Cancel));
    }
}
