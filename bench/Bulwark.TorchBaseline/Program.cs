using System.Runtime.InteropServices;
using Bulwark.TorchBaseline;

// The library asks for a newer C++ runtime than it needs; this copy, in the build's output, is mended before it is loaded.
foreach (var library in Directory.EnumerateFiles(AppContext.BaseDirectory, "libLibTorchSharp.so", SearchOption.AllDirectories))
{
    if (VersionRequirement.Weaken(library, "GLIBCXX_3.4.32"))
        Console.Error.WriteLine($"marked GLIBCXX_3.4.32 as weak in {Path.GetFileName(library)}");
}

var duration = TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0]) : 20);
ComparisonRun.Print(Console.Out, duration, RuntimeInformation.FrameworkDescription);
AttackStepRun.Print(Console.Out, duration);
