using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Bulwark.Assurance;
using Bulwark.Cli.Report;

namespace Bulwark.Cli.Making;

/// <summary>Turns what a run found into the report's figures, steps, charts and tables; measures nothing itself.</summary>
internal static class RunReport
{
    internal static ReportModel Of(RunFindings run) => new()
    {
        Title = run.Simulation is null ? $"Run: {run.Pipeline.Name}" : "Card fraud, end to end",
        Summary = $"{run.TrainingRows:N0} training rows, {run.TestRows:N0} test rows, {run.Variants.Count} variants trained and attacked. Every figure was measured by this run.",
        Created = DateTimeOffset.UtcNow,
        Duration = TimeSpan.FromSeconds(run.Seconds),
        Command = run.Command,
        Version = typeof(RunReport).Assembly.GetName().Version?.ToString(3),
        Verdict = Verdict(run),
        Figures = [.. Headlines(run)],
        Warnings = [.. Warnings(run)],
        Steps = [.. RunSteps.Of(run)],
        Claims = [.. RunClaims.Of(run)],
        Sections = [.. Sections(run)],
        Checks = [.. RunSteps.Checks(run)],
        Machine = Machine(),
    };

    internal static string Percent(double share, int digits = 1) => share.ToString($"P{digits}", s_format);

    internal static string Milliseconds(double seconds) => seconds < 1e-3 ? $"{seconds * 1e6:0.0} µs" : seconds < 1 ? $"{seconds * 1e3:0.0} ms" : $"{seconds:0.0} s";

    /// <summary>The share of detected positives that were evaded; says so when none was detected.</summary>
    internal static string Evaded(EvasionOutcome outcome) => outcome.PositivesEvaded.Of == 0 ? "— (none detected)" : Percent(outcome.PositivesEvaded.Rate);

    private static readonly NumberFormatInfo s_format = new() { PercentPositivePattern = 1, PercentNegativePattern = 1 };

    private static ReportVerdict Verdict(RunFindings run)
    {
        var broken = new List<string>();
        if (run.Seal is { Result.Verified: false })
            broken.Add("the sealed package does not verify");
        if (run.Serving is { } serving && serving.Result.Links.Any(link => !link.Holds))
            broken.Add("the prediction's receipt does not verify");
        if (run.Serving is { } served && served.Result.Refusals.Count(trial => !trial.Refused) is > 0 and var let)
            broken.Add($"{let} things were let through that must be refused");
        return broken.Count > 0
            ? new(ReportOutcome.Failed, $"Not sound: {string.Join("; ", broken)}.")
            : new(ReportOutcome.Done, run.Simulation is null
                ? $"{run.Variants.Count} variants trained and attacked; {run.Pipeline.Seal ?? "none"} sealed{(run.Serving is null ? "" : ", served")} and verified."
                : "From raw transactions to a verified prediction: every link of the chain was checked.");
    }

    private static IEnumerable<ReportFigure> Headlines(RunFindings run)
    {
        var sealedVariant = run.Variants.FirstOrDefault(variant => variant.Result.Name == run.Pipeline.Seal) ?? run.Variants[^1];
        var (served, plain) = (sealedVariant.Result.Report, run.Baseline?.Result.Report);
        yield return new("AUC of the sealed model", $"{served.Evaluation.Auc:0.000}", plain is null ? null : $"undefended: {plain.Evaluation.Auc:0.000}");
        if (served.Privacy is { } privacy)
            yield return new("Privacy spent", $"ε = {privacy.Epsilon:0.00}", $"this model; δ = {privacy.Delta:0e0}; {privacy.Adjacency}{(run.SpentOnData is { } all ? $"; all releases on these data: ε = {all:0.00}" : "")}");
        if (run.EvasionOf(sealedVariant) is { } evasion && WorstAt(evasion.Report, run.Pipeline.Attack.Epsilon) is { } worst)
        {
            var before = run.EvasionOf(run.Baseline) is { } undefended ? WorstAt(undefended.Report, run.Pipeline.Attack.Epsilon) : null;
            yield return new($"Evasion at strength {run.Pipeline.Attack.Epsilon:0.###}", Evaded(worst), before is null ? null : $"undefended: {Evaded(before)}");
        }

        if (run.Serving is { Result: var serving })
        {
            yield return new("Refused as they must be", $"{serving.Refusals.Count(trial => trial.Refused)} of {serving.Refusals.Count}", "attempts on the gateway and the broker");
            yield return new("A prediction with receipt", Milliseconds(serving.RequestMedianSeconds), $"median; of which a durable log entry {Milliseconds(serving.AppendMedianSeconds)}");
        }
    }

    private static IEnumerable<string> Warnings(RunFindings run)
    {
        if (run.Serving is { Result.EvidenceKind: "simulated" })
            yield return "Attestation was simulated: insecure. It shows the line; it protects nothing from whoever runs this machine, and any production policy refuses it.";
        foreach (var evasion in run.Evasion.Where(evasion => evasion.Result.Report.Flags.Count > 0))
            yield return $"The evasion figures of {evasion.Result.Variant} carry flags: {string.Join("; ", evasion.Result.Report.Flags.Select(flag => $"{flag.Id} {flag.Finding}"))}";
        foreach (var evasion in run.Evasion.Select(evasion => evasion.Result).Where(evasion => evasion.Screen.FalseAlarms > 0.03 * evasion.Screen.Clean).Take(1))
            yield return $"The input screen refuses {Percent((double)evasion.Screen.FalseAlarms / evasion.Screen.Clean)} of the clean test rows: a gateway would refuse such requests. Declare missing: true where values may be absent, and every category and bound that occurs.";
        if (run.Pipeline.Variants.Where(variant => variant.Bins is not null || variant.Model == "ebm").Select(variant => variant.Name).ToList() is { Count: > 0 } binned && run.Evasion.Count > 0)
            yield return $"Evasion was not measured for {string.Join(", ", binned)}: numbers in bins have no slope for these attacks to follow, which is no proof of robustness. `bulwark attack evasion` attacks them by queries.";
        if (run.UnknownCategories.Count > 0)
            yield return $"Rows hold texts that are none of the declared categories, and count as unknown: {string.Join(", ", run.UnknownCategories)}.";
        if (run.Simulation is null && run.Variants.Any(variant => variant.Result.Report.Privacy is not null))
            yield return "Row counts and membership figures here are exact statistics of the training rows, which ε does not cover: keep this report as close as the data.";
        if (run.Simulation is not null)
            yield return "The transactions are simulated; the figures say how the safeguards behave, not how well fraud is found in your data.";
    }

    /// <summary>The worst case over all attacks at the measured strength nearest to the wanted one.</summary>
    internal static EvasionOutcome? WorstAt(EvasionReport report, double strength) =>
        report.WorstCase.Count == 0 ? null : report.WorstCase.MinBy(outcome => Math.Abs(outcome.Strength - strength));

    private static IEnumerable<ReportSection> Sections(RunFindings run)
    {
        yield return Costs(run);
        yield return new ReportSection
        {
            Title = "Detection before and after",
            Text = "The same test rows for every variant.",
            Charts =
            [
                CommonCharts.Roc(run.Variants.Select(variant => (variant.Result.Name, variant.Result.Report.Evaluation.RocCurve.Select(point => (point.X, point.Y))))),
                CommonCharts.PrecisionRecall(
                    run.Variants.Select(variant => (variant.Result.Name, variant.Result.Report.Evaluation.PrCurve.Select(point => (point.X, point.Y)))),
                    (double)run.Variants[0].Result.Report.Evaluation.Positives / run.Variants[0].Result.Report.Evaluation.Rows),
            ],
        };
        yield return Attacks(run);
        if (run.Variants.Select(variant => variant.Result.Report.Privacy).FirstOrDefault(privacy => privacy is not null) is { } spent)
        {
            yield return new ReportSection
            {
                Title = "Privacy budget",
                Text = "Accounted from the events in the ledger, not measured: what one private training run has spent after each part of its steps, by two accountants.",
                Charts = [CommonCharts.PrivacyBudget(spent.Delta, spent.Epsilon, PrivacySpending.Of(spent), "Most of it goes early: ε grows with the square root of the steps. The moments for the input screen and the noisy row count are paid before the first.")],
            };
        }
        if (run.Serving is { Result: var serving })
        {
            yield return new ReportSection
            {
                Title = "What the gateway refused",
                Text = "Each was tried over a real connection against the running gateway, or by starting one, and must be refused for its own reason.",
                Tables = [new ReportTable { Title = "Refusals", Columns = ["tried", "must name", "answer", "refused"], Rows = [.. serving.Refusals.Select(trial => (IReadOnlyList<string>)[trial.Tried, trial.Expected, Short(trial.Answer), trial.Refused ? "yes" : "NO"])] }],
            };
        }

        yield return new ReportSection
        {
            Title = "Score distributions",
            Text = "Where honest and positive rows score, in twenty bins.",
            Charts = [.. run.Variants.Select(variant => CommonCharts.Scores(variant.Result.Name,
            [
                ("negative", [.. variant.Result.Report.Evaluation.Scores.Negatives.Select(count => (long)count)]),
                ("positive", [.. variant.Result.Report.Evaluation.Scores.Positives.Select(count => (long)count)]),
            ]))],
        };
    }

    private static ReportSection Costs(RunFindings run) => new()
    {
        Title = "What each safeguard costs",
        Text = "The figures of each variant on the test rows, and the time its training took.",
        Tables =
        [
            new ReportTable
            {
                Title = "Variants",
                Columns = ["variant", "accuracy", "AUC", "PR-AUC", "recall at 1% FPR", "FPR at 80% recall", "ε (upper bound)", "training"],
                Rows = [.. run.Variants.Select(variant => variant.Result.Report).Select(report => (IReadOnlyList<string>)
                [
                    report.Name.StartsWith(run.Pipeline.Name + "-", StringComparison.Ordinal) ? report.Name[(run.Pipeline.Name.Length + 1)..] : report.Name,
                    Percent(report.Evaluation.Accuracy, 2), $"{report.Evaluation.Auc:0.0000}", $"{report.Evaluation.PrAuc:0.0000}",
                    Percent(report.Evaluation.RecallAtFpr.First(point => point.At == 0.01).Value), Percent(report.Evaluation.FprAtRecall.First(point => point.At == 0.8).Value, 2),
                    report.Privacy is { } privacy ? $"{privacy.Epsilon:0.000}" : "not private", $"{report.TrainingSeconds:0.0} s",
                ])],
                Note = "Test figures are computed from the test rows without noise; ε covers the training rows.",
            },
        ],
    };

    private static ReportSection Attacks(RunFindings run)
    {
        var charts = run.Evasion.Count == 0 ? [] : (IReadOnlyList<ReportChart>)
        [
            CommonCharts.AttackSuccess("Evasion: positives that come to look negative", "strength, share of each mutable feature's scaled range",
                run.Evasion.Select(evasion => (evasion.Result.Variant, evasion.Result.Report.WorstCase.Select(outcome =>
                    new ChartPoint(outcome.Strength, outcome.PositivesEvaded.Rate, outcome.PositivesEvaded.Lower, outcome.PositivesEvaded.Upper)))),
                "Worst case per row over all attacks, each with knowledge of the model; bars are 95% intervals."),
        ];
        return new ReportSection
        {
            Title = "Under attack",
            Text = "Gradient attacks and a query search against each variant; every success was decoded to a row that can be sent and scored anew by the exported model.",
            Charts = charts,
            Tables =
            [
                new ReportTable
                {
                    Title = "Evasion, worst case over all attacks",
                    Columns = ["variant", "strength", "robust accuracy", "positives evaded", "95% interval", "negatives raised"],
                    Rows = [.. run.Evasion.SelectMany(evasion => evasion.Result.Report.WorstCase.Select(outcome => (IReadOnlyList<string>)
                    [
                        evasion.Result.Variant, $"{outcome.Strength:0.###}", Percent(outcome.RobustAccuracy), Evaded(outcome),
                        $"{Percent(outcome.PositivesEvaded.Lower)} – {Percent(outcome.PositivesEvaded.Upper)}", Percent(outcome.NegativesRaised.Rate),
                    ]))],
                },
                new ReportTable
                {
                    Title = "Membership inference, the strongest attack",
                    Columns = ["variant", "strongest attack", "AUC", "TPR at 1% FPR", "95% interval", "realised FPR"],
                    Rows = [.. run.Membership.Select(membership => membership.Result).Select(membership => (IReadOnlyList<string>)
                    [
                        membership.Variant, membership.Attack, $"{membership.Auc:0.000}", Percent(membership.TruePositiveRateAt1Percent, 2), $"{Percent(membership.Lower, 2)} – {Percent(membership.Upper, 2)}", Percent(membership.RealizedFalsePositiveRate, 2),
                    ])],
                    Note = "A guess has AUC 0.5 and a TPR equal to the FPR. Tried: losses, labels, and shadow models of the variant's recipe (likelihood ratio, relative to references); the one shown certainly finds most. Near chance is no proof of privacy; ε is.",
                },
            ],
        };
    }

    private static string Short(string text) => text.Length <= 120 ? text : text[..117] + "…";

    private static IReadOnlyList<ReportFact> Machine() =>
    [
        new("processor", ProcessorName()),
        new("cores", $"{Environment.ProcessorCount}"),
        new("vectors", Vector512.IsHardwareAccelerated ? "512 bit" : Vector256.IsHardwareAccelerated ? "256 bit" : "128 bit"),
        new("runtime", RuntimeInformation.FrameworkDescription),
        new("system", RuntimeInformation.OSDescription),
    ];

    private static string ProcessorName() => File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown"
        : RuntimeInformation.ProcessArchitecture.ToString();
}
