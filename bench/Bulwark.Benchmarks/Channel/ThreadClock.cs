using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Bulwark.Benchmarks.Channel;

/// <summary>CPU seconds of this thread: what other programs take from the machine does not count.</summary>
internal static partial class ThreadClock
{
    private const int ThreadCpu = 3;   // CLOCK_THREAD_CPUTIME_ID of Linux

    internal static double Of(Action work)
    {
        var start = Now();
        work();
        return Now() - start;
    }

    private static double Now() => OperatingSystem.IsLinux() && GetTime(ThreadCpu, out var time) == 0
        ? time.Seconds + time.Nanoseconds * 1e-9 : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }
}
