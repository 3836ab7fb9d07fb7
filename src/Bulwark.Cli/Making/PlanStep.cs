using Bulwark.Cryptography;
using Bulwark.Planning;

namespace Bulwark.Cli.Making;

/// <summary>Turns a run's figures into the planner's measures and plans under a budget of half of what everything costs.</summary>
internal static class PlanStep
{
    internal static Task<StepRecord<PlanFinding>> RunAsync(RunFolder folder, RunFindings run, CancellationToken cancel)
    {
        var measures = Measures(run);
        var path = folder.File("measures.json");
        return folder.StepAsync("plan", Digest.Of(measures.ToJson()), [path], async () =>
        {
            await AtomicFile.WriteAsync(path, async stream => await stream.WriteAsync(measures.ToJson(), cancel), cancel);
            var budget = Math.Round(measures.Safeguards.Sum(safeguard => safeguard.Cost.Value) / 2, 2);
            var plan = await Task.Run(() => Planner.Choose(measures, new PlanOptions { Budget = budget }), cancel);
            return new PlanFinding((decimal)budget, plan.Best.Chosen, plan.Best.ResidualLoss, plan.ProvenOptimal, plan.Greedy.Chosen, plan.Greedy.ResidualLoss, path);
        });
    }

    /// <summary>Threats weigh the same (stated); effects and costs are what the run measured, and say so.</summary>
    internal static MeasureSet Measures(RunFindings run) => new()
    {
        Format = MeasureSet.FormatName,
        CostUnit = "seconds of this machine: per training, per sealing, per 1,000 requests",
        LossUnit = "expected loss, one for each undefended threat",
        Threats =
        [
            Threat("evasion", "Fraud disguised as honest", "AML.T0015"),
            Threat("membership", "Who was in the training data", "AML.T0024.000"),
            Threat("data-exposure", "Training data read at rest", "AML.T0025"),
            Threat("model-theft", "Model copied or changed at rest", "AML.T0044"),
            Threat("forged-request", "Requests under a false identity", "AML.T0040"),
        ],
        Safeguards = [.. Safeguards(run)],
    };

    private static IEnumerable<Safeguard> Safeguards(RunFindings run)
    {
        var plain = run.Baseline!;
        if (run.Variant(isPrivate: false, isRobust: true) is { } robust)
            yield return OfVariant(run, plain, robust, "adversarial-training", "Adversarial training", "evasion", EvasionSurvival(run, plain, robust));
        if (run.Variant(isPrivate: true, isRobust: false) is { } @private)
            yield return OfVariant(run, plain, @private, "differential-privacy", "Differential privacy", "membership", MembershipSurvival(run, plain, @private));
        if (run.EvasionOf(plain) is { Screen: var screen })
        {
            yield return new Safeguard
            {
                Id = "input-screen",
                Name = "Input screen",
                Layer = "input",
                Cost = Measured(screen.SecondsPerRow * 1000, "input screen, 1,000 rows"),
                Effects = [new("evasion", Measured(1 - ((double)screen.Caught / Math.Max(1, screen.Attacked)), "rows moved by gradient descent that the screen let through"))],
                AddedLoss = Measured((double)screen.FalseAlarms / screen.Clean, "honest rows that the screen refuses"),
            };
        }

        if (run.Protection is { } protection)
            yield return AtRest("column-encryption", "Column encryption and tokens", "data-exposure", protection.Seconds, "the protect step", "tampered and keyless reading was refused; keys can still be stolen");
        if (run.Seal is { } seal)
            yield return AtRest("sealed-model", "Sealed, signed package", "model-theft", seal.Seconds, "the seal step", "every flipped bit was refused; keys can still be stolen");
        if (run.Serving is { Result: var serving })
        {
            var through = (double)serving.Refusals.Count(trial => !trial.Refused) / serving.Refusals.Count;
            yield return new Safeguard
            {
                Id = "zero-trust-gateway",
                Name = "Zero-trust gateway with receipts",
                Layer = "access",
                Cost = Measured((serving.RequestMedianSeconds - serving.BareScoreSeconds) * 1000, "median request against a bare score, 1,000 requests"),
                Effects = [new("forged-request", Measured(through, "bad attempts that were let through"))],
            };
        }
    }

    private static Safeguard OfVariant(RunFindings run, StepRecord<VariantFinding> plain, StepRecord<VariantFinding> variant, string id, string name, string threat, Figure survival) => new()
    {
        Id = id,
        Name = name,
        Layer = "training",
        Cost = Measured(Math.Max(0, variant.Result.Report.TrainingSeconds - plain.Result.Report.TrainingSeconds), $"training {variant.Result.Name} against {plain.Result.Name}"),
        Effects = [new(threat, survival)],
        AddedLoss = Measured(Math.Max(0, Recall(plain) - Recall(variant)), $"recall at 1% false alarms, {variant.Result.Name} against {plain.Result.Name}, {run.TestRows} test rows"),
    };

    private static Safeguard AtRest(string id, string name, string threat, double seconds, string step, string why) => new()
    {
        Id = id,
        Name = name,
        Layer = "rest",
        Cost = Measured(seconds, step),
        Effects = [new(threat, new Figure { Value = 0.05, Basis = FigureBasis.Stated, Source = why })],
    };

    private static Figure EvasionSurvival(RunFindings run, StepRecord<VariantFinding> plain, StepRecord<VariantFinding> robust)
    {
        double Evaded(StepRecord<VariantFinding> variant) => run.EvasionOf(variant) is { } evasion ? RunReport.WorstAt(evasion.Report, run.Pipeline.Attack.Epsilon)?.PositivesEvaded.Rate ?? 1 : 1;
        return Measured(Ratio(Evaded(robust), Evaded(plain)), $"worst-case evasion at strength {run.Pipeline.Attack.Epsilon}, robust over plain");
    }

    private static Figure MembershipSurvival(RunFindings run, StepRecord<VariantFinding> plain, StepRecord<VariantFinding> @private)
    {
        double Advantage(StepRecord<VariantFinding> variant) =>
            run.Membership.First(membership => membership.Result.Variant == variant.Result.Name).Result is var found ? Math.Max(0, found.Auc - 0.5) : 0;
        return Measured(Ratio(Advantage(@private), Advantage(plain)), "membership AUC above chance by the strongest attack, private over plain");
    }

    private static double Ratio(double after, double before) => before <= 0 ? 1 : Math.Clamp(after / before, 0, 1);

    private static double Recall(StepRecord<VariantFinding> variant) => variant.Result.Report.Evaluation.RecallAtFpr.First(point => point.At == 0.01).Value;

    private static Threat Threat(string id, string name, string atlas) => new()
    {
        Id = id,
        Name = name,
        Loss = new Figure { Value = 1, Basis = FigureBasis.Stated, Source = "every threat weighs the same until you say otherwise" },
        Atlas = [atlas],
    };

    private static Figure Measured(double value, string source) => new() { Value = Math.Max(0, value), Basis = FigureBasis.Measured, Source = source };
}
