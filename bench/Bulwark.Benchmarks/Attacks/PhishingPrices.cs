using Bulwark.Assurance;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Attacks;

/// <summary>The same task where every feature moves at a price: a flag 1, a count 0.05 a unit, a share or a wide measure 0.5 for its whole range (samples/constraints/url-phishing-prices.json).</summary>
internal static class PhishingPrices
{
    private static readonly double[] s_budgets = [0.25, 0.5, 1];

    internal static void Run(PhishingRows data, PhishingPlan plan)
    {
        var space = data.Space(prices: true);
        var queries = plan.Queries / 5;
        Console.WriteLine();
        Console.WriteLine($"Every feature at a price; what survives the greedy search and {queries} random questions a row, by budget");
        Console.WriteLine();
        Console.WriteLine($"| training | accuracy | recall | {string.Join(" | ", s_budgets.Select(budget => $"budget {budget}"))} | worst seed at {s_budgets[^1]} |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        foreach (var (name, options) in plan.UnderPrices(RelaxedPrices.Of(space)))
        {
            Outcome[] outcomes = [.. Enumerable.Range(0, plan.Seeds).Select(seed => Measure(data, space, options, (ulong)seed, plan, queries))];
            Console.WriteLine($"| {name} | {outcomes.Average(one => one.Accuracy):P1} | {outcomes.Average(one => one.Recall):P1} | {string.Join(" | ", s_budgets.Select((_, at) => $"{outcomes.Average(one => one.Robust[at]):P1}"))} | {outcomes.Min(one => one.Robust[^1]):P1} |");
        }

        foreach (var budget in plan.Choosing ? [] : s_budgets)
            PhishingTable.Frozen(data, space, new(PerturbationNorm.L2, double.PositiveInfinity, budget), $", budget {budget}");
    }

    private static Outcome Measure(PhishingRows data, TabularSpace space, TrainingOptions way, ulong seed, PhishingPlan plan, int queries)
    {
        var (train, validation, test) = data.Split(seed);
        if (plan.Choosing)
            test = validation;
        var robust = way.Robust is { } attacker ? AttackerReach.Within(attacker, space.Encoder) : null;
        var trained = Trainer.Train(data.Encode(train), data.Encode(validation), way with { Seed = seed + 1, Robust = robust });
        var answers = new NetworkRows(space.Encoder, new DifferentiableNetwork<float>(trained.Network), 0.5);
        var accuracy = PhishingTable.Wrong(answers, data.Pick(test), [.. test.Select(row => data.Labels[row])]).Count(one => !one) / (double)test.Length;
        int[] positives = [.. test.Where(row => data.Labels[row] == 1).Take(plan.Rows)];
        var (raw, labels) = (data.Pick(positives), Enumerable.Repeat(1, positives.Length).ToArray());
        var recall = PhishingTable.Wrong(answers, raw, labels).Count(one => !one) / (double)labels.Length;
        var donors = (data.Pick([.. train.Where(row => data.Labels[row] == 0)]), (float[])[]);
        var robustness = s_budgets.Select(budget => Survivors(answers, space, new(PerturbationNorm.L2, double.PositiveInfinity, budget), raw, labels, donors, queries, seed) / (double)labels.Length).ToArray();
        return new(accuracy, recall, robustness);
    }

    private static int Survivors(NetworkRows answers, TabularSpace space, TabularReach reach, float[] raw, int[] labels, (float[], float[]) donors, int queries, ulong seed)
    {
        var adversarial = new float[raw.Length];
        var fell = new PriceSearch { Reach = reach }.Run(answers, space, raw, labels, adversarial);
        PhishingTable.Recheck(space, reach, answers, raw, adversarial, fell);
        int[] left = [.. Enumerable.Range(0, labels.Length).Where(row => !fell[row])];
        var (survivors, found) = (AttackSuite.Pick(raw, space.Encoder.Width, left), new float[left.Length * space.Encoder.Width]);
        var searched = new TabularSearch { Reach = reach, Queries = queries, Seed = seed }.Run(answers, space, survivors, [.. left.Select(_ => 1)], donors, found);
        PhishingTable.Recheck(space, reach, answers, survivors, found, searched);
        return left.Length - searched.Count(one => one);
    }

    private sealed record Outcome(double Accuracy, double Recall, double[] Robust);
}
