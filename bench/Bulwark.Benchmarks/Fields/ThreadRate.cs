using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Bulwark.Benchmarks.Fields;

/// <summary>Values per second of this thread's CPU time: what other programs take from the machine does not count.</summary>
internal static partial class ThreadRate
{
    private const int ThreadClock = 3;   // CLOCK_THREAD_CPUTIME_ID of Linux

    /// <summary>Runs all in turn until the time is over; the best slice of each is quoted.</summary>
    internal static double[] Measure((int Values, Action Run)[] contenders, TimeSpan duration)
    {
        var best = new double[contenders.Length];
        foreach (var (_, run) in contenders)
        {
            for (var i = 0; i < 40; i++)
                run();
        }

        for (var clock = Stopwatch.StartNew(); clock.Elapsed < duration;)
        {
            for (var i = 0; i < contenders.Length; i++)
            {
                var (values, slice) = (0L, Now());
                double spent;
                do
                {
                    contenders[i].Run();
                    values += contenders[i].Values;
                    spent = Now() - slice;
                }
                while (spent < 0.02);
                best[i] = Math.Max(best[i], values / spent);
            }
        }

        return best;
    }

    private static double Now()
    {
        if (!OperatingSystem.IsLinux() || GetTime(ThreadClock, out var time) != 0)
            return Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;
        return time.Seconds + time.Nanoseconds * 1e-9;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }
}
