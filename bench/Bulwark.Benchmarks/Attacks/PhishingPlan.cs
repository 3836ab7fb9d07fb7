using System.Globalization;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Attacks;

/// <summary>What the URL table measures: <c>[SEEDS] [ROWS] [QUERIES] [--choose] [--only TEXT]</c>. With <c>--choose</c> the candidates, on validation rows.</summary>
internal sealed record PhishingPlan(int Seeds, int Rows, int Queries, bool Choosing, Func<string, bool> Only, IReadOnlyList<(string Name, TrainingOptions Options)> Ways)
{
    internal static PhishingPlan Of(string[] args)
    {
        int[] numbers = [.. args.TakeWhile(arg => !arg.StartsWith("--", StringComparison.Ordinal)).Select(arg => int.Parse(arg, CultureInfo.InvariantCulture))];
        int Number(int at, int otherwise) => numbers.Length > at ? numbers[at] : otherwise;
        var only = Array.IndexOf(args, "--only") is >= 0 and var place && place + 1 < args.Length ? args[place + 1] : "";
        var choosing = args.Contains("--choose");
        return new(Number(0, 1), Number(1, 1000), Number(2, 10_000), choosing, name => name.Contains(only, StringComparison.Ordinal), [.. (choosing ? Candidates() : Chosen()).Where(way => way.Item1.Contains(only, StringComparison.Ordinal))]);
    }

    /// <summary>The rows of the table with prices: how the attacker of training is paid.</summary>
    internal static IEnumerable<(string Name, TrainingOptions Options)> UnderPrices(double[] costs)
    {
        yield return ("standard", Base);
        yield return Mixed(1, 0.5);
        foreach (var budget in (double[])[0.5, 1])
        {
            yield return (FormattableString.Invariant($"clean + 1 · moved, budget {budget}"), Base with
            {
                Robust = new() { Norm = RobustNorm.Cost, Costs = costs, Epsilon = budget, Steps = 7, CleanWeight = 1, AdversarialWeight = 1, OnlyPositives = false },
            });
        }
    }

    private static TrainingOptions Base { get; } = new() { Hidden = [128, 64, 32], Epochs = 60 };

    /// <summary>Of the candidates, by validation rows, the one that withstands most of those that are as accurate as a pair asks.</summary>
    private static IEnumerable<(string, TrainingOptions)> Chosen()
    {
        yield return ("standard", Base);
        yield return Joined(Trades(0.4, 0.35), 3);
        yield return Trades(2, 0.35);
        yield return Trades(3, 0.5);
    }

    private static IEnumerable<(string, TrainingOptions)> Candidates()
    {
        foreach (var weight in (double[])[0.2, 0.5, 1])
            yield return Mixed(weight, 0.5);
        foreach (var weight in (double[])[0.35, 0.4, 0.45])
            yield return Joined(Trades(weight, 0.35), 3);
        foreach (var epsilon in (double[])[0.35, 0.5])
        {
            foreach (var weight in (double[])[0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1, 1.5, 2, 3])
                yield return Trades(weight, epsilon);
        }
    }

    private static (string, TrainingOptions) Joined((string Name, TrainingOptions Options) way, int members) =>
        ($"{members} members of {way.Name}", way.Options with { Members = members });

    private static (string, TrainingOptions) Mixed(double weight, double epsilon) => (
        FormattableString.Invariant($"clean + {weight} · moved, ε {epsilon}"),
        Base with { Robust = Attacker(epsilon) with { Method = RobustMethod.ProjectedGradient, CleanWeight = 1, AdversarialWeight = weight } });

    private static (string, TrainingOptions) Trades(double weight, double epsilon) => (
        FormattableString.Invariant($"TRADES {weight}, ε {epsilon}"),
        Base with { Robust = Attacker(epsilon) with { Method = RobustMethod.Trades, AdversarialWeight = weight } });

    private static RobustOptions Attacker(double epsilon) => new() { Norm = RobustNorm.Length, Epsilon = epsilon, Steps = 7, OnlyPositives = false };
}
