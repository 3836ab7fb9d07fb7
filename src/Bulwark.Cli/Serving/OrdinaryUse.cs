using Bulwark.Monitoring;

namespace Bulwark.Cli.Serving;

/// <summary>How far from normal ordinary rows look to the watch for extraction: the published threshold where they pass it, a lower one where they do not.</summary>
internal static class OrdinaryUse
{
    private const int Clients = 5;
    private const int RowsOfAClient = 500;
    private const double Margin = 0.95;

    internal static ExtractionWatchOptions Options(ReadOnlySpan<float> rows, int width)
    {
        var options = new ExtractionWatchOptions { PointsPerClass = RowsOfAClient };
        var (random, count, least) = (new Random(1), rows.Length / width, options.Least);
        for (var client = 0; client < Clients; client++)
        {
            var watch = new ExtractionWatch(options);
            for (var query = 0; query < Math.Min(count, RowsOfAClient); query++)
            {
                watch.Observe(rows.Slice(random.Next(count) * width, width), 0);
                least = double.IsNaN(watch.W) ? least : Math.Min(least, watch.W * Margin);
            }
        }

        return options with { Least = Math.Max(0.01, least) };
    }
}
