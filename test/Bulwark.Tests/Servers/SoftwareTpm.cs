using System.Diagnostics;
using System.Net.Sockets;
using Bulwark.Attestation.Sources;

namespace Bulwark.Tests.Servers;

/// <summary>A TPM 2.0 in software (swtpm) with its state in a folder of its own; killed with its folder when disposed.</summary>
public sealed class SoftwareTpm : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-tpm-");
    private readonly Process _process;

    private SoftwareTpm()
    {
        var start = new ProcessStartInfo("swtpm")
        {
            ArgumentList =
            {
                "socket", "--tpm2", "--tpmstate", $"dir={_folder.FullName}", "--server", $"type=unixio,path={Socket}",
                "--ctrl", $"type=unixio,path={Path.Combine(_folder.FullName, "ctrl")}", "--flags", "startup-clear,not-need-init",
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException("swtpm does not start.");
        _process.ErrorDataReceived += (_, _) => { };
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    /// <summary>For <see cref="TpmClient.Open"/>.</summary>
    public string Address => $"unix:{Socket}";

    private string Socket => Path.Combine(_folder.FullName, "tpm");

    /// <summary>Starts one; skips the calling test where swtpm is absent, fails it in CI.</summary>
    public static SoftwareTpm Start()
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "swtpm"))))
        {
            const string Absent = "swtpm is not installed: run eng/test-servers.sh.";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", Absent);
            Assert.Skip(Absent);
        }

        var tpm = new SoftwareTpm();
        try
        {
            tpm.AwaitSocket();
            return tpm;
        }
        catch
        {
            tpm.Dispose();
            throw;
        }
    }

    /// <summary>A client of it.</summary>
    public TpmClient Open() => TpmClient.Open(Address);

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        TemporaryFolder.Remove(_folder.FullName);
    }

    private void AwaitSocket()
    {
        // The file is there before anybody listens behind it: only a connection shows that it does.
        for (var waited = Stopwatch.StartNew(); !IsListening(); Thread.Sleep(5))
        {
            if (_process.HasExited || waited.Elapsed > TimeSpan.FromSeconds(60))
                throw new SocketException((int)SocketError.ConnectionRefused, "swtpm made no socket.");
        }
    }

    private bool IsListening()
    {
        if (!File.Exists(Socket))
            return false;
        using var probe = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(Socket));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
