using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Data;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Training;
using Bulwark.Worker;

namespace Bulwark.Benchmarks.Screening;

/// <summary>Rows in which one feature, drawn at random, got another row's value or any value of its bounds: how many are refused with and without learnt relations, beside what is refused of untouched rows.</summary>
internal static class Tampering
{
    private const int Trials = 4000;

    internal static void Run()
    {
        var shared = Path.Combine(Environment.GetEnvironmentVariable("BULWARK_SHARED") ?? "../shared", "data");
        Measure("fraud demo (simulated payments)", Fraud());
        foreach (var (name, file, label, positive) in ((string, string, string?, string)[])[("URL phishing", "url-phishing/dataset_phishing.csv", "status", "phishing"), ("credit default", "uci_default_credit.csv", null, "1")])
        {
            var path = Path.Combine(shared, file);
            if (File.Exists(path))
                Measure(name, DatasetFile.ReadAsync(path, new(), new SchemaOptions { Label = label ?? File.ReadLines(path).First().Split(',')[^1].Trim('"', '\r', ' '), Positive = [positive], Drop = label is null ? ["ID"] : [] }).GetAwaiter().GetResult());
            else
                Console.WriteLine($"{name}: skipped, there is no {path}");
        }
    }

    private static Dataset Fraud()
    {
        var payments = TransactionSimulator.Simulate(new SimulationOptions { MaxRows = 60_000, PersonalData = false });
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".parquet");
        try
        {
            TableFile.WriteAsync(FraudFeatures.Compute(payments), path).GetAwaiter().GetResult();
            return DatasetFile.ReadAsync(path, new(), new SchemaOptions { Label = "is_fraud", Drop = ["time"] }).GetAwaiter().GetResult();
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Half of the rows teach, a quarter calibrates and checks, a quarter is untouched; rows in random order.</summary>
    private static void Measure(string name, Dataset data)
    {
        var order = Enumerable.Range(0, data.Rows).ToArray();
        new Random(1).Shuffle(order);
        float[] Rows(Range range) => [.. order[range].SelectMany(row => data.Row(row).ToArray())];
        var (half, quarters) = (data.Rows / 2, data.Rows * 3 / 4);
        var (training, held, fresh) = (Rows(..half), Rows(half..quarters), Rows(quarters..));
        var fields = ScreenContract.Of(data.Schema);
        var encoder = new FeatureEncoder(data.Schema);
        var encoded = encoder.Encode(training);
        var (mean, covariance) = InputScreen.Moments(encoded, encoder.EncodedWidth);
        var plain = InputScreen.Fit(fields, mean, covariance).Calibrate(encoder.Encode(held), 0.01);
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        var learnt = RelationLearner.Learn(fields, training, held);
        var seconds = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds;
        var related = plain.WithRelations(learnt.Relations, learnt.Check);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {data.Width} features, {half} training rows, {learnt.Relations.Count} relations learnt in {seconds:F1} s{(learnt.Check is { } check ? $"; {check.Broken} of {check.Rows} held-out rows break one, at most {ClopperPearson.Upper(check.Broken, check.Rows, 0.05):P2}" : "")}{(learnt.Note is null ? "" : $" ({learnt.Note})")}"));
        foreach (var relation in learnt.Relations.Take(6))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {relation.Rule}  (shuffled: {relation.Shuffled:P0})"));
        var untouched = Enumerable.Range(0, fresh.Length / data.Width).Select(row => fresh.AsSpan(row * data.Width, data.Width).ToArray()).ToList();
        Print("  untouched rows refused", plain, related, encoder, untouched);
        Print("  one value of another row", plain, related, encoder, Tampered(untouched, (random, column, _) => untouched[random.Next(untouched.Count)][column]));
        Print("  one value of its bounds", plain, related, encoder, Tampered(untouched, (random, column, was) => Within(fields[column], was, random)));
    }

    private static List<float[]> Tampered(List<float[]> rows, Func<Random, int, float, float> value)
    {
        var random = new Random(7);
        var tampered = new List<float[]>();
        for (var tries = 0; tampered.Count < Trials && tries < 100 * Trials; tries++)
        {
            var row = (float[])rows[random.Next(rows.Count)].Clone();
            var column = random.Next(row.Length);
            var other = value(random, column, row[column]);
            if (other.Equals(row[column]))
                continue;
            row[column] = other;
            tampered.Add(row);
        }

        return tampered;
    }

    private static float Within(ScreenField field, float was, Random random) => field.Kind switch
    {
        ScreenFieldKind.Binary => 1 - was,
        ScreenFieldKind.Categorical => random.Next(field.Categories),
        _ when field.Minimum is { } low && field.Maximum is { } high => (float)(low + (random.NextDouble() * (high - low))) is var value && field.Kind is ScreenFieldKind.Integer ? MathF.Round(value) : value,
        _ => was,
    };

    private static void Print(string what, InputScreen plain, InputScreen related, FeatureEncoder encoder, List<float[]> rows)
    {
        var (before, after) = (Refused(plain, encoder, rows), Refused(related, encoder, rows));
        var (low, high) = ClopperPearson.Interval(after, rows.Count);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {(double)before / rows.Count:P2} without relations, {(double)after / rows.Count:P2} with ({low:P2} to {high:P2}) of {rows.Count}"));
    }

    private static int Refused(InputScreen screen, FeatureEncoder encoder, List<float[]> rows) =>
        rows.Count(row => !screen.CheckContract(row).IsAccepted || !screen.CheckDistance(encoder.Encode(row)).IsAccepted);
}
