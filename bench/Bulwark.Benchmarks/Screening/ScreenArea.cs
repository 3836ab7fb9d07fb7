using System.Globalization;
using Bulwark.Benchmarks.Channel;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Worker;

namespace Bulwark.Benchmarks.Screening;

/// <summary>What the whole input screen costs a row of 30 features, with and without relations, and what relations find of rows in which one value was tampered with. <c>-- screen</c>.</summary>
internal static class ScreenArea
{
    private const int Features = 30;
    private const int Limit = 6;   // µs

    public static int Run(string[] arguments)
    {
        Cost();
        Tampering.Run();
        return 0;
    }

    /// <summary>Contract, relations, encoding, distance: what the worker does with a row.</summary>
    private static void Cost()
    {
        var schema = new FeatureSchema { Label = "y", Features = [.. Enumerable.Range(0, Features).Select(i => new Feature { Name = $"f{i}", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 1 })] };
        var encoder = new FeatureEncoder(schema);
        var random = new Random(1);
        float[] Row() => [.. Enumerable.Range(0, Features).Select(_ => random.NextSingle()).Order()];   // each value is above the one before
        float[] raw = [.. Enumerable.Range(0, 4000).SelectMany(_ => Row())];
        var encoded = encoder.Encode(raw);
        var (mean, covariance) = InputScreen.Moments(encoded, encoder.EncodedWidth);
        var screen = InputScreen.Fit(ScreenContract.Of(schema), mean, covariance).Calibrate(encoded, 0.01);
        var pairs = Enumerable.Range(0, Features).SelectMany(a => Enumerable.Range(a + 1, Features - a - 1).Select(b => (a, b))).OrderBy(pair => pair.b - pair.a).ToArray();
        ScreenRelation[] orders = [.. pairs.Select(pair => new ScreenRelation { Name = $"f{pair.a} <= f{pair.b}", Rule = $"f{pair.a} <= f{pair.b}" }).Take(256)];
        ScreenRelation[] zeros = [.. pairs.Select(pair => new ScreenRelation { Name = $"zero {pair}", Rule = $"f{pair.b} = 0 => f{pair.a} = 0" }).Take(64)];
        var row = raw[..Features];
        foreach (var (name, relations) in ((string, ScreenRelation[])[])[("no relations", []), ("16 orders", orders[..16]), ("64 orders", orders[..64]), ("64 zeros that follow from zeros", zeros), ("256 orders (the most)", orders)])
        {
            var related = screen.WithRelations(relations);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"screen of {Features} features, {name}: {PerRow(related, encoder, row):F2} CPU-µs a row (limit {Limit})"));
        }
    }

    private static double PerRow(InputScreen screen, FeatureEncoder encoder, float[] row)
    {
        const int Rows = 50_000, Rounds = 7;
        var encoded = new float[encoder.EncodedWidth];
        var accepted = 0;
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            best = Math.Min(best, ThreadClock.Of(() =>
            {
                for (var i = 0; i < Rows; i++)
                {
                    if (!screen.CheckContract(row).IsAccepted)
                        continue;
                    encoder.Encode(row, 1, encoded);
                    accepted += screen.CheckDistance(encoded).IsAccepted ? 1 : 0;
                }
            }));
        }

        return accepted > 0 ? 1e6 * best / Rows : throw new InvalidOperationException("The measured row is refused.");
    }
}
