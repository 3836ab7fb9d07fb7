using System.Diagnostics;
using System.Globalization;
using Bulwark.EndToEnd.Making;
using Bulwark.Lineage;
using Bulwark.Tests.Servers;

namespace Bulwark.EndToEnd.Logs;

/// <summary>Real processes that append, killed at any point: every place that was printed is in the log with its bytes, in every store.</summary>
/// <remarks>BULWARK_CRASH_ROUNDS makes it longer than its two rounds a store.</remarks>
public sealed class LogCrashTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-log-crash");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);

    [Theory]
    [InlineData("files")]
    [InlineData("sqlite:entries.db")]
    [InlineData("postgres")]
    public async Task What_was_promised_before_a_kill_is_there_after_it(string store)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill -9.");
        var workspace = Path.Combine(_folder.FullName, "ws");
        var made = await CommandLine.RunAsync("init", "-w", workspace, "--log-store", store == "postgres" ? $"postgres:{PostgresServer.NewDatabase()}" : store, "--json");
        Assert.True(made.Code == 0, made.Said);
        var promised = new Dictionary<long, string>();
        var rounds = int.Parse(Environment.GetEnvironmentVariable("BULWARK_CRASH_ROUNDS") ?? "2", CultureInfo.InvariantCulture);
        for (var round = 0; round < rounds; round++)
        {
            Appender[] appenders = [.. Enumerable.Range(0, 3).Select(i => new Appender(workspace, $"{round}/{i}"))];
            await Task.WhenAll(appenders.Select(appender => appender.HasPromisedAsync(20)));
            await Task.Delay(Random.Shared.Next(300), Cancel);
            foreach (var appender in appenders)
            {
                foreach (var (place, line) in await appender.KillAsync())
                    Assert.True(promised.TryAdd(place, line), $"place {place} was given twice");
            }
        }

        Assert.True(promised.Count >= 40 * rounds);
        var after = await CommandLine.RunAsync("log", "append", "-w", workspace, Path.Combine(workspace, ".gitignore"), "--json");
        Assert.True(after.Code == 0, after.Said);   // the next writer takes in what the killed ones left
        var checkedAgain = await CommandLine.RunAsync("log", "fsck", "-w", workspace, "--json");
        Assert.True(checkedAgain.Code == 0, checkedAgain.Said);
        var log = await TransparencyLog.OpenAsync(Path.Combine(workspace, "log"));
        Assert.All(promised, one => Assert.Equal(one.Value, System.Text.Encoding.UTF8.GetString(log.ReadEntry(one.Key).Span)));
    }

    [Fact]
    public async Task A_full_disk_refuses_and_loses_nothing_that_was_promised()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no ulimit.");
        var workspace = Path.Combine(_folder.FullName, "ws");
        Assert.Equal(0, (await CommandLine.RunAsync("init", "-w", workspace)).Code);
        // Files of at most 8 MiB stand for the disk's end: the journal meets it first.
        var appender = new Appender(workspace, "full", "ulimit -f 16384; trap '' XFSZ; export DOTNET_EnableWriteXorExecute=0; exec ", new string('x', 1000));
        var (code, error) = await appender.EndAsync();
        Assert.Equal(2, code);
        Assert.Contains("error:", error, StringComparison.Ordinal);
        Assert.NotEmpty(appender.Promised);
        var again = await CommandLine.RunAsync("log", "append", "-w", workspace, Path.Combine(workspace, ".gitignore"), "--json");
        Assert.True(again.Code == 0, again.Said);
        var log = await TransparencyLog.OpenAsync(Path.Combine(workspace, "log"));
        Assert.Equal(LogVerdict.Verified, log.Fsck());
        Assert.All(appender.Promised, one => Assert.Equal(one.Line, System.Text.Encoding.UTF8.GetString(log.ReadEntry(one.Place).Span)));
    }

    /// <summary>A process that appends lines as fast as it can, and what it promised.</summary>
    private sealed class Appender
    {
        private readonly Process _process;
        private readonly Task _feeding;
        private readonly Task _listening;
        private readonly Task<string> _error;
        private readonly List<(long Place, string Line)> _promised = [];

        internal Appender(string workspace, string name, string before = "exec ", string padding = "")
        {
            var dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
            _process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", before + "\"$@\"", "sh", dotnet, Path.Combine(AppContext.BaseDirectory, "Bulwark.Cli.dll"), "log", "append", "--lines", "-w", workspace])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            _error = _process.StandardError.ReadToEndAsync(CancellationToken.None);
            _feeding = Task.Run(async () =>
            {
                try
                {
                    for (var i = 0; !_process.HasExited; i++)
                        await _process.StandardInput.WriteLineAsync($"{name}/{i}{padding}");
                }
                catch (IOException)
                {
                    // It was killed.
                }
            });
            _listening = Task.Run(async () =>
            {
                for (var i = 0; await _process.StandardOutput.ReadLineAsync() is { } place; i++)
                {
                    if (long.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                        lock (_promised)
                            _promised.Add((number, $"{name}/{i}{padding}"));
                }
            });
        }

        internal List<(long Place, string Line)> Promised => _promised;

        internal async Task HasPromisedAsync(int count)
        {
            await Eventually.IsSoAsync(async () =>
            {
                Assert.False(_process.HasExited, _process.HasExited ? await _error : "");
                return Count() >= count;
            });
        }

        internal async Task<List<(long Place, string Line)>> KillAsync()
        {
            using (var kill = Process.Start("kill", ["-9", $"{_process.Id}"]))
                await kill.WaitForExitAsync(Cancel);
            await EndAsync();
            return _promised;
        }

        internal async Task<(int Code, string Error)> EndAsync()
        {
            await _process.WaitForExitAsync(Cancel);
            await _listening;
            await _feeding;
            return (_process.ExitCode, await _error);
        }

        private int Count()
        {
            lock (_promised)
                return _promised.Count;
        }
    }
}
