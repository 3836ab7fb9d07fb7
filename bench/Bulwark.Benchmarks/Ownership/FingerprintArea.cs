using System.Diagnostics;
using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Benchmarks.Attacks;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Ownership;

/// <summary>The ownership test on real data: how often stolen, fine-tuned, distilled, extracted and unrelated models are called derived.</summary>
internal static class FingerprintArea
{
    /// <summary>dotnet run --project bench/Bulwark.Benchmarks -c Release -- fingerprint [MODELS] [OWNERS]</summary>
    internal static int Run(string[] args)
    {
        if (!Directory.Exists(PhishingRows.Folder))
        {
            Console.Error.WriteLine($"The data are absent: {PhishingRows.Folder}. Set BULWARK_SHARED.");
            return 2;
        }

        var models = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 10;
        var owners = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 2;
        var data = PhishingRows.Read();
        var totals = new Dictionary<string, (bool Derived, int Models, int Named, double Lowest, double Highest)>();
        var clock = Stopwatch.StartNew();
        for (var owner = 0; owner < owners; owner++)
        {
            var (train, validation, _) = data.Split((ulong)owner);
            var trained = Trainer.Train(data.Encode(train), data.Encode(validation), new() { Hidden = [64, 32], Epochs = 30, Seed = (ulong)owner + 1 });
            using var scorer = new NetworkScorer(data.Schema, trained.Network);
            var fingerprint = FingerprintMaker.Make(scorer, $"owner {owner}", Rows(data, train), new());
            foreach (var outcome in FingerprintTrial.Run(fingerprint, scorer, trained.Network, Rows(data, train), models, others: Rows(data, validation)))
            {
                var sum = totals.GetValueOrDefault(outcome.Kind, (outcome.Derived, 0, 0, double.MaxValue, double.MinValue));
                totals[outcome.Kind] = (outcome.Derived, sum.Item2 + outcome.Models, sum.Item3 + outcome.Named, Math.Min(sum.Item4, outcome.LowestScore), Math.Max(sum.Item5, outcome.HighestScore));
            }

            Line($"owner {owner}: threshold {fingerprint.Threshold:F3} from {fingerprint.IndependentModels} independent models, false-positive rate asked for 0.001");
        }

        Line($"URL phishing, {data.Schema.Width} features, {owners} owners, {clock.Elapsed.TotalSeconds:F0} s");
        Console.WriteLine("| suspects | made from the owner's | called derived | scores |\n| --- | --- | --- | --- |");
        foreach (var (kind, found) in totals)
            Line($"| {kind} | {(found.Derived ? "yes" : "no")} | {found.Named} of {found.Models} | {found.Lowest:F3} to {found.Highest:F3} |");
        return 0;
    }

    private static Dataset Rows(PhishingRows data, int[] rows) => new(data.Schema, data.Pick(rows), [.. rows.Select(row => data.Labels[row])], new Dictionary<string, int>(), default);

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
