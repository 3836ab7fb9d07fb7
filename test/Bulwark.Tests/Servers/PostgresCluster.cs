using System.Diagnostics;

namespace Bulwark.Tests.Servers;

/// <summary>A real PostgreSQL of this process's own, in a temporary folder on a loopback port; gone with the process.</summary>
/// <remarks>The installed binaries are found under /usr/lib/postgresql or on the path. The server refuses root, so root runs it as the user postgres.</remarks>
public sealed class PostgresCluster : IDisposable
{
    private const string Settings = """
        listen_addresses = '127.0.0.1'
        shared_buffers = 32MB
        max_connections = 64
        fsync = on
        synchronous_commit = on
        autovacuum = off
        log_min_messages = warning
        """;

    private readonly string _binaries;
    private readonly string _folder;
    private readonly int _port = LoopbackPort.Choose();
    private int _databases;
    private bool _disposed;

    private PostgresCluster(string binaries)
    {
        _binaries = binaries;
        _folder = Directory.CreateTempSubdirectory("bulwark-postgres-").FullName;
    }

    /// <summary>The folder of initdb and pg_ctl; null where PostgreSQL is not installed.</summary>
    public static string? Binaries { get; } = FindBinaries();

    private string Data => Path.Combine(_folder, "data");

    /// <summary>Makes and starts one.</summary>
    /// <exception cref="InvalidOperationException">It is not installed, or did not start.</exception>
    public static PostgresCluster Start()
    {
        var cluster = new PostgresCluster(Binaries ?? throw new InvalidOperationException("PostgreSQL is not installed."));
        try
        {
            if (Environment.IsPrivilegedProcess)
                RunPlain("chown", ["postgres", cluster._folder]);
            cluster.Run("initdb", ["-D", cluster.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"]);
            File.AppendAllText(Path.Combine(cluster.Data, "postgresql.conf"), $"{Settings}\nport = {cluster._port}\nunix_socket_directories = '{cluster._folder}'\n");
            cluster.StartAgain();
            AppDomain.CurrentDomain.ProcessExit += (_, _) => cluster.Dispose();
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>A new, empty database and how to reach it.</summary>
    public string CreateDatabase()
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        Run("createdb", ["-h", "127.0.0.1", "-p", $"{_port}", "-U", "postgres", name]);
        return $"Host=127.0.0.1;Port={_port};Username=postgres;Database={name};Timeout=60;Command Timeout=180";
    }

    /// <summary>Ends the server as a power cut ends it: kill -9, no checkpoint, no farewell.</summary>
    /// <remarks>Its children too: one that serves a connection would otherwise answer for a moment after its parent's death.</remarks>
    public void Kill()
    {
        var server = File.ReadLines(Path.Combine(Data, "postmaster.pid")).First();
        RunPlain("kill", ["-STOP", server]);   // no new children while they are counted
        RunPlain("kill", ["-9", server, .. ChildrenOf(server)]);
    }

    private static IEnumerable<string> ChildrenOf(string parent)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            var id = Path.GetFileName(folder);
            if (char.IsAsciiDigit(id[0]) && ParentOf(folder) == parent)
                yield return id;
        }
    }

    /// <summary>The fourth field of the process's state, counted from the end of its name, which may hold blanks; null where the process has ended.</summary>
    private static string? ParentOf(string folder)
    {
        try
        {
            var state = File.ReadAllText(Path.Combine(folder, "stat"));
            return state[(state.LastIndexOf(')') + 2)..].Split(' ')[1];
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Starts the server that was killed or stopped; it recovers by itself.</summary>
    public void StartAgain()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Run("pg_ctl", ["-D", Data, "-l", Path.Combine(_folder, "log"), "-w", "-t", "180", "start"]);
                return;
            }
            catch (InvalidOperationException) when (attempt < 20 && File.Exists(Path.Combine(Data, "postmaster.pid")))
            {
                Thread.Sleep(100);   // children of a killed server still hold its memory for a moment
            }
        }
    }

    /// <summary>Stops the server at once and removes its folder.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        try
        {
            if (File.Exists(Path.Combine(Data, "postmaster.pid")))
                Run("pg_ctl", ["-D", Data, "-m", "immediate", "stop"]);
        }
        catch (InvalidOperationException)
        {
            // Already gone.
        }

        TemporaryFolder.Remove(_folder);
    }

    private void Run(string program, string[] arguments)
    {
        var path = Path.Combine(_binaries, program);
        if (Environment.IsPrivilegedProcess)
            RunPlain("runuser", ["-u", "postgres", "--", path, .. arguments]);
        else
            RunPlain(path, arguments);
    }

    /// <summary>The server inherits no pipe of ours, so nothing waits for its end.</summary>
    private static void RunPlain(string program, string[] arguments)
    {
        var output = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo("/bin/sh", ["-c", "out=$1; shift; exec \"$@\" </dev/null >>\"$out\" 2>&1", "sh", output, program, .. arguments]) { WorkingDirectory = "/" };
            using var process = Process.Start(start)!;
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {File.ReadAllText(output)}");
        }
        finally
        {
            File.Delete(output);
        }
    }

    private static string? FindBinaries()
    {
        var installed = Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").OrderByDescending(version => double.TryParse(Path.GetFileName(version), out var number) ? number : 0)
                .Select(version => Path.Combine(version, "bin"))
            : [];
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return installed.Concat(onPath).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "pg_ctl")));
    }
}
