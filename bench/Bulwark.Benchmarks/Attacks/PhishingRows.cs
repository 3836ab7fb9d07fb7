using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Attacks;

/// <summary>URL phishing: the 63 features, their types and ranges of TabularBench's list, min-max scaled, all mutable.</summary>
internal sealed class PhishingRows
{
    private PhishingRows(FeatureSchema schema, float[] raw, int[] labels) => (Schema, Raw, Labels) = (schema, raw, labels);

    internal static string Folder => Path.Combine(Environment.GetEnvironmentVariable("BULWARK_SHARED") ?? Path.Combine(RepositoryFolder.Path, "..", "shared"), "data", "url-phishing");

    internal FeatureSchema Schema { get; }

    internal float[] Raw { get; }

    internal int[] Labels { get; }

    internal static PhishingRows Read()
    {
        var features = File.ReadLines(Path.Combine(Folder, "features_tabularbench.csv")).Skip(1).Select(line => line.Split(',')).Where(parts => parts.Length >= 5).ToList();
        var schema = new FeatureSchema
        {
            Label = "status",
            Features = [.. features.Select(parts =>
            {
                var (low, high) = (double.Parse(parts[3], CultureInfo.InvariantCulture), double.Parse(parts[4], CultureInfo.InvariantCulture));
                return new Feature { Name = parts[0], Kind = parts[1] == "int" ? FeatureKind.Integer : FeatureKind.Numeric, Minimum = low, Maximum = high > low ? high : low + 1, Mutable = parts[2] == "True" };
            })],
        };
        string[] lines = File.ReadAllLines(Path.Combine(Folder, "dataset_phishing.csv"));
        string[] header = lines[0].Split(',');
        int[] columns = [.. schema.Features.Select(feature => Array.IndexOf(header, feature.Name))];
        var label = Array.IndexOf(header, "status");
        string[][] cells = [.. lines.Skip(1).Where(line => line.Length > 0).Select(line => line.Split(','))];
        return new(
            schema,
            [.. cells.SelectMany(row => columns.Select(column => float.Parse(row[column], CultureInfo.InvariantCulture)))],
            [.. cells.Select(row => row[label] == "phishing" ? 1 : 0)]);
    }

    internal TabularSpace Space(bool prices = false)
    {
        var constraints = TabularConstraints.Parse(File.ReadAllText(Path.Combine(RepositoryFolder.Path, "samples", "constraints", prices ? "url-phishing-prices.json" : "url-phishing.json")));
        return new(new FeatureEncoder(Schema), constraints.Compile(Schema));
    }

    /// <summary>By seed: 64 % for learning, 16 % for choosing; 20 % for judging, the same for every seed.</summary>
    internal (int[] Train, int[] Validation, int[] Test) Split(ulong seed)
    {
        var judged = Judged();
        int[] others = [.. Enumerable.Range(0, Labels.Length).Except(judged)];
        int[] order = [.. Shuffled(others.Length, seed).Select(at => others[at])];
        var chosen = Labels.Length * 16 / 100;
        return (order[chosen..], order[..chosen], judged);
    }

    /// <summary>Rows by which no setting was ever chosen or looked at: the settings were found on splits by seeds 0 to 2, which only learnt from these.</summary>
    private int[] Judged()
    {
        var seen = new HashSet<int>();
        for (ulong seed = 0; seed < 3; seed++)
            seen.UnionWith(Shuffled(Labels.Length, seed).Take((Labels.Length / 5) + (Labels.Length * 16 / 100)));
        return [.. Shuffled(Labels.Length, 3).Where(row => !seen.Contains(row)).Take(Labels.Length / 5)];
    }

    private static int[] Shuffled(int length, ulong seed)
    {
        var draws = new SeededDraws(seed);
        int[] order = [.. Enumerable.Range(0, length)];
        for (var k = 0; k < order.Length; k++)
        {
            var swap = k + draws.Below(order.Length - k);
            (order[k], order[swap]) = (order[swap], order[k]);
        }

        return order;
    }

    internal float[] Pick(int[] rows) => AttackSuite.Pick(Raw, Schema.Width, rows);

    internal EncodedDataset Encode(int[] rows)
    {
        var encoder = new FeatureEncoder(Schema);
        return new(encoder.Encode(Pick(rows)), encoder.EncodedWidth, [.. rows.Select(row => Labels[row])]);
    }
}
