using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Assurance;
using Bulwark.Benchmarks.Attacks;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Poisoning;

/// <summary>
/// What hardened scores cost those who use them and cost those who copy the model or ask who trained it: a network on the URL phishing data, trained long
/// enough to remember its rows, each hardening on the same network in one run. <c>-- hardening [QUESTIONS] [EPOCHS]</c>.
/// </summary>
internal static class HardeningArea
{
    private static readonly string s_key = Convert.ToBase64String(SHA256.HashData("a benchmark's noise"u8));

    private static readonly (string Name, OutputHardening Hardening)[] s_choices =
    [
        ("as scored", new()),
        ("3 decimals", new() { Decimals = 3 }),
        ("1 decimal", new() { Decimals = 1 }),
        ("noise 0.5", new() { Noise = 0.5, NoiseKey = s_key }),
        ("noise 2", new() { Noise = 2, NoiseKey = s_key }),
        ("noise 2, 1 decimal", new() { Noise = 2, NoiseKey = s_key, Decimals = 1 }),
        ("label only", new() { LabelOnly = true }),
    ];

    internal static int Run(string[] args)
    {
        if (!File.Exists(Path.Combine(PhishingRows.Folder, "dataset_phishing.csv")))
        {
            Console.Error.WriteLine("data/url-phishing is absent: set BULWARK_SHARED to the folder that holds it.");
            return 2;
        }

        var questions = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 2000;
        var epochs = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 60;
        var all = PhishingRows.Read();
        var (train, pool, test) = all.Split(1);
        var members = train[..2000];
        using var network = new NetworkScorer(all.Schema, Trainer.Train(all.Encode(members), null, new() { Hidden = [128, 64, 32], Epochs = epochs, KeepBest = false }).Network);
        Console.WriteLine(FormattableString.Invariant($"Network of {members.Length} rows and {epochs} epochs; judged on {test.Length} rows; copies learn from {questions} rows like the model's own; membership by the score of the true label."));
        Console.WriteLine();
        Console.WriteLine("| scores | accuracy | ROC AUC | log loss | a copy decides alike | members: AUC | found at 1 % false |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var (name, hardening) in s_choices)
        {
            using var scorer = new HardenedScorer(network, hardening);
            var told = Told(scorer, all, test);
            var memberScores = Told(scorer, all, members);
            bool[] isPositive = [.. test.Select(row => all.Labels[row] == 1)];
            var membership = MembershipCurve.Of([.. OfTrueLabel(memberScores, all, members), .. OfTrueLabel(told, all, test)], [.. Enumerable.Repeat(true, members.Length), .. Enumerable.Repeat(false, test.Length)]);
            Console.WriteLine(FormattableString.Invariant(
                $"| {name} | {told.Zip(isPositive).Count(pair => pair.First > 0.5 == pair.Second) / (double)test.Length:P2} | {MembershipCurve.Of(told, isPositive).Auc:F4} | {LogLoss(told, isPositive):F3} | {Fidelity(scorer, all, pool.Concat(train[2000..]).ToArray(), test, questions):P1} | {membership.Auc:F3} | {membership.At(0.01).TruePositiveRate:P2} |"));
        }

        return 0;
    }

    private static double Fidelity(HardenedScorer scorer, PhishingRows all, int[] pool, int[] test, int questions)
    {
        var points = new TabularExtraction(scorer, all.Schema);
        var target = new TabularExtraction(scorer, all.Schema) { Pool = points.Points(all.Pick(pool)) };
        var report = ModelExtraction.Run(target, points.Points(all.Pick(test)), [.. test.Select(row => all.Labels[row])], new() { Strategies = [ExtractionStrategy.InDistribution], Views = [OutputView.Full], Queries = [questions] });
        return report.Curves[0].Points[^1].Fidelity.Rate;
    }

    private static double[] Told(IScorer scorer, PhishingRows all, int[] rows)
    {
        var told = new float[rows.Length];
        scorer.Score(all.Pick(rows), rows.Length, told);
        return [.. told.Select(score => (double)score)];
    }

    private static IEnumerable<double> OfTrueLabel(double[] told, PhishingRows all, int[] rows) => told.Select((score, i) => all.Labels[rows[i]] == 1 ? score : 1 - score);

    private static double LogLoss(double[] told, bool[] isPositive) =>
        told.Zip(isPositive).Average(pair => -Math.Log(Math.Clamp(pair.Second ? pair.First : 1 - pair.First, 1e-3, 1)));

    /// <summary>A scorer whose answers are hardened, as a worker's are.</summary>
    private sealed class HardenedScorer(NetworkScorer scorer, OutputHardening hardening) : IScorer
    {
        public int Width => scorer.Width;

        public int Classes => scorer.Classes;

        public void Score(ReadOnlySpan<float> rawRows, int rows, Span<float> probabilities)
        {
            scorer.Score(rawRows, rows, probabilities);
            hardening.Apply(rawRows, rows, probabilities);
        }

        public void Dispose()
        {
        }
    }
}
