using System.Diagnostics;
using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Membership;

/// <summary>
/// Shadow models on the URL phishing data beside their limit in CPU time, and what membership attacks find with them: each of the first models is the target once,
/// all others its shadows. <c>-- membership [MODELS] [EPOCHS]</c>; <c>-- membership gate</c> for what a gate says of overfitted and regular models.
/// </summary>
internal static class MembershipArea
{
    private const int Targets = 16;

    internal static int Run(string[] args)
    {
        if (args is ["gate", ..])
            return Rows() is { } all ? MembershipGates.Run(all) : 2;
        var models = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 64;
        var epochs = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 60;
        if (Rows() is not { } rows)
        {
            Console.Error.WriteLine("data/url-phishing is absent: set BULWARK_SHARED to the folder that holds it.");
            return 2;
        }

        var recipe = new TrainingOptions { Hidden = [128, 64, 32], Epochs = epochs, BatchSize = 128, KeepBest = false };
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var shadows = ShadowModels.Train(rows, recipe, models, 1, null, CancellationToken.None);
        var seconds = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
        Console.WriteLine(FormattableString.Invariant($"{models} shadow models 63-128-64-32-1 on {rows.Rows / 2} of {rows.Rows} rows, {epochs} epochs: {seconds:F1} CPU-s (limit for 64 models of 60 epochs: 60, {(seconds <= 60 ? "held" : "MISSED")})"));
        Console.WriteLine();
        Console.WriteLine("| attack | AUC | found at 1 % | really false | found at 0.1 % | really false |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: |");
        foreach (var (name, score) in Attacks(shadows))
        {
            var curves = Enumerable.Range(0, Math.Min(Targets, models)).Select(target => MembershipCurve.Of(score(target), shadows.IsIn[target])).ToList();
            double Mean(Func<MembershipCurve, double> figure) => curves.Average(figure);
            Console.WriteLine(FormattableString.Invariant(
                $"| {name} | {Mean(curve => curve.Auc):F3} | {Mean(curve => curve.At(0.01).TruePositiveRate):P2} | {Mean(curve => curve.At(0.01).RealizedFalsePositiveRate):P2} | {Mean(curve => curve.At(0.001).TruePositiveRate):P2} | {Mean(curve => curve.At(0.001).RealizedFalsePositiveRate):P2} |"));
        }

        return seconds <= 60 ? 0 : 1;
    }

    private static IEnumerable<(string Name, Func<int, double[]> Score)> Attacks(ShadowModels shadows)
    {
        double[][] Without(int target) => [.. shadows.Confidences.Where((_, model) => model != target)];
        bool[][] IsIn(int target) => [.. shadows.IsIn.Where((_, model) => model != target)];
        yield return ("loss threshold", target => shadows.Confidences[target]);
        foreach (var kind in (LikelihoodRatioKind[])[LikelihoodRatioKind.OnlinePooled, LikelihoodRatioKind.Online, LikelihoodRatioKind.Offline])
            yield return ($"likelihood ratio, {kind}", target => LikelihoodRatio.Scores(Without(target), IsIn(target), shadows.Confidences[target], kind));
        yield return ("relative to references, a 0.3", target =>
        {
            double Probability(double confidence) => 1 / (1 + Math.Exp(-confidence));
            double[] right = [.. shadows.Confidences[target].Select(Probability)];
            double[] References(int row) => [.. Enumerable.Range(0, shadows.Confidences.Length).Where(model => model != target && !shadows.IsIn[model][row]).Select(model => Probability(shadows.Confidences[model][row]))];
            int[] population = [.. Enumerable.Range(0, right.Length).Where(row => !shadows.IsIn[target][row]).Take(1000)];
            return ReferenceRatio.Scores(right, [.. Enumerable.Range(0, right.Length).Select(References)], [.. population.Select(row => right[row])], [.. population.Select(References)], 0.3);
        }
        );
    }

    /// <summary>63 features scaled by their published bounds; phishing is 1.</summary>
    private static EncodedDataset? Rows()
    {
        var root = Environment.GetEnvironmentVariable("BULWARK_SHARED") ?? Path.Combine(RepositoryFolder.Path, "..", "shared");
        var (data, features) = (Path.Combine(root, "data", "url-phishing", "dataset_phishing.csv"), Path.Combine(root, "data", "url-phishing", "features_tabularbench.csv"));
        if (!File.Exists(data) || !File.Exists(features))
            return null;
        var bounds = File.ReadLines(features).Skip(1).Select(line => line.Split(',')).ToDictionary(parts => parts[0], parts => (Low: double.Parse(parts[3], CultureInfo.InvariantCulture), High: double.Parse(parts[4], CultureInfo.InvariantCulture)));
        var lines = File.ReadAllLines(data);
        var names = lines[0].Split(',');
        int[] columns = [.. Enumerable.Range(0, names.Length).Where(column => bounds.ContainsKey(names[column]))];
        var (values, labels) = (new List<float>(), new List<int>());
        foreach (var cells in lines.Skip(1).Select(line => line.Split(',')).Where(cells => cells.Length == names.Length))
        {
            foreach (var column in columns)
            {
                var (low, high) = bounds[names[column]];
                values.Add(high > low ? (float)Math.Clamp((double.Parse(cells[column], CultureInfo.InvariantCulture) - low) / (high - low), 0, 1) : 0);
            }

            labels.Add(cells[^1].Trim() == "phishing" ? 1 : 0);
        }

        return new EncodedDataset([.. values], columns.Length, [.. labels]);
    }
}
