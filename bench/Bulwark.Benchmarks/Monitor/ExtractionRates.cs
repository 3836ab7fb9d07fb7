using System.Globalization;
using Bulwark.Cli.Serving;
using Bulwark.Monitoring;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Monitor;

/// <summary>What the watch for extraction (PRADA), set up as <c>serve --watch-extraction</c> does, says of ordinary clients and of clients that make their queries; URL data.</summary>
internal static class ExtractionRates
{
    private const int Clients = 40, Queries = 1000, Seeds = 100;
    private const float Step = 0.1f;

    internal static void Measure(string path)
    {
        var data = DatasetFile.ReadAsync(path, new(), new SchemaOptions { Label = "status", Positive = ["phishing"] }).GetAwaiter().GetResult().Encode();
        var order = Enumerable.Range(0, data.Rows).ToArray();
        new Random(1).Shuffle(order);
        float[] Rows(IEnumerable<int> rows) => [.. rows.SelectMany(row => data.Row(row).ToArray())];
        var network = Trainer.Train(new EncodedDataset(Rows(order[..4000]), data.Width, [.. order[..4000].Select(row => data.Labels[row])]), null, new TrainingOptions()).Network;
        var fitted = OrdinaryUse.Options(Rows(order[4000..8000]), data.Width);
        var traffic = order[8000..];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"extraction, {Clients} clients of {Queries} queries each, {data.Width} columns; threshold of W from 4000 ordinary rows {fitted.Least:F3}, published {new ExtractionWatchOptions().Least:F2}:"));
        float[] Ordinary(Random random) => data.Row(traffic[random.Next(traffic.Length)]).ToArray();
        Print("ordinary rows", random => (_, _) => Ordinary(random));
        Print("ordinary seeds, then random steps of 0.1 from earlier queries", random => (query, earlier) => query < Seeds ? Ordinary(random) : Stepped(earlier[random.Next(earlier.Count)], random));
        Print("half of them ordinary, half random steps", random => (query, earlier) => query % 2 == 0 || query < Seeds ? Ordinary(random) : Stepped(earlier[random.Next(earlier.Count)], random));
        Print("points between two ordinary rows", random => (_, _) => Between(Ordinary(random), Ordinary(random), random));
        Print("uniform in the box", random => (_, _) => [.. Enumerable.Range(0, data.Width).Select(_ => random.NextSingle())]);

        void Print(string name, Func<Random, Func<int, List<float[]>, float[]>> maker)
        {
            var (alarms, published) = (new List<int>(), 0);
            for (var client = 0; client < Clients; client++)
            {
                var next = maker(new Random(client));
                var (watch, strict, earlier) = (new ExtractionWatch(fitted), new ExtractionWatch(fitted with { Least = new ExtractionWatchOptions().Least }), new List<float[]>());
                int? seen = null;
                for (var query = 0; query < Queries; query++)
                {
                    var row = next(query, earlier);
                    earlier.Add(row);
                    var answer = Logit(network, row) > 0 ? 1 : 0;
                    strict.Observe(row, answer);
                    seen ??= watch.Observe(row, answer) ? query + 1 : null;
                }

                published += strict.Alarmed ? 1 : 0;
                if (seen is { } at)
                    alarms.Add(at);
            }

            alarms.Sort();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name}: {alarms.Count} of {Clients} clients alarm{(alarms.Count == 0 ? "" : $", at query {alarms[alarms.Count / 2]} in the middle")}; at the published threshold {published}"));
        }
    }

    private static float[] Stepped(float[] row, Random random) => Array.ConvertAll(row, value => Math.Clamp(value + (random.Next(2) == 0 ? Step : -Step), 0, 1));

    private static float[] Between(float[] one, float[] other, Random random)
    {
        var part = random.NextSingle();
        return [.. one.Zip(other, (left, right) => left + (part * (right - left)))];
    }

    private static float Logit(DenseNetwork<float> network, ReadOnlySpan<float> row)
    {
        Span<float> logit = stackalloc float[1];
        network.Forward(row, 1, logit);
        return logit[0];
    }
}
