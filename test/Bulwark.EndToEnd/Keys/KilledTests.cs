using System.Diagnostics;
using Bulwark.Cryptography;
using Bulwark.EndToEnd.Making;

namespace Bulwark.EndToEnd.Keys;

/// <summary>kill -9 in the middle of what changes keys: whatever the moment, every file opens, and the next run finishes.</summary>
public sealed class KilledTests : IDisposable
{
    private static readonly int s_rounds = Environment.GetEnvironmentVariable("BULWARK_LONG_TESTS") == "1" ? 60 : 4;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-killed");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Workspace => Path.Combine(_folder.FullName, "w");

    private string Data => Path.Combine(_folder.FullName, "data");

    public void Dispose() => Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);

    [Fact]
    public async Task Rotating_leaves_the_old_ring_or_the_new_one()
    {
        await InitAsync();
        var versions = 1;
        for (var round = 0; round < s_rounds; round++)
        {
            using var process = Start("keys", "rotate", "sealing");
            await WaitAsync(process, () => Versions() > versions || process.HasExited, round * 97 % 700);
            process.Kill();
            await process.WaitForExitAsync(Cancel);
            var now = Versions();
            Assert.InRange(now, versions, versions + 1);
            versions = now;
        }

        Assert.Equal(0, (await CommandLine.RunAsync("keys", "rotate", "sealing", "-w", Workspace)).Code);
        Assert.Equal(versions + 1, Versions());
    }

    [Fact]
    public async Task Rewrapping_leaves_every_file_whole_and_is_run_again()
    {
        await InitAsync();
        Directory.CreateDirectory(Data);
        using (var ring = OpenRing())
        {
            for (var i = 0; i < 400; i++)
                await SealAsync(ring, i);
        }

        for (var round = 0; round < s_rounds; round++)
        {
            Assert.Equal(0, (await CommandLine.RunAsync("keys", "rotate", "sealing", "-w", Workspace)).Code);
            var newest = Newest();
            using var process = Start("keys", "rewrap", Data);
            await WaitAsync(process, () => Slots().Any(slot => slot == newest), 0);
            process.Kill();
            await process.WaitForExitAsync(Cancel);
            using var ring = OpenRing();
            for (var i = 0; i < 400; i += 7)
                Assert.Equal(i, Read(ring, i));
        }

        var finished = await CommandLine.RunAsync("keys", "rewrap", Data, "-w", Workspace, "--json");
        Assert.True(finished.Code == 0, finished.Said);
        var last = Newest();
        Assert.All(Slots(), slot => Assert.Equal(last, slot));
        using var final = OpenRing();
        foreach (var old in final.List().Where(key => key.Id.Name == "sealing" && KeyUri.Of(key.Id) != last))
            final.Destroy(old.Id);
        Assert.All(Enumerable.Range(0, 400), i => Assert.Equal(i, Read(final, i)));
    }

    [Fact]
    public async Task A_missing_or_wrong_passphrase_could_not_be_asked_and_says_so()
    {
        Assert.Equal(0, await RunAsync("the right one", "init"));
        Assert.Equal(0, await RunAsync("the right one", "keys", "list"));
        Assert.Equal(2, await RunAsync("a wrong one", "keys", "list"));
        Assert.Equal(2, await RunAsync(null, "keys", "list"));
        Assert.DoesNotContain("the right one", string.Concat(Directory.EnumerateFiles(Workspace, "*", SearchOption.AllDirectories).Select(File.ReadAllText)));
    }

    private async Task InitAsync() => Assert.Equal(0, (await CommandLine.RunAsync("init", "-w", Workspace)).Code);

    private KeyRing OpenRing() => KeyRing.Open(Path.Combine(Workspace, "keyring.json"), KeyRingUnlock.KeyFile(Path.Combine(Workspace, "keyring.key")));

    private int Versions()
    {
        using var ring = OpenRing();
        var versions = ring.List().Where(key => key.Id.Name == "sealing").Select(key => key.Id.Version).ToArray();
        Assert.Equal(Enumerable.Range(1, versions.Length), versions);
        return versions.Length;
    }

    private KeyUri Newest()
    {
        using var ring = OpenRing();
        return ring.List().Last(key => key.Id.Name == "sealing").Id;
    }

    private IEnumerable<KeyUri> Slots() => Directory.EnumerateFiles(Data).SelectMany(path =>
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return SealedFile.ReadInfo(file).Slots.Select(slot => Assert.IsType<WrappedSlot>(slot).Wrapped.Kek);   // two while one copy of the slots is new
    });

    private async Task SealAsync(KeyRing ring, int i)
    {
        using var plain = new MemoryStream(BitConverter.GetBytes(i));
        await using var file = File.Create(PathOf(i));
        await SealedFile.SealAsync(plain, file, new SealOptions { Recipients = [SealRecipient.Key(ring, "sealing")] }, cancel: Cancel);
    }

    private int Read(KeyRing ring, int i)
    {
        using var opened = SealedFile.Open(File.OpenRead(PathOf(i)), ring);
        var bytes = new byte[4];
        opened.ReadExactly(bytes);
        return BitConverter.ToInt32(bytes);
    }

    private string PathOf(int i) => Path.Combine(Data, $"{i:D3}.sealed");

    private static async Task WaitAsync(Process process, Func<bool> seen, int extraMilliseconds)
    {
        while (!process.HasExited && !seen())
            await Task.Delay(5, Cancel);
        if (!process.HasExited && extraMilliseconds > 0)
            await Task.Delay(extraMilliseconds % 50, Cancel);
    }

    private Process Start(params string[] args) => Process.Start(Information(null, args))!;

    private async Task<int> RunAsync(string? passphrase, params string[] args)
    {
        using var process = Process.Start(Information(passphrase, args))!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel);
        var said = await output + await error;
        if (process.ExitCode == 2)
            Assert.Contains("BULWARK_PASSPHRASE", said);
        Assert.DoesNotContain("the right one", said);
        return process.ExitCode;
    }

    private ProcessStartInfo Information(string? passphrase, string[] args)
    {
        var information = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [Path.Combine(AppContext.BaseDirectory, "Bulwark.Cli.dll"), .. args, "-w", Workspace])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        information.Environment.Remove("BULWARK_PASSPHRASE");
        if (passphrase is not null)
            information.Environment["BULWARK_PASSPHRASE"] = passphrase;
        return information;
    }
}
