using System.Diagnostics;

namespace Bulwark.Cli.Making;

/// <summary>Times two ways of doing one job in turn, so that their ratio holds on a noisy machine.</summary>
internal static class Stopwatches
{
    /// <summary>Seconds of the fastest of several runs of each, A B A B …, after one run of each that does not count.</summary>
    internal static async Task<(double A, double B)> FastestAsync(Func<Task> a, Func<Task> b, int rounds)
    {
        var (bestA, bestB) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round <= rounds; round++)
        {
            var (secondsA, secondsB) = (await SecondsAsync(a), await SecondsAsync(b));
            if (round > 0)
                (bestA, bestB) = (Math.Min(bestA, secondsA), Math.Min(bestB, secondsB));
        }

        return (bestA, bestB);
    }

    /// <summary>Seconds per call: the fastest slice of calls, each slice long enough to time.</summary>
    internal static double PerCall(Action call, int callsInSlice = 2000, int slices = 15)
    {
        var best = double.MaxValue;
        for (var slice = 0; slice < slices; slice++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < callsInSlice; i++)
                call();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best / callsInSlice;
    }

    internal static async Task<double> SecondsAsync(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
