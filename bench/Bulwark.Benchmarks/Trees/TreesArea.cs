using System.Diagnostics;
using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Benchmarks.Attacks;

namespace Bulwark.Benchmarks.Trees;

/// <summary>
/// Boosted trees on the URL data with and without an attacker in mind: accuracy, what the leaf-tuple attack leaves and what is proven at Linf 0.1, in units of each feature's range.
/// <c>-- trees [ROWS] [--choose]</c>; with <c>--choose</c> more candidates, on validation rows.
/// </summary>
internal static class TreesArea
{
    private const double Within = 0.1;
    private const int Effort = 2000;

    internal static int Run(string[] args)
    {
        if (!Directory.Exists(PhishingRows.Folder))
        {
            Console.Error.WriteLine($"The data are absent: {PhishingRows.Folder}. Set BULWARK_SHARED.");
            return 2;
        }

        var rows = args.Length > 0 && int.TryParse(args[0], CultureInfo.InvariantCulture, out var number) ? number : 300;
        var choosing = args.Contains("--choose");
        var data = PhishingRows.Read();
        var (train, validation, test) = data.Split(0);
        var judged = choosing ? validation : test;
        double[] units = [.. data.Schema.Features.Select(feature => 1 / (feature.Maximum!.Value - feature.Minimum!.Value))];
        Console.WriteLine($"URL phishing, {data.Schema.Width} features, Linf {Within}, {rows} {(choosing ? "validation" : "test")} rows attacked, at most {Effort} boxes a proof");
        Console.WriteLine();
        Console.WriteLine("| trees | accuracy, all | right of the attacked | not broken | proven | CPU s to train |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: |");
        foreach (var (name, options) in choosing ? Candidates(units) : Chosen(units))
        {
            var clock = Cpu();
            var ensemble = TreeTrainer.Train(data.Pick(train), [.. train.Select(row => data.Labels[row])], data.Schema.Width, options);
            var seconds = Cpu() - clock;
            var accuracy = judged.Count(row => Right(ensemble, data, row)) / (double)judged.Length;
            var report = TreeReport.Measure(ensemble, data.Pick(judged), [.. judged.Select(row => data.Labels[row])], units, PerturbationNorm.Linf, Within, rows, Effort);
            Console.WriteLine(FormattableString.Invariant($"| {name} | {100 * accuracy:F1} | {100 * report.Clean.Rate:F1} | {100 * report.Unbroken.Rate:F1} | {100 * report.Proven.Rate:F1} | {seconds:F1} |"));
        }

        return 0;
    }

    private static IEnumerable<(string, TreeTrainingOptions)> Chosen(double[] units)
    {
        yield return Robust(units, 0.1, new());
        yield return ("100 × depth 6, no attacker", new());
    }

    private static IEnumerable<(string, TreeTrainingOptions)> Candidates(double[] units)
    {
        foreach (var radius in (double[])[0.1, 0.12])
        {
            foreach (var (trees, depth, rate) in ((int, int, double)[])[(100, 6, 0.1), (50, 8, 0.2), (30, 8, 0.3)])
                yield return Robust(units, radius, new() { Trees = trees, Depth = depth, LearningRate = rate });
        }
    }

    private static (string, TreeTrainingOptions) Robust(double[] units, double radius, TreeTrainingOptions options) => (
        FormattableString.Invariant($"{options.Trees} × depth {options.Depth}, rate {options.LearningRate}, splits robust in {radius}"),
        options with { Radii = [.. units.Select(unit => radius / unit)] });

    private static bool Right(TreeEnsemble ensemble, PhishingRows data, int row) => ensemble.Margin(data.Raw.AsSpan(row * data.Schema.Width, data.Schema.Width)) > 0 == (data.Labels[row] == 1);

    private static double Cpu() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;
}
