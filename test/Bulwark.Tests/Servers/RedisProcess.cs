using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Bulwark.Tests.Servers;

/// <summary>A real Redis of this test's own on a loopback port, in memory alone; gone with the test. Absent: the test skips, and fails in CI.</summary>
public sealed class RedisProcess : IDisposable
{
    private static readonly string? s_binary = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "redis-server")).FirstOrDefault(File.Exists);
    private readonly int _port;
    private Process? _process;

    private RedisProcess(int port) => _port = port;

    public Uri Address => new($"redis://127.0.0.1:{_port}");

    public static async Task<RedisProcess> StartAsync()
    {
        if (s_binary is null)
        {
            const string Absent = "redis-server is not installed: run eng/test-servers.sh.";
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", Absent);
            Assert.Skip(Absent);
        }

        var redis = new RedisProcess(LoopbackPort.Choose());
        AppDomain.CurrentDomain.ProcessExit += (_, _) => redis.Dispose();
        await redis.StartAgainAsync();
        return redis;
    }

    /// <summary>Starts the server; returns when it answers.</summary>
    public async Task StartAgainAsync()
    {
        _process = Process.Start(new ProcessStartInfo(s_binary!, ["--port", $"{_port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        for (var limit = Stopwatch.StartNew(); limit.Elapsed < TimeSpan.FromMinutes(2);)
        {
            Assert.False(_process.HasExited, "redis-server ended at once.");
            try
            {
                await PingAsync();
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }

        Assert.Fail("redis-server did not answer within two minutes.");
    }

    public void Kill()
    {
        if (_process is not { } process)
            return;
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
        _process = null;
    }

    /// <summary>Sends a command in the inline form; the first kilobytes of the answer.</summary>
    public async Task<string> AskAsync(string command)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port);
        var stream = client.GetStream();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(command + "\r\nQUIT\r\n"), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, System.Text.Encoding.Latin1);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose() => Kill();

    private async Task PingAsync()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port);
    }
}
