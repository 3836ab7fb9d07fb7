using System.Diagnostics;

namespace Bulwark.Benchmarks.Attestation;

/// <summary>A TPM in software (swtpm) in a folder of its own; both go when it is disposed.</summary>
internal sealed class TpmProcess : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-bench-tpm-");
    private readonly Process _process;

    private TpmProcess()
    {
        _process = Process.Start(new ProcessStartInfo("swtpm")
        {
            ArgumentList = { "socket", "--tpm2", "--tpmstate", $"dir={_folder.FullName}", "--server", $"type=unixio,path={Socket}", "--ctrl", $"type=unixio,path={Path.Combine(_folder.FullName, "ctrl")}", "--flags", "startup-clear,not-need-init" },
        }) ?? throw new InvalidOperationException("swtpm does not start.");
        for (var waited = Stopwatch.StartNew(); !File.Exists(Socket); Thread.Sleep(5))
        {
            if (_process.HasExited || waited.Elapsed > TimeSpan.FromSeconds(60))
                throw new InvalidOperationException("swtpm made no socket.");
        }
    }

    internal string Address => $"unix:{Socket}";

    private string Socket => Path.Combine(_folder.FullName, "tpm");

    /// <summary>Starts one; null where swtpm is not installed.</summary>
    internal static TpmProcess? Start() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "swtpm"))) ? new() : null;

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
