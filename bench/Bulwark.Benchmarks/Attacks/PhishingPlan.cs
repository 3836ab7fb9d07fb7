using System.Globalization;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Attacks;

/// <summary>What the URL table measures: <c>[SEEDS] [ROWS] [QUERIES] [--choose] [--only TEXT] [--way WORDS]… [--prices]</c>. With <c>--choose</c> the candidates, or the ways given, on validation rows; <c>--prices</c> prints the table with prices alone.</summary>
internal sealed record PhishingPlan(int Seeds, int Rows, int Queries, bool Choosing, bool OnlyPrices, string[] Words, string[] PricedWords)
{
    internal static PhishingPlan Of(string[] args)
    {
        int[] numbers = [.. args.TakeWhile(arg => !arg.StartsWith("--", StringComparison.Ordinal)).Select(arg => int.Parse(arg, CultureInfo.InvariantCulture))];
        int Number(int at, int otherwise) => numbers.Length > at ? numbers[at] : otherwise;
        var only = Array.IndexOf(args, "--only") is >= 0 and var place && place + 1 < args.Length ? args[place + 1] : "";
        var choosing = args.Contains("--choose");
        var onlyPrices = args.Contains("--prices");
        string[] given = [.. args.Zip(args.Skip(1)).Where(pair => pair.First == "--way").Select(pair => pair.Second)];
        string[] Asked(string[] otherwise) => [.. (given.Length > 0 ? given : otherwise).Where(way => way.Contains(only, StringComparison.Ordinal))];
        return new(Number(0, 1), Number(1, 1000), Number(2, 10_000), choosing, onlyPrices, Asked(choosing ? Candidates : Chosen), Asked(Priced));
    }

    /// <summary>The rows of the table.</summary>
    internal IEnumerable<(string Name, TrainingOptions Options)> Ways() => Words.Select(words => (words, Way(words, [])));

    /// <summary>The rows of the table with prices: how the attacker of training is paid.</summary>
    internal IEnumerable<(string Name, TrainingOptions Options)> UnderPrices(double[] costs) => PricedWords.Select(words => (words, Way(words, costs)));

    private static TrainingOptions Base { get; } = new() { Hidden = [128, 64, 32], Epochs = 60 };

    private const string Accurate = "mixed 0.5, eps 0.35, positives, average 0.99, 3 members";
    private const string Between = "mixed 4, eps 0.4, positives, weight 1.5, average 0.99";
    private const string Balanced = "mixed 6, eps 0.4, positives, weight 3, average 0.995";

    /// <summary>One for each pair, of the candidates that were at least as accurate and as robust on validation rows as it asks.</summary>
    private static string[] Chosen { get; } = ["standard", Accurate, Between, Balanced];

    private static string[] Priced { get; } = ["standard", Between, Balanced, "mixed 6, budget 0.5, positives, weight 2, average 0.995", "mixed 6, budget 1, positives, weight 3, average 0.995"];

    private static string[] Candidates { get; } =
    [
        "trades 0.4, eps 0.35", "trades 0.4, eps 0.35, average 0.995", "trades 0.4, eps 0.35, weight 1.5", "trades 0.4, eps 0.35, hidden 256-128-64", "trades 0.4, eps 0.35, 3 members",
        "trades 1, eps 0.35, positives", "trades 1, eps 0.35, weight 1.5, average 0.995", "trades 2, eps 0.35", "trades 2, eps 0.35, average 0.995", "trades 2, eps 0.4, weight 1.2",
        "trades 2, eps 0.45, average 0.995", "trades 1.5, eps 0.5, weight 1.2, average 0.995", "trades 3, eps 0.5",
        "mixed 0.5, eps 0.35, positives", "mixed 0.5, eps 0.35, positives, average 0.995", "mixed 0.7, eps 0.35, positives, weight 1.3, average 0.99", "mixed 1, eps 0.35, positives, average 0.995",
        "mixed 2, eps 0.35, positives, average 0.99", "mixed 2, eps 0.35, positives, average 0.99, 3 members", "mixed 2, eps 0.5, positives, average 0.995", "mixed 3, eps 0.35, positives, weight 1.5",
        "mixed 6, eps 0.4, positives, weight 2, average 0.995", Balanced, Accurate, Between, "mixed 1, eps 0.35, positives, average 0.99, 3 members",
        "mixed 2, eps 0.35, positives, weight 0.6, average 0.99, 3 members", "mixed 0.5, eps 0.35, positives, weight 0.6, average 0.99, 3 members", "mixed 0.3, eps 0.4, positives, average 0.99, 3 members",
        "trades 0.4, eps 0.35, weight 1.3, average 0.99, 3 members", "mixed 0.5, eps 0.35, average 0.99, 3 members",
    ];

    /// <summary>Words, with commas: <c>standard</c>, <c>trades WEIGHT</c> or <c>mixed WEIGHT</c>, then what differs from the defaults.</summary>
    private static TrainingOptions Way(string words, double[] costs)
    {
        var options = Base;
        foreach (string[] word in words.Split(',', StringSplitOptions.TrimEntries).Select(part => part.Split(' ')))
        {
            double Value(string text) => double.Parse(text, CultureInfo.InvariantCulture);
            options = word switch
            {
                ["standard"] => options,
                ["trades", var weight] => options with { Robust = Attacker with { Method = RobustMethod.Trades, AdversarialWeight = Value(weight) } },
                ["mixed", var weight] => options with { Robust = Attacker with { Method = RobustMethod.ProjectedGradient, CleanWeight = 1, AdversarialWeight = Value(weight) } },
                ["eps", var epsilon] => options with { Robust = options.Robust! with { Epsilon = Value(epsilon) } },
                ["budget", var budget] => options with { Robust = options.Robust! with { Norm = RobustNorm.Cost, Costs = costs, Epsilon = Value(budget) } },
                ["steps", var steps] => options with { Robust = options.Robust! with { Steps = (int)Value(steps) } },
                ["positives"] => options with { Robust = options.Robust! with { OnlyPositives = true } },
                ["push", var share] => options with { Robust = options.Robust! with { WeightPerturbation = Value(share) } },
                ["weight", var weight] => options with { PositiveWeight = Value(weight) },
                [var count, "members"] => options with { Members = (int)Value(count) },
                ["average", var decay] => options with { WeightAverage = Value(decay) },
                ["decay", var decay] => options with { WeightDecay = Value(decay) },
                ["rate", var rate] => options with { LearningRate = Value(rate) },
                ["hidden", var widths] => options with { Hidden = [.. widths.Split('-').Select(width => (int)Value(width))] },
                ["epochs", var epochs] => options with { Epochs = (int)Value(epochs) },
                _ => throw new FormatException($"'{string.Join(' ', word)}' is no part of a way; see {nameof(PhishingPlan)}."),
            };
        }

        return options;
    }

    private static RobustOptions Attacker { get; } = new() { Norm = RobustNorm.Length, Epsilon = 0.35, Steps = 7, OnlyPositives = false };
}
