using System.Globalization;
using Bulwark.Cryptography;
using Bulwark.Data;

namespace Bulwark.Benchmarks.Columns;

/// <summary>The most memory that protecting a file takes, for a file and for one four times as large. Linux only: the kernel counts it.</summary>
internal static class StreamingMemory
{
    internal static void Print(int rows, string folder, KeyRing keys)
    {
        Console.WriteLine();
        if (!OperatingSystem.IsLinux())
        {
            Console.WriteLine("memory: not measured on this system");
            return;
        }

        var policy = ProtectionPolicy.Parse("""{"format":"data-policy/v1","dataset":"bench","otherwise":"keep","columns":{"name":{"action":"encrypt"},"x":{"action":"encrypt"}}}""");
        Console.WriteLine("memory of data protect, CSV in, folder of parts out: most resident memory above what was there before");
        foreach (var size in new[] { rows, 2 * rows, 8 * rows })
        {
            var path = Path.Combine(folder, "large.csv");
            Write(path, size);
            GC.Collect();
            var before = Status("VmRSS");
            File.WriteAllText("/proc/self/clear_refs", "5");
            using (var source = TableSource.Open(path))
                DataProtection.ProtectAsync(source, policy, keys, Path.Combine(folder, $"large{size}"), new() { RowsPerFile = 1_000_000 }).GetAwaiter().GetResult();
            Console.WriteLine($"  {size,12:N0} rows, {new FileInfo(path).Length / 1e6,8:N0} MB of CSV: {(Status("VmHWM") - before) / 1e3,8:N0} MB, to {Status("VmHWM") / 1e3:N0} MB");
            File.Delete(path);
            Directory.Delete(Path.Combine(folder, $"large{size}"), recursive: true);
        }
    }

    private static void Write(string path, int rows)
    {
        using var file = new StreamWriter(path);
        file.WriteLine("id,name,x,y,at");
        for (var row = 0; row < rows; row++)
            file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row},person number {row},{row * 0.25},{row % 977},2024-01-{1 + (row % 28):00}T00:00:{row % 60:00}Z"));
    }

    /// <summary>A line of /proc/self/status, in kB.</summary>
    private static double Status(string name) => File.ReadLines("/proc/self/status").Where(line => line.StartsWith(name, StringComparison.Ordinal))
        .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)).First();
}
