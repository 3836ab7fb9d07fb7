using Bulwark.Monitoring.Queries;

namespace Bulwark.Tests.Monitoring;

public class CrowdingTests
{
    private const int Width = 8;

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    [InlineData(40)]
    public void The_largest_excess_is_that_of_the_definition(double floor)
    {
        var random = new Random(5);
        var sketches = new KeyedSketch("0123456789abcdef"u8, Width, 1);
        var rows = Enumerable.Range(0, 100 * Width).Select(_ => random.NextSingle()).ToArray();
        var ordinary = new OrdinaryRows(sketches, rows, [.. Enumerable.Range(0, 100)]);   // so few that all are looked at
        int[] squared = [20_000, 80_000, 300_000, 1_000_000];
        var crowding = new Crowding(floor);
        for (var trial = 0; trial < 60; trial++)
        {
            var sketch = new short[KeyedSketch.Numbers];
            sketches.Make(Enumerable.Range(0, Width).Select(_ => random.NextSingle()).ToArray(), sketch, new ulong[KeyedSketch.Tables]);
            var ages = Enumerable.Range(0, random.Next(0, 300)).Select(_ => (uint)random.Next(1, 50_000)).Order().ToArray();
            var distances = ages.Select(_ => random.Next(0, squared[^1] + 1)).ToArray();
            var (excess, neighbours) = crowding.Above(sketch, ages, distances, squared, ordinary);
            var expected = Defined(sketch, ages, distances, squared, ordinary);
            Assert.Equal(expected.Excess > floor ? expected.Excess : 0, excess, 9);
            Assert.Equal(expected.Excess > floor ? expected.Neighbours : 0, neighbours);
        }
    }

    /// <summary>Level by level, query by query, every fourth above eight.</summary>
    private static (double Excess, int Neighbours) Defined(short[] sketch, uint[] ages, int[] distances, int[] squared, OrdinaryRows ordinary)
    {
        var counts = new int[squared.Length];
        ordinary.CountWithin(sketch, squared, 0, ordinary.Count, counts);
        (double Excess, int Neighbours) largest = (0, 0);
        for (var level = 0; level < squared.Length; level++)
        {
            var near = 0;
            for (var i = 0; i < ages.Length; i++)
            {
                if (distances[i] > squared[level] || ++near < 2 || (near > 8 && near % 4 != 0))
                    continue;
                var expected = Math.Max(200.0, ages[i]) * (counts[level] + 0.5) / (ordinary.Count + 1.0);
                var excess = near <= expected ? 0 : (near * Math.Log(near / expected)) - near + expected;
                if (excess > largest.Excess)
                    largest = (excess, near);
            }
        }

        return largest;
    }
}
