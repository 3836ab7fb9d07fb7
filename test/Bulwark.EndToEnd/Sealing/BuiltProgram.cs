using System.Diagnostics;

namespace Bulwark.EndToEnd.Sealing;

/// <summary>The built command line as a process of its own: with pipes, and with an end that may come at any time.</summary>
internal static class BuiltProgram
{
    internal static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    internal static string Library => Path.Combine(AppContext.BaseDirectory, "Bulwark.Cli.dll");

    internal static Process Start(params string[] args) => Start(Dotnet, [Library, .. args]);

    internal static Process Start(string program, IEnumerable<string> args) => Process.Start(new ProcessStartInfo(program, args)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    /// <summary>Feeds a process and waits for what it says.</summary>
    internal static async Task<(int Code, byte[] Output, string Error)> RunAsync(Process process, byte[] input, CancellationToken cancel)
    {
        using (process)
        {
            using var output = new MemoryStream();
            var (read, error) = (process.StandardOutput.BaseStream.CopyToAsync(output, cancel), process.StandardError.ReadToEndAsync(cancel));
            try
            {
                await process.StandardInput.BaseStream.WriteAsync(input, cancel);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // it ended before it had read all
            }

            await process.WaitForExitAsync(cancel);
            await read;
            return (process.ExitCode, output.ToArray(), await error);
        }
    }

    /// <summary>kill -9 when <paramref name="when"/> says so; false when it ended before.</summary>
    /// <remarks>A thread of its own watches: the pool's may be busy for longer than the process lives.</remarks>
    internal static async Task<bool> KillAsync(Process process, Func<bool> when, CancellationToken cancel)
    {
        using (process)
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel));
            process.StandardInput.Close();
            await Task.Factory.StartNew(
                () =>
                {
                    while (!IsSo(when) && !process.HasExited && !cancel.IsCancellationRequested)
                        Thread.Sleep(1);
                    process.Kill();   // SIGKILL
                },
                cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await process.WaitForExitAsync(cancel);
            _ = await output + await error;
            return process.ExitCode == 128 + 9;
        }
    }

    /// <summary>Runs <paramref name="attempt"/> until its process was killed in time and did not end before.</summary>
    internal static async Task KilledInTimeAsync(Func<Task<bool>> attempt)
    {
        for (var left = 10; !await attempt(); left--)
            Assert.True(left > 1, "The process ended ten times before it could be killed.");
    }

    private static bool IsSo(Func<bool> when)
    {
        try
        {
            return when();
        }
        catch (IOException)
        {
            return false;   // what is looked at was just renamed or removed
        }
    }
}
