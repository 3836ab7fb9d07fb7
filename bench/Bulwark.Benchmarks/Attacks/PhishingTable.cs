using System.Diagnostics;
using Bulwark.Assurance;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Attacks;

/// <summary>Accuracy and what survives CAPGD and a query search at L2 0.5, by training, mean over seeds; the frozen-feature baseline and the task with prices beside it.</summary>
internal static class PhishingTable
{
    private const double Epsilon = 0.5;

    internal static int Run(string[] args)
    {
        if (!Directory.Exists(PhishingRows.Folder))
        {
            Console.Error.WriteLine($"The data are absent: {PhishingRows.Folder}. Set BULWARK_SHARED.");
            return 2;
        }

        var plan = PhishingPlan.Of(args);
        var data = PhishingRows.Read();
        if (plan.OnlyPrices)
        {
            PhishingPrices.Run(data, plan);
            return 0;
        }

        var space = data.Space();
        Console.WriteLine($"URL phishing, {data.Schema.Width} features, L2 {Epsilon} on scaled values, positives attacked, {plan.Rows} rows, {plan.Queries} questions a row, seeds 0 to {plan.Seeds - 1}, judged on {(plan.Choosing ? "validation" : "test")} rows");
        foreach (var test in ConstraintSelfTest.Run(space.Constraints, data.Raw).Where(test => !test.Sound))
            Console.WriteLine($"  constraint '{test.Relation}': broken by {test.Broken} real rows, by {test.Caught} of {test.Planted} spoilt ones");
        Console.WriteLine();
        Console.WriteLine("| training | accuracy | recall | after CAPGD | after the search too | worst seed | seconds (training / CAPGD / search) |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- |");
        foreach (var (name, options) in plan.Ways())
            Print(name, [.. Enumerable.Range(0, plan.Seeds).Select(seed => Measure(data, space, options, (ulong)seed, plan))]);
        if (!plan.Choosing)
            Frozen(data, space, new(PerturbationNorm.L2, Epsilon));
        if (!plan.Choosing)
            PhishingPrices.Run(data, plan);
        return 0;
    }

    private static void Print(string name, Outcome[] outcomes) => Console.WriteLine(
        $"| {name} | {outcomes.Average(one => one.Accuracy):P1} | {outcomes.Average(one => one.Recall):P1} | {outcomes.Average(one => one.AfterGradients):P1} | {outcomes.Average(one => one.Robust):P1} | {outcomes.Min(one => one.Robust):P1} | {outcomes.Average(one => one.Training):F1} / {outcomes.Average(one => one.Gradients):F2} / {outcomes.Average(one => one.Search):F1} |");

    private static Outcome Measure(PhishingRows data, TabularSpace space, TrainingOptions way, ulong seed, PhishingPlan plan)
    {
        var (train, validation, test) = data.Split(seed);
        if (plan.Choosing)
            test = validation;
        var clock = Cpu();
        var robust = way.Robust is { } attacker ? AttackerReach.Within(attacker, space.Encoder) : null;
        var trained = Trainer.Train(data.Encode(train), data.Encode(validation), way with { Seed = seed + 1, Robust = robust });
        var training = Cpu() - clock;
        var model = new DifferentiableNetwork<float>(trained.Network);
        var answers = new NetworkRows(space.Encoder, model, 0.5);
        var judged = test.Select(row => data.Labels[row]).ToArray();
        var wrong = Wrong(answers, data.Pick(test), judged);
        var accuracy = wrong.Count(one => !one) / (double)wrong.Length;
        int[] positives = [.. test.Where(row => data.Labels[row] == 1).Take(plan.Rows)];
        var (raw, labels) = (data.Pick(positives), Enumerable.Repeat(1, positives.Length).ToArray());
        var recall = Wrong(answers, raw, labels).Count(one => !one) / (double)labels.Length;
        clock = Cpu();
        var adversarial = new float[raw.Length];
        var fell = new ConstrainedGradientDescent { Epsilon = Epsilon, Seed = seed }.Run(model, space, raw, labels, adversarial);
        var gradients = Cpu() - clock;
        Recheck(space, new(PerturbationNorm.L2, Epsilon), answers, raw, adversarial, fell);
        clock = Cpu();
        int[] left = [.. Enumerable.Range(0, labels.Length).Where(row => !fell[row])];
        var (survivors, found) = (AttackSuite.Pick(raw, data.Schema.Width, left), new float[left.Length * data.Schema.Width]);
        var donors = (data.Pick([.. train.Where(row => data.Labels[row] == 0)]), (float[])[]);
        var searched = new TabularSearch { Reach = new(PerturbationNorm.L2, Epsilon), Queries = plan.Queries, Seed = seed }.Run(answers, space, survivors, [.. left.Select(_ => 1)], donors, found);
        var search = Cpu() - clock;
        Recheck(space, new(PerturbationNorm.L2, Epsilon), answers, survivors, found, searched);
        return new(accuracy, recall, left.Length / (double)labels.Length, (left.Length - searched.Count(one => one)) / (double)labels.Length, training, gradients, search);
    }

    /// <summary>Every counted row is one that can be sent and is misread, or the figure is worth nothing.</summary>
    internal static void Recheck(TabularSpace space, TabularReach reach, RowModel model, float[] raw, float[] adversarial, bool[] fell)
    {
        var width = space.Encoder.Width;
        var (before, after) = (space.Encoder.Encode(raw), space.Encoder.Encode(adversarial));
        var wrong = Wrong(model, adversarial, [.. fell.Select(_ => 1)]);
        for (var row = 0; row < fell.Length; row++)
        {
            var (points, inputs) = (row * width, row * space.Encoder.EncodedWidth);
            if (!fell[row])
                continue;
            var fault = reach.Reject(space, adversarial.AsSpan(points, width), raw.AsSpan(points, width), after.AsSpan(inputs, space.Encoder.EncodedWidth), before.AsSpan(inputs, space.Encoder.EncodedWidth));
            if (fault is not null && !raw.AsSpan(points, width).SequenceEqual(adversarial.AsSpan(points, width)))
                throw new InvalidOperationException($"Row {row} was counted and cannot be sent: {fault}.");
            if (!wrong[row])
                throw new InvalidOperationException($"Row {row} was counted and is not misread.");
        }
    }

    internal static void Frozen(PhishingRows data, TabularSpace space, TabularReach reach, string under = "")
    {
        var (train, _, test) = data.Split(0);
        int[] chosen = [.. train.Concat(test)];
        var raw = data.Pick(chosen);
        var target = new TabularTarget(new NoScorer(data.Schema.Width), space, null);
        if (FrozenFeatures.Measure(target, reach, raw, [.. chosen.Select(row => data.Labels[row])], seed: 1) is { } baseline)
            Console.WriteLine($"| frozen features only ({baseline.Features.Count}{under}): certified, half of the rows learnt | {baseline.Accuracy.Rate:P1} | {baseline.Recall.Rate:P1} | {baseline.Recall.Rate:P1} | {baseline.Recall.Rate:P1} | | |");
    }

    internal static bool[] Wrong(RowModel model, float[] raw, int[] labels)
    {
        var leads = new float[labels.Length];
        model.Lead(raw, labels.Length, leads);
        return [.. leads.Select((lead, row) => RowModel.IsWrong(lead, labels[row]))];
    }

    internal static double Cpu() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;

    private sealed record Outcome(double Accuracy, double Recall, double AfterGradients, double Robust, double Training, double Gradients, double Search);

    private sealed class NoScorer(int width) : IScorer
    {
        public int Width => width;

        public int Classes => 1;

        public void Score(ReadOnlySpan<float> rawRows, int rows, Span<float> probabilities) => throw new NotSupportedException("This model is never asked.");

        public void Dispose()
        {
        }
    }
}
