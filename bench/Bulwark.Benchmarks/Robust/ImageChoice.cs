using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Robust;

/// <summary>The whole protocol in one command: settings and epoch by images held out of training, then the test images once, by what was chosen, under all four attacks of AutoAttack.</summary>
internal static class ImageChoice
{
    private const double CleanLimit = 0.85;

    /// <summary>What seven steps cost, and ways at most half as dear: a step of ascent counts 1, a step of training 1, each push of the weights 1.</summary>
    private static readonly (string Class, double Limit, string[] Ways)[] s_classes = [("PGD-7", 0.755, ["pgd7", "pgd7-average", "pgd7-awp", "pgd7-awp-average"]), ("half of its cost", 0.74, ["pgd2", "pgd2-average", "pgd2-awp", "pgd2-awp-average", "pgd3"])];

    private static readonly double[] s_rates = [4e-3, 8e-3];

    internal static int Run(string[] args)
    {
        if (!FashionImages.Exist)
        {
            Console.Error.WriteLine($"Fashion-MNIST is absent: {FashionImages.Folder}. Set BULWARK_SHARED.");
            return 2;
        }

        var settings = ImageTable.Settings(args);
        double[] rates = Array.IndexOf(args, "--rate") >= 0 ? [settings.Rate] : s_rates;
        var (train, validation, test) = FashionImages.Read();
        Console.WriteLine($"Fashion-MNIST, {FashionImages.Shape}, epsilon {FashionImages.Epsilon}, {settings.Epochs} epochs, seed {settings.Seed}; chosen by {validation.Rows} held-out training images: the most that withstand, of those that are right on {CleanLimit:P0} if there are any");
        Console.WriteLine();
        Console.WriteLine("| class | training | rate | processor s | clean, validation | worst, validation | chosen |");
        Console.WriteLine("| --- | --- | ---: | ---: | ---: | ---: | --- |");
        var only = Array.IndexOf(args, "--only") is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : "";
        var chosen = s_classes.Select(one => (one.Class, one.Limit, Ways: one.Ways.Where(way => way.Contains(only, StringComparison.Ordinal)).ToArray())).Where(one => one.Ways.Length > 0)
            .Select(one => (one.Class, one.Limit, Best: Choose(one.Class, one.Ways, rates, settings, train, validation))).ToList();
        Console.WriteLine();
        Console.WriteLine("| class | training | rate | processor s | clean, 10,000 test | PGD-20, 1,000 test | APGD-CE, APGD-T, FAB-T, Square, the same | limit |");
        Console.WriteLine("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |");
        foreach (var (name, limit, best) in chosen)
        {
            var (clean, pgd, worst) = ImageTable.Judge(best.Network, test, whole: true);
            var held = clean >= CleanLimit && worst >= limit;
            Console.WriteLine(FormattableString.Invariant($"| {name} | {best.Way} | {best.Rate} | {best.Seconds:F0} | {100 * clean:F1} | {100 * pgd:F1} | {100 * worst:F1} | {100 * CleanLimit:F0} and {100 * limit:F1} ({(held ? "held" : "MISSED")}) |"));
        }

        return 0;
    }

    private static Candidate Choose(string name, string[] ways, double[] rates, ImageTable.RunSettings settings, EncodedDataset train, EncodedDataset validation)
    {
        var candidates = new List<Candidate>();
        foreach (var way in ways)
        {
            foreach (var rate in rates)
            {
                var (run, seconds) = ImageTable.Fit(way, settings with { Rate = rate }, train, validation);
                var (clean, _, worst) = ImageTable.Judge(run.Network, validation, whole: false);
                candidates.Add(new(way, rate, run.Network, seconds, clean, worst));
            }
        }

        var best = candidates.OrderByDescending(one => one.Clean >= CleanLimit).ThenByDescending(one => one.Worst).First();
        foreach (var one in candidates)
            Console.WriteLine(FormattableString.Invariant($"| {name} | {one.Way} | {one.Rate} | {one.Seconds:F0} | {100 * one.Clean:F1} | {100 * one.Worst:F1} | {(one == best ? "yes" : "")} |"));
        return best;
    }

    private sealed record Candidate(string Way, double Rate, DenseNetwork<float> Network, double Seconds, double Clean, double Worst);
}
