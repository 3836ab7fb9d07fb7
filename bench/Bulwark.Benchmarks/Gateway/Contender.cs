using System.Diagnostics;
using System.Globalization;

namespace Bulwark.Benchmarks.Gateway;

/// <summary>One of those compared, with what its rounds gave.</summary>
/// <param name="name">For people.</param>
/// <param name="port">Where it listens.</param>
/// <param name="beside">Processor time of another process that belongs to it, in microseconds; null for none.</param>
internal sealed class Contender(string name, int port, Func<double>? beside = null)
{
    private static readonly Process Self = Process.GetCurrentProcess();
    private readonly List<Round> _rounds = [];

    internal double Best => _rounds.Min(round => round.Cpu);

    /// <summary>Of the best, what the other process took.</summary>
    internal double Beside => _rounds.MinBy(round => round.Cpu)!.Beside;

    /// <summary>Processor time of this process, which is the server, and of a proxy before it, over a load that another process makes.</summary>
    internal void Measure(GatewayStage stage, int connections, int seconds, bool isWarmUp)
    {
        List<(double Cpu, double Beside, long Wall, long Entries, long Bytes, long Switches)> looks = [];
        var load = LoadGenerator.Measure(port, stage.Identity.Folder, connections, seconds, stage.BodiesFile, () =>
        {
            var entries = stage.Log.FlushAsync().GetAwaiter().GetResult().Size;   // the tree of what was asked is part of its cost
            Self.Refresh();
            var other = beside?.Invoke() ?? 0;
            looks.Add((Self.TotalProcessorTime.TotalMicroseconds + other, other, Stopwatch.GetTimestamp(), entries, GC.GetTotalAllocatedBytes(), Switches()));
        });
        if (load.Refused > 0 || load.Answered == 0)
            throw new InvalidOperationException($"{load.Refused} of {load.Answered} answers were not 200.");
        var (before, after) = (looks[0], looks[1]);
        if (!isWarmUp)
            _rounds.Add(new((after.Cpu - before.Cpu) / load.Answered, load.Answered / Stopwatch.GetElapsedTime(before.Wall, after.Wall).TotalSeconds, load.Median, load.Slow, load.Answered / Math.Max(1.0, after.Entries - before.Entries), after.Entries > before.Entries, (after.Bytes - before.Bytes) / (double)load.Answered, (after.Switches - before.Switches) / (double)load.Answered, (after.Beside - before.Beside) / load.Answered));
    }

    internal static void PrintHead(int rounds, int seconds) =>
        Console.WriteLine($"{"",-42}{"CPU-µs a request",18}{"of the limit",14}{"in the middle",15}{"requests/s",12}{"p50",10}{"p99",10}{"a group",9}{"KB made",9}{"switches",10}   best of {rounds} interleaved rounds of {seconds} s; ratios in the middle by rounds");

    /// <summary>Of the limit twice: best over best, and round by round, of which the middle. Then what the best round saw: rate, milliseconds to an answer, decisions to an entry of the log, memory allocated a request, and how often a thread of the server gave up its processor.</summary>
    internal void Print(Contender limit)
    {
        var ratios = limit._rounds.Zip(_rounds, (one, other) => one.Cpu / other.Cpu).Order().ToList();
        var best = _rounds.MinBy(round => round.Cpu)!;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-42}{Best,18:N1}{limit.Best / Best,14:P0}{ratios[ratios.Count / 2],15:P0}{best.PerSecond,12:N0}{best.Median / 1000,7:N2} ms{best.Slow / 1000,7:N2} ms{(best.IsLogged ? best.Group : 0),9:N1}{best.Bytes / 1000,9:N1}{best.Switches,10:N2}"));
    }

    /// <summary>Of the threads that live; one that ends in between takes its count with it.</summary>
    private static long Switches() => OperatingSystem.IsLinux() ? Directory.GetDirectories("/proc/self/task").Sum(SwitchesOf) : 0;

    private static long SwitchesOf(string thread)
    {
        const string Name = "voluntary_ctxt_switches:";
        try
        {
            return long.Parse(File.ReadLines(Path.Combine(thread, "status")).First(line => line.StartsWith(Name, StringComparison.Ordinal)).AsSpan(Name.Length), CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private sealed record Round(double Cpu, double PerSecond, double Median, double Slow, double Group, bool IsLogged, double Bytes, double Switches, double Beside);
}
