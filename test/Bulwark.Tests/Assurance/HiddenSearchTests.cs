using Bulwark.Assurance;

namespace Bulwark.Tests.Assurance;

/// <summary>A searcher that knows a detector of near queries passes it where it can, and pays identities where it cannot.</summary>
public class HiddenSearchTests
{
    private const int Width = 6;
    private static readonly float[] s_start = [0.9f, 0.9f, 0.9f, 0.9f, 0.9f, 0.9f];
    private static readonly float[] s_pool = [.. Enumerable.Range(0, 40 * Width).Select(i => 0.7f + (((i * 37) % 50) / 250f))];

    [Fact]
    public void The_unaware_one_is_stopped_and_the_tuned_one_is_not()
    {
        var move = HiddenSearch.Tune(least => Search(new() { Epsilon = 0.8, LeastMove = least, Identities = 20, Queries = 20 }, Detector(), passes: false), 0, 0.8);
        Assert.InRange(move, 0.19, 0.21);   // the detector counts what is nearer than 0.2
        int Successes(double least) => Enumerable.Range(0, 20).Count(seed => Search(new() { Epsilon = 0.8, LeastMove = least }, Detector(), seed: (ulong)seed).Succeeded is not null);
        var (unaware, tuned) = (Successes(1e-6), Successes(move));
        Assert.True(unaware <= 5 && tuned >= 10, $"{unaware} and {tuned} of 20");
    }

    [Fact]
    public void An_own_copy_of_the_detector_costs_no_identity()
    {
        var asked = new List<float[]>();
        var real = Detector();
        var outcome = Search(new() { Epsilon = 0.8, Suspicion = row => asked.Any(one => Distance(one, row) < 0.2) ? 1 : 0 }, row =>
        {
            asked.Add(row);
            return real(row);
        });
        Assert.NotNull(outcome.Succeeded);
        Assert.Equal(0, outcome.Withheld);
    }

    [Fact]
    public void What_is_withheld_costs_an_identity_and_tells_nothing()
    {
        var outcome = new HiddenSearch(s_pool, Width, [], new() { Epsilon = 0.8, Identities = 3 }, 1).Run(s_start, _ => null);
        Assert.Equal(new(null, 3, 3), outcome);
    }

    [Fact]
    public void A_search_that_its_own_distance_stops_says_so() =>
        Assert.Equal(new(null, 1, 0, Stuck: true), new HiddenSearch(s_pool, Width, [], new() { Epsilon = 0.1, LeastMove = 0.5 }, 1).Run(s_start, _ => 1));

    private static HiddenSearchOutcome Search(HiddenSearchOptions options, Func<float[], bool> detector, bool passes = true, ulong seed = 1) =>
        new HiddenSearch(s_pool, Width, [], options, seed).Run(s_start, row => detector(row) ? null : passes ? row.Sum() - 4.75f : 1 + row.Sum());

    /// <summary>Alarm at the first query that is near an earlier one.</summary>
    private static Func<float[], bool> Detector()
    {
        var seen = new List<float[]>();
        return row =>
        {
            var near = seen.Any(one => Distance(one, row) < 0.2);
            seen.Add(row);
            return near;
        };
    }

    private static double Distance(float[] one, float[] other) => Math.Sqrt(one.Zip(other).Sum(pair => Math.Pow(pair.First - pair.Second, 2)));
}
