using System.Globalization;
using Bulwark.Cryptography;

namespace Bulwark.Benchmarks.Columns;

/// <summary>Encrypted columns beside plain ones: CPU of writing and reading, size, training, memory.</summary>
internal static class ColumnsArea
{
    /// <summary>columns [ROWS] [write|training|memory [TURNS]]: rows of 30 random numbers, the worst case, as nothing compresses; 400,000 when absent.</summary>
    internal static int Run(string[] args)
    {
        var rows = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 400_000;
        var only = args.Length > 1 ? args[1] : null;
        var turns = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 25;
        var folder = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"bulwark-columns-{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        try
        {
            using var keys = KeyRing.Create(Path.Combine(folder, "ring.json"), KeyRingUnlock.KeyFile(Path.Combine(folder, "ring.key")));
            if (only is null or "write")
                ColumnCosts.Print(rows, turns, folder, keys);
            if (only is null or "training")
                ProtectedTraining.Print(rows, turns, folder, keys);
            if (only is null or "memory")
                StreamingMemory.Print(rows, folder, keys);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>CPU of this process, all threads, while something ran: its user and system time by getrusage.</summary>
    internal static double CpuMilliseconds(Action run)
    {
        var before = Environment.CpuUsage.TotalTime;
        run();
        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
    }

    /// <summary>The median of some shares, and between which values the middle half of them lies.</summary>
    internal static string Spread(IEnumerable<double> shares)
    {
        var sorted = shares.Order().ToArray();
        double Of(double part) => sorted[(int)Math.Round(part * (sorted.Length - 1))] * 100;
        return string.Create(CultureInfo.InvariantCulture, $"{Of(0.5):+0.0;-0.0} % ({Of(0.25):+0.0;-0.0} to {Of(0.75):+0.0;-0.0} %)");
    }

    internal static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
