using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Reflection;

namespace Bulwark.Worker.Processes;

/// <summary>Starts the worker's program and waits until it has connected.</summary>
internal static class WorkerLaunch
{
    private static readonly TimeSpan s_longestStart = TimeSpan.FromMinutes(5);

    /// <exception cref="IOException">The program is not there, does not start, or ends.</exception>
    internal static async Task<(Process Process, IReadOnlyList<WorkerWire> Wires)> StartAsync(WorkerStart start, int connections, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("bulwark-worker-");   // of this user only
        var wires = new List<WorkerWire>();
        Process? process = null;
        try
        {
            var path = Path.Combine(folder.FullName, "s");
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen(connections);
            process = Launch(start.Program, ["serve", path, $"{connections}", start.InsecureSandbox ? "insecure" : "required", .. start.Without.Length > 0 ? (string[])[start.Without] : []]);
            while (wires.Count < connections)
                wires.Add(new(await AcceptAsync(listener, process, cancel)));
            return (process, wires);
        }
        catch
        {
            wires.ForEach(wire => wire.Dispose());
            if (process is not null)
                End(process);
            throw;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    internal static void End(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }
    }

    /// <summary>The worker published in its folder <c>worker</c>; else the one that was built beside this program, on this program's runtime, which a self-contained program has beside it.</summary>
    private static Process Launch(string published, string[] arguments)
    {
        var folder = AppContext.BaseDirectory;
        var runtime = SharedRuntime.Folder;
        var start = new ProcessStartInfo(published, arguments);
        if (!File.Exists(published))
        {
            var (entry, program) = (Path.Combine(folder, Assembly.GetEntryAssembly()?.GetName().Name ?? ""), Path.Combine(folder, "Bulwark.Worker.dll"));
            if (!File.Exists(program) || !File.Exists(entry + ".runtimeconfig.json"))
                throw new IOException($"The worker's program is neither {published} nor {program}.");
            start = runtime is null
                ? new(Path.Combine(folder, "Bulwark.Worker"), arguments)
                : new(Path.Combine(runtime, "dotnet"), ["exec", "--runtimeconfig", entry + ".runtimeconfig.json", "--depsfile", entry + ".deps.json", program, .. arguments]);
        }

        start.RedirectStandardInput = true;
        start.Environment.Remove(Sandboxing.Sandbox.Variable);   // the program sets it for itself: taken from outside it would skip the sandbox
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        if (runtime is not null)
            start.Environment["DOTNET_ROOT"] = runtime;
        try
        {
            return Process.Start(start) ?? throw new IOException($"{start.FileName} does not start.");
        }
        catch (Win32Exception fault)
        {
            throw new IOException($"The worker's program does not start: {fault.Message}", fault);
        }
    }

    private static async Task<Socket> AcceptAsync(Socket listener, Process process, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var ended = process.WaitForExitAsync(limit.Token);
        var accepted = listener.AcceptAsync(limit.Token).AsTask();
        var first = await Task.WhenAny(accepted, ended, Task.Delay(s_longestStart, limit.Token));
        if (first == accepted)
        {
            await limit.CancelAsync();
            return await accepted;
        }

        await limit.CancelAsync();
        cancel.ThrowIfCancellationRequested();
        throw new IOException(first == ended ? $"The worker's process ended with {process.ExitCode} before it was ready." : "The worker's process did not connect.");
    }
}
