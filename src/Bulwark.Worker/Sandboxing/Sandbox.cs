
namespace Bulwark.Worker.Sandboxing;

/// <summary>What keeps the worker's process in. In two steps: privileges and files before the program starts anew, so that every thread is under them; system calls once its socket is open.</summary>
internal static unsafe class Sandbox
{
    internal const string Variable = "BULWARK_WORKER_SANDBOX";
    private static readonly string[] s_libraries = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"];
    private static readonly string[] s_facts = ["/proc", "/sys/fs/cgroup", "/sys/devices/system", "/sys/kernel/mm", "/etc/ld.so.cache", "/etc/ssl", "/dev/urandom", "/dev/random"];

    /// <summary>The first step: does not return where it starts the program anew.</summary>
    /// <returns>What the first step did; only in the program that was started anew, or where there is no such step.</returns>
    internal static string Enter()
    {
        if (!OperatingSystem.IsLinux())
            return "none: only Linux has one";
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } done)
            return done;
        var parts = new List<string>();
        if (Native.Control(Native.NoNewPrivileges, 1, 0, 0, 0) == 0)
            parts.Add("no new privileges");
        if (Native.SetLimit(Native.CoreLimit, default) == 0)
            parts.Add("no core dumps");
        var home = Path.GetDirectoryName(typeof(object).Assembly.Location) is { Length: > 0 } runtime ? Path.GetFullPath(Path.Combine(runtime, "..", "..", "..")) : AppContext.BaseDirectory;
        parts.Add(Landlock.Restrict([AppContext.BaseDirectory, home, Environment.ProcessPath!, .. s_libraries], s_facts, ["/dev/null"])
            ? $"Landlock {Landlock.Version}" : "no Landlock: this kernel offers none");
        _ = Native.SetVariable(Variable, string.Join(", ", parts), 1);
        _ = Native.SetVariable("DOTNET_EnableDiagnostics", "0", 1);
        Again();
        return string.Join(", ", parts) + ", not started anew";   // exec failed: this thread and its children are restricted, the others are not
    }

    /// <summary>The second step, once every descriptor that is needed is open; then tries what must be refused.</summary>
    /// <returns>What is active, and what was tried.</returns>
    internal static string Close(string first)
    {
        if (!OperatingSystem.IsLinux())
            return first;
        List<string> parts = [first];
        if (Native.Control(Native.SetDumpable, 0, 0, 0, 0) == 0)
            parts.Add("not dumpable");
        parts.Add(Native.LockMemory(Native.LockCurrent | Native.LockFuture | Native.LockOnFault) == 0 ? "memory locked" : "memory not locked: this process may not");
        parts.Add(SystemCallFilter.Install() ? "seccomp" : "no seccomp: this kernel offers none");
        parts.Add("no diagnostics port");
        parts.Add($"tried: file {Tried(Native.Open("/etc/passwd", 0))}, new file {Tried(Native.Open(Path.Combine(Path.GetTempPath(), "bulwark-worker-probe"), 0x41))}, socket {Tried(Native.Socket(2, 1, 0))}, local socket {Tried(Native.Socket(1, 1, 0))}");
        return string.Join(", ", parts);
    }

    private static string Tried(int descriptor)
    {
        if (descriptor < 0)
            return "refused";
        _ = Native.Close(descriptor);
        return "open";
    }

    private static void Again()
    {
        var arguments = File.ReadAllBytes("/proc/self/cmdline");
        var starts = new List<int> { 0 };
        for (var i = 0; i < arguments.Length - 1; i++)
            if (arguments[i] == 0)
                starts.Add(i + 1);
        fixed (byte* text = arguments)
        {
            var pointers = stackalloc byte*[starts.Count + 1];
            for (var i = 0; i < starts.Count; i++)
                pointers[i] = text + starts[i];
            pointers[starts.Count] = null;
            _ = Native.Execute(Environment.ProcessPath!, pointers);
        }
    }
}
