using Bulwark.Worker.Processes;

namespace Bulwark.Worker.Sandboxing;

/// <summary>What keeps the worker's process in. In two steps: privileges and files before the program starts anew, so that every thread is under them; system calls once its socket is open.</summary>
internal static unsafe class Sandbox
{
    internal const string Variable = "BULWARK_WORKER_SANDBOX";
    private static readonly string[] s_libraries = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"];
    private static readonly string[] s_facts = ["/proc", "/sys/fs/cgroup", "/sys/devices/system", "/sys/kernel/mm", "/etc/ld.so.cache", "/etc/ssl", "/dev/urandom", "/dev/random"];

    /// <summary>The first step: does not return where it starts the program anew.</summary>
    /// <param name="without">Walls to leave out as if the kernel had none; for tests.</param>
    /// <returns>What the first step did; only in the program that was started anew, or where there is no such step.</returns>
    internal static string Enter(string without)
    {
        if (!OperatingSystem.IsLinux())
            return "";
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } done)
            return done;
        var privileges = Native.Control(Native.NoNewPrivileges, 1, 0, 0, 0) == 0;
        var cores = Native.SetLimit(Native.CoreLimit, default) == 0;
        var landlock = without != "landlock" && Landlock.Restrict([AppContext.BaseDirectory, SharedRuntime.Folder ?? AppContext.BaseDirectory, Environment.ProcessPath!, .. s_libraries], s_facts, ["/dev/null"]) ? Landlock.Version : 0;
        _ = Native.SetVariable(Variable, SandboxReport.Hand(privileges, cores, landlock, again: true), 1);
        _ = Native.SetVariable("DOTNET_EnableDiagnostics", "0", 1);
        Again();
        return SandboxReport.Hand(privileges, cores, landlock, again: false);   // exec failed: this thread and its children are restricted, the others are not
    }

    /// <summary>The second step, once every descriptor that is needed is open; then looks what holds and tries what must be refused.</summary>
    internal static SandboxReport Close(string first, string without)
    {
        if (!OperatingSystem.IsLinux())
            return new([], ["a sandbox: only Linux has one"]);
        var (privileges, cores, landlock, again) = SandboxReport.Taken(first);
        var dumpable = Native.Control(Native.SetDumpable, 0, 0, 0, 0) != 0 || Native.Control(Native.GetDumpable, 0, 0, 0, 0) != 0;
        var locked = Native.LockMemory(Native.LockCurrent | Native.LockFuture | Native.LockOnFault) == 0;
        var filtered = without != "seccomp" && SystemCallFilter.Install();
        var status = File.ReadAllLines("/proc/self/status");
        List<string> active = [], missing = [];
        void Demand(bool there, string name) => (there ? active : missing).Add(name);
        Demand(privileges && again && status.Contains("NoNewPrivs:\t1"), "no new privileges");
        Demand(cores && !dumpable, "no core dumps, not dumpable");
        Demand(Environment.GetEnvironmentVariable("DOTNET_EnableDiagnostics") == "0", "no diagnostics port");
        var files = !Opens(Native.Open("/etc/passwd", 0)) & !Opens(Native.Open(Path.Combine(Path.GetTempPath(), "bulwark-worker-probe"), 0x41));
        Demand(landlock > 0 && files, landlock > 0 ? $"Landlock {landlock} (tried: file refused, new file refused)" : "Landlock");
        var sockets = !Opens(Native.Socket(2, 1, 0)) & !Opens(Native.Socket(1, 1, 0));
        Demand(filtered && sockets && status.Contains("Seccomp:\t2"), filtered ? "seccomp (tried: socket refused, local socket refused)" : "seccomp");
        active.Add(locked ? "memory locked" : HasSwap() ? "memory MAY BE SWAPPED: this process may not lock it" : "no swap on this machine");
        return new(active, missing);
    }

    private static bool HasSwap()
    {
        try
        {
            return File.ReadAllLines("/proc/swaps").Length > 1;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static bool Opens(int descriptor)
    {
        if (descriptor < 0)
            return false;
        _ = Native.Close(descriptor);
        return true;
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
