using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using Bulwark.Attestation;
using Bulwark.Cryptography;

namespace Bulwark.Worker;

/// <summary>The files that the worker is made of: its assembly, everything it references outside the framework, and their native libraries.</summary>
/// <remarks>Found by walking references from this assembly, so that a program which merely lies in the same folder is not in it.</remarks>
public static class WorkerClosure
{
    private static readonly string[] NativeLibraries = ["libonnxruntime", "libsodium"];

    /// <summary>The paths, in no order.</summary>
    public static IReadOnlyList<string> Files()
    {
        var folder = AppContext.BaseDirectory;
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        if (RuntimeFeature.IsDynamicCodeSupported)
            Add(typeof(WorkerClosure).Assembly, folder, files);
        else
            files.Add("", Environment.ProcessPath!);   // compiled ahead of time: one program, no assemblies
        var hasRuntime = File.Exists(Path.Combine(folder, "libcoreclr.so"));   // published with the runtime: that is in the measurement too
        var patterns = Directory.EnumerateFiles(folder, "lib*.so", SearchOption.AllDirectories);
        foreach (var file in patterns.Where(file => hasRuntime || NativeLibraries.Any(name => Path.GetFileName(file).StartsWith(name, StringComparison.Ordinal))))
            files.TryAdd(Path.GetFileName(file), file);
        return [.. files.Values];
    }

    /// <summary>The measurement of those files.</summary>
    public static Digest Measure() => Measurement.OfFiles(Files());

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "What trimming took away is in no file, so it is rightly not listed.")]
    private static void Add(Assembly assembly, string folder, Dictionary<string, string> files)
    {
        var name = assembly.GetName().Name + ".dll";
        var path = Path.Combine(folder, name);
        if (!File.Exists(path) || !files.TryAdd(name, path))   // not beside us: the framework's
            return;
        foreach (var reference in assembly.GetReferencedAssemblies())
            if (File.Exists(Path.Combine(folder, reference.Name + ".dll")))
                Add(Assembly.Load(reference), folder, files);
    }
}
