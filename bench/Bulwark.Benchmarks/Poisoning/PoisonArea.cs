using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Benchmarks.Attacks;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Poisoning;

/// <summary>Poison planted in the URL phishing data, what it does, and what screens find of it, over seeds; and copies of a model by questions. <c>-- poison [SEEDS] [SHARE]</c>.</summary>
internal static class PoisonArea
{
    internal static int Run(string[] args)
    {
        var seeds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5;
        var share = args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 0.05;
        if (!File.Exists(Path.Combine(PhishingRows.Folder, "dataset_phishing.csv")))
        {
            Console.Error.WriteLine("data/url-phishing is absent: set BULWARK_SHARED to the folder that holds it.");
            return 2;
        }

        var all = PhishingRows.Read();
        var runs = Enumerable.Range(1, seeds).Select(seed => Measure(all, (ulong)seed, share)).ToList();
        Console.WriteLine(FormattableString.Invariant($"{share:P0} of the training rows planted, target class 0 (legitimate), trigger of 3 features; means of {seeds} seeds."));
        Console.WriteLine();
        Console.WriteLine("| planted | accuracy | success without poison | success |");
        Console.WriteLine("| --- | ---: | ---: | ---: |");
        for (var k = 0; k < runs[0].Count; k++)
            Console.WriteLine(FormattableString.Invariant($"| {Name(runs[0][k].Kind)} | {runs.Average(run => run[k].Accuracy.Rate):P1} | {runs.Average(run => run[k].SuccessBefore.Rate):P1} | {runs.Average(run => run[k].Success.Rate):P1} |"));
        Console.WriteLine();
        Console.WriteLine("| planted | screen | suspicious in | planted rows found | clean rows flagged |");
        Console.WriteLine("| --- | --- | ---: | ---: | ---: |");
        for (var k = 0; k < runs[0].Count; k++)
        {
            for (var s = 0; s < runs[0][k].Screens.Count; s++)
            {
                var screens = runs.Select(run => run[k].Screens[s]).ToList();
                Console.WriteLine(FormattableString.Invariant($"| {Name(runs[0][k].Kind)} | {screens[0].Screen} | {screens.Count(one => one.Suspicious)} of {seeds} | {(runs[0][k].Kind is null ? "" : FormattableString.Invariant($"{screens.Average(one => one.Detected.Rate):P1}"))} | {screens.Average(one => one.FalsePositives.Rate):P2} |"));
            }
        }

        return 0;
    }

    private static string Name(PoisonKind? kind) => kind?.ToString() ?? "nothing";

    private static IReadOnlyList<PoisonOutcome> Measure(PhishingRows all, ulong seed, double share)
    {
        var (train, trusted, test) = all.Split(seed);
        LabelledRows Rows(int[] rows) => new(all.Pick(rows), [.. rows.Select(row => all.Labels[row])]);
        var task = new PoisonTask
        {
            Schema = all.Schema,
            Kind = all.Encode(train[..1]),
            Train = Rows(train),
            Trusted = Rows(trusted),
            Test = Rows(test),
            Share = share,
            Seed = seed,
            Recipe = new TrainingOptions(),
        };
        return PoisonTrial.Run(task, Enum.GetValues<PoisonKind>()).Outcomes;
    }
}
