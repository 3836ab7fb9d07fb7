using System.Diagnostics;
using System.Text.Json;

namespace Bulwark.EndToEnd.Making;

public sealed class InterruptionTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-interrupted");

    public void Dispose() => Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);

    [Fact]
    public async Task An_interrupted_demo_exits_130_keeps_nothing_half_written_and_resumes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGINT to send.");
        await InterruptAsync(after: 3);
        var finished = Finished();
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(Demo, "*", SearchOption.AllDirectories), path => path.Contains(".tmp", StringComparison.Ordinal));
        Assert.False(File.Exists(Path.Combine(Demo, "report.html")));

        await InterruptAsync(after: 1);
        var later = Finished();
        Assert.True(later.Count > finished.Count);
        Assert.Equal(finished, later.Where(step => finished.ContainsKey(step.Key)).ToDictionary());   // nothing was done again
        Assert.False(File.Exists(Path.Combine(Demo, "report.html")));
    }

    /// <summary>SIGINT, or SIGTERM where whoever started the tests has children ignore SIGINT, as a shell does with what it runs in the background.</summary>
    private static readonly string s_signal = InterruptIsIgnored() ? "-TERM" : "-INT";

    private static bool InterruptIsIgnored() => File.Exists("/proc/self/status")
        && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } line
        && (Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16) & 2) != 0;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Demo => Path.Combine(_folder.FullName, "demo");

    private string[] Records() => Directory.Exists(Path.Combine(Demo, "steps")) ? Directory.GetFiles(Path.Combine(Demo, "steps"), "*.json") : [];

    /// <summary>The steps that are done, and when they were.</summary>
    private Dictionary<string, DateTimeOffset> Finished() => Records().ToDictionary(
        path => Path.GetFileName(path), path => JsonDocument.Parse(File.ReadAllBytes(path)).RootElement.GetProperty("finished").GetDateTimeOffset());

    /// <summary>Runs the built command line and sends SIGINT behind so many steps more, wherever it is by then.</summary>
    private async Task InterruptAsync(int after)
    {
        var before = Records().Length;
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
            while (Records().Length < before + after && !process.HasExited)
                await Task.Delay(50, Cancel);
            await Task.Delay(500, Cancel);
            using (var kill = Process.Start("kill", [s_signal, $"{process.Id}"]))
                await kill.WaitForExitAsync(Cancel);
            await process.WaitForExitAsync(Cancel);
            Assert.True(process.ExitCode == 130, $"{await error}\n{await output}");
            Assert.Contains("interrupted", await error, StringComparison.Ordinal);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
