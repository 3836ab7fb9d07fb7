using System.Diagnostics;
using System.Text.Json;

namespace Bulwark.EndToEnd.Making;

public sealed class InterruptionTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-interrupted");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task An_interrupted_demo_exits_130_keeps_nothing_half_written_and_resumes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGINT to send.");
        Assert.Equal(130, await InterruptAsync("features"));
        var finished = Finished("simulate");
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(Demo, "*", SearchOption.AllDirectories), path => path.Contains(".tmp", StringComparison.Ordinal));
        Assert.False(File.Exists(Record("train-plain")));

        Assert.Equal(130, await InterruptAsync("train-plain"));
        Assert.Equal(finished, Finished("simulate"));
        Assert.False(File.Exists(Path.Combine(Demo, "report.html")));
    }

    /// <summary>SIGINT, or SIGTERM where whoever started the tests has children ignore SIGINT, as a shell does with what it runs in the background.</summary>
    private static readonly string s_signal = InterruptIsIgnored() ? "-TERM" : "-INT";

    private static bool InterruptIsIgnored() => File.Exists("/proc/self/status")
        && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } line
        && (Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16) & 2) != 0;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Demo => Path.Combine(_folder.FullName, "demo");

    private string Record(string step) => Path.Combine(Demo, "steps", $"{step}.json");

    private DateTimeOffset Finished(string step) => JsonDocument.Parse(File.ReadAllBytes(Record(step))).RootElement.GetProperty("finished").GetDateTimeOffset();

    /// <summary>Runs the built command line, sends SIGINT in the step after the named one, and says how it exited.</summary>
    private async Task<int> InterruptAsync(string after)
    {
        using var process = Process.Start(new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Bulwark.Cli.dll"), "demo", "--rows", "20000", "-o", Demo, "--json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
            while (!File.Exists(Record(after)) && !process.HasExited)
                await Task.Delay(50, Cancel);
            await Task.Delay(500, Cancel);
            using (var kill = Process.Start("kill", [s_signal, $"{process.Id}"]))
                await kill.WaitForExitAsync(Cancel);
            await process.WaitForExitAsync(Cancel);
            Assert.True(process.ExitCode == 130, $"{await error}\n{await output}");
            Assert.Contains("interrupted", await error, StringComparison.Ordinal);
            return process.ExitCode;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
