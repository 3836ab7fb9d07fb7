using Bulwark.Assurance;
using Bulwark.Benchmarks.Attacks;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Poisoning;

/// <summary>Copies of a network on the URL phishing data, by questions, strategies and views. <c>-- extraction</c>.</summary>
internal static class ExtractionArea
{
    internal static int Run(string[] args)
    {
        if (!File.Exists(Path.Combine(PhishingRows.Folder, "dataset_phishing.csv")))
        {
            Console.Error.WriteLine("data/url-phishing is absent: set BULWARK_SHARED to the folder that holds it.");
            return 2;
        }

        var all = PhishingRows.Read();
        var (train, pool, test) = all.Split(1);
        using var scorer = new NetworkScorer(all.Schema, Trainer.Train(all.Encode(train), null, new()).Network);
        var points = new TabularExtraction(scorer, all.Schema);
        var target = new TabularExtraction(scorer, all.Schema) { Pool = points.Points(all.Pick(pool)) };
        var report = ModelExtraction.Run(target, points.Points(all.Pick(test)), [.. test.Select(row => all.Labels[row])], new());
        Console.WriteLine(FormattableString.Invariant($"Share of {report.Rows} held-out rows on which copy and model decide alike; the model is right on {report.ModelAccuracy!.Rate:P1}, a constant agrees on {report.Constant.Rate:P1}."));
        Console.WriteLine();
        Console.WriteLine($"| asks | sees | {string.Join(" | ", report.Options.Queries)} | to 95 % | right at the end |");
        Console.WriteLine($"| --- | --- |{string.Concat(report.Options.Queries.Select(_ => " ---: |"))} ---: | ---: |");
        foreach (var curve in report.Curves)
            Console.WriteLine(FormattableString.Invariant($"| {curve.Strategy} | {curve.View} | {string.Join(" | ", curve.Points.Select(point => FormattableString.Invariant($"{point.Fidelity.Rate:P1}")))} | {curve.QueriesTo95?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "not reached"} | {curve.Points[^1].Accuracy!.Rate:P1} |"));
        return 0;
    }
}
