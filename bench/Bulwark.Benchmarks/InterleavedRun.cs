using System.Diagnostics;

namespace Bulwark.Benchmarks;

/// <summary>One thing to time.</summary>
/// <param name="Name">How the table calls it.</param>
/// <param name="MegaFlop">Work of one call, or 0 where operations are not the measure.</param>
/// <param name="Run">One call.</param>
internal sealed record Contender(string Name, double MegaFlop, Action Run);

/// <summary>Times contenders turn by turn in one run: what the machine's other work does to one, it does to all. The minimum is quoted.</summary>
internal static class InterleavedRun
{
    internal static double[] MinimumMicroseconds(IReadOnlyList<Contender> contenders, TimeSpan duration)
    {
        var minimum = Enumerable.Repeat(double.PositiveInfinity, contenders.Count).ToArray();
        foreach (var contender in contenders)
            contender.Run();
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < duration;)
        {
            for (var i = 0; i < contenders.Count; i++)
            {
                for (var repeat = 0; repeat < 5; repeat++)
                {
                    var start = Stopwatch.GetTimestamp();
                    contenders[i].Run();
                    minimum[i] = Math.Min(minimum[i], Stopwatch.GetElapsedTime(start).TotalMicroseconds);
                }
            }
        }

        return minimum;
    }
}
