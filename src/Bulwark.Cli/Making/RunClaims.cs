using Bulwark.Cli.Report;
using Bulwark.Privacy;

namespace Bulwark.Cli.Making;

/// <summary>What the field's guides claim of each safeguard, beside what this run measured.</summary>
internal static class RunClaims
{
    internal static IEnumerable<ReportClaim> Of(RunFindings run)
    {
        var plain = run.Baseline;
        if (run.Protection is { } protection && plain is not null)
            yield return DataEncryption(protection.Result, plain.Result.Report.TrainingSeconds);
        if (plain is not null && run.Variant(isPrivate: true, isRobust: false) is { } @private)
        {
            yield return PrivacyCost(run, plain.Result.Report, @private.Result.Report);
            yield return PrivacyStep(run, plain.Result.Report, @private.Result.Report);
            yield return Accounting(@private.Result.Report);
        }

        if (run.Seal is { } seal)
        {
            yield return SealedSize(seal.Result);
            yield return SealedSpeed(seal.Result);
        }

        yield return Tee(run);
        if (run.Serving is { } serving)
            yield return Session(serving.Result);
        if (plain is not null && run.Variant(isPrivate: false, isRobust: true) is { } robust)
            yield return AdversarialTraining(run, plain, robust);
        foreach (var claim in InputValidation(run))
            yield return claim;
        yield return new ReportClaim
        {
            Measure = "Ensemble defences",
            Claimed = "3–5 times better than single methods",
            Measured = "—",
            Verdict = ClaimVerdict.NotMeasurable,
            Why = "This run trains none; `bulwark train --members N` does, and `bulwark attack suite` judges what it buys.",
        };
        if (run.Serving is { } gateway)
            yield return Gateway(gateway.Result);
        if (run.Plan is { } plan)
            yield return Planner(plan.Result);
        if (run.Simulation is not null && plain is not null && run.Variants.FirstOrDefault(variant => variant.Result.Name == run.Pipeline.Seal) is { } served)
            yield return CaseStudy(plain.Result.Report, served.Result.Report);
        yield return new ReportClaim
        {
            Measure = "Compliance",
            Claimed = "full GDPR and PCI DSS compliance",
            Measured = "—",
            Verdict = ClaimVerdict.NotMeasurable,
            Why = "Software can offer evidence, not compliance: the log, the ledger and the refusals of this report are such evidence. A mapping to requirements is not built yet.",
        };
    }

    private static ReportClaim DataEncryption(ProtectionFinding finding, double trainingSeconds)
    {
        var share = Math.Max(0, finding.ReadProtectedSeconds - finding.ReadPlainSeconds) / trainingSeconds;
        return new()
        {
            Measure = "Data encryption: training time",
            Claimed = "5–15% longer training",
            Measured = $"{RunReport.Percent(share, 2)} longer (reading {RunReport.Milliseconds(finding.ReadPlainSeconds)} plain, {RunReport.Milliseconds(finding.ReadProtectedSeconds)} protected)",
            Goal = "under 1% of training time",
            Verdict = share < 0.01 ? ClaimVerdict.Met : ClaimVerdict.NotMet,
            Why = "Fastest of three readings of the training columns each, in turn, against the plain variant's training time.",
        };
    }

    private static ReportClaim PrivacyCost(RunFindings run, TrainingReport plain, TrainingReport @private)
    {
        var fraud = (double)plain.Evaluation.Positives / plain.Evaluation.Rows < 0.05;
        var lost = fraud ? plain.Evaluation.Auc - @private.Evaluation.Auc : plain.Evaluation.Accuracy - @private.Evaluation.Accuracy;
        return new()
        {
            Measure = $"Differential privacy at ε = {@private.Privacy!.Epsilon:0.##}: utility",
            Claimed = "10–25% accuracy lost at ε = 1",
            Measured = $"{lost * 100:0.00} points of {(fraud ? "AUC" : "accuracy")} lost (accuracy {RunReport.Percent(plain.Evaluation.Accuracy, 2)} → {RunReport.Percent(@private.Evaluation.Accuracy, 2)}, AUC {plain.Evaluation.Auc:0.000} → {@private.Evaluation.Auc:0.000}, PR-AUC {plain.Evaluation.PrAuc:0.000} → {@private.Evaluation.PrAuc:0.000})",
            Goal = "at most 1 point on tabular data",
            Verdict = lost <= 0.01 ? ClaimVerdict.Met : ClaimVerdict.NotMet,
            Why = fraud ? "Positives are rare: accuracy hides everything, so AUC counts." : $"Test rows of {run.Pipeline.Name}.",
        };
    }

    private static ReportClaim PrivacyStep(RunFindings run, TrainingReport plain, TrainingReport @private)
    {
        var plainRows = (double)plain.Steps * plain.Options.BatchSize;
        var privateRows = @private.Privacy!.Steps * @private.Privacy.SamplingProbability * run.TrainingRows;
        var ratio = @private.TrainingSeconds / privateRows / (plain.TrainingSeconds / plainRows);
        return new()
        {
            Measure = "Differential privacy: training time",
            Claimed = "cost +15–30%",
            Measured = $"{ratio:0.00} times the plain run's time for the same number of rows; {@private.TrainingSeconds / plain.TrainingSeconds:0.0} times in all, for it passes {privateRows / plainRows:0.0} times the rows ({plain.TrainingSeconds:0.0} s → {@private.TrainingSeconds:0.0} s)",
            Goal = "at most 1.5 times for the same rows",
            Verdict = ratio <= 1.5 ? ClaimVerdict.Met : ClaimVerdict.NotMet,
            Why = "Whole trainings on this machine, once each, calibration and validation included; bench/ compares single steps.",
        };
    }

    private static ReportClaim Accounting(TrainingReport report)
    {
        var privacy = report.Privacy!;
        var renyi = RdpAccountant.Epsilon(privacy.Event, privacy.Delta).Epsilon;
        return new()
        {
            Measure = "Privacy accounting",
            Claimed = "ε·√(2k·ln(1/δ)) for k queries",
            Measured = $"ε ≤ {privacy.Epsilon:0.0000} by privacy loss distributions (and at least {privacy.EpsilonLower:0.0000}); {renyi:0.0000} by Rényi accounting of the same events",
            Goal = "two accountants agree: the tight one is not above the loose one",
            Verdict = privacy.EpsilonLower <= renyi ? ClaimVerdict.Met : ClaimVerdict.NotMet,
            Why = $"{privacy.Steps} steps, noise multiplier {privacy.NoiseMultiplier:0.000}, sampling probability {privacy.SamplingProbability:0.###}. Both accountants are judged by published vectors in the conformance suite.",
            Command = "bulwark privacy ledger show",
        };
    }

    private static ReportClaim SealedSize(SealFinding seal) => new()
    {
        Measure = "Encrypted model storage",
        Claimed = "40–60% larger",
        Measured = $"{RunReport.Percent((double)(seal.PackageBytes - seal.PlainBytes) / seal.PlainBytes, 2)} larger ({seal.PlainBytes:N0} → {seal.PackageBytes:N0} bytes)",
        Goal = "under 0.01% for large models",
        Verdict = (double)(seal.PackageBytes - seal.PlainBytes) / seal.PlainBytes < 0.0001 ? ClaimVerdict.Met : ClaimVerdict.NotMet,
        Why = $"The package adds {seal.PackageBytes - seal.PlainBytes:N0} bytes (signed manifest, key slots, one segment's tag), which weigh on a model as small as this one.",
    };

    private static ReportClaim SealedSpeed(SealFinding seal) => new()
    {
        Measure = "Model encryption: speed",
        Claimed = "2–5% slower",
        Measured = $"0 after loading; loading takes {seal.VerifyAndOpenSeconds / seal.ReadAndHashSeconds:0.0} times reading and hashing ({RunReport.Milliseconds(seal.ReadAndHashSeconds)} → {RunReport.Milliseconds(seal.VerifyAndOpenSeconds)})",
        Goal = "loading within 1.3 times of read-and-hash",
        Verdict = seal.VerifyAndOpenSeconds <= 1.3 * seal.ReadAndHashSeconds ? ClaimVerdict.Met : ClaimVerdict.NotMet,
        Why = "Fastest of five, in turn. The fixed cost of signature and key derivation weighs on a small model.",
    };

    private static ReportClaim Tee(RunFindings run) => new()
    {
        Measure = "TEE inference",
        Claimed = "2–3 times slower",
        Measured = run.Serving is { Result: var serving }
            ? $"not the TEE itself; ours around it: one score {RunReport.Milliseconds(serving.BareScoreSeconds)} bare, {RunReport.Milliseconds(serving.RequestMedianSeconds)} as an attested, logged, mutual-TLS request"
            : "—",
        Verdict = ClaimVerdict.NotMeasurable,
        Why = "No TEE on this machine. Published: under 10% throughput and under 20% latency overhead on TDX and SGX with AMX (Chrapek et al., IISWC 2025, arXiv:2509.18886).",
    };

    private static ReportClaim Session(Serving.ServingFinding serving) => new()
    {
        Measure = "Secure session",
        Claimed = "100–200 ms",
        Measured = $"{RunReport.Milliseconds(serving.SessionSeconds)} from nothing to a listening gateway: verify the package, attest, release the key, open the model, bind the port",
        Goal = "at most 40 ms with a TPM",
        Verdict = ClaimVerdict.NotMeasurable,
        Why = "The evidence was simulated, so no TPM's time is in it, and the start of the web server is.",
    };

    private static ReportClaim AdversarialTraining(RunFindings run, StepRecord<VariantFinding> plain, StepRecord<VariantFinding> robust)
    {
        var strength = run.Pipeline.Attack.Epsilon;
        var before = run.EvasionOf(plain) is { } undefended ? RunReport.WorstAt(undefended.Report, strength) : null;
        var after = run.EvasionOf(robust) is { } defended ? RunReport.WorstAt(defended.Report, strength) : null;
        var ratio = robust.Result.Report.TrainingSeconds / plain.Result.Report.TrainingSeconds;
        return new()
        {
            Measure = "Adversarial training",
            Claimed = "20–40% more training time; attack success from 95% to 15–25%",
            Measured = $"{ratio:0.0} times the training time; attack success at strength {strength:0.###}: {Share(before)} → {Share(after)}; AUC {plain.Result.Report.Evaluation.Auc:0.000} → {robust.Result.Report.Evaluation.Auc:0.000}",
            Verdict = after is not null && after.PositivesEvaded.Rate <= 0.25 && ratio <= 1.4 ? ClaimVerdict.Met : ClaimVerdict.NotMet,
            Why = "Worst case per row over gradient attacks and a query search that know the model, on positives that were detected without an attack.",
        };

        static string Share(Assurance.EvasionOutcome? outcome) => outcome is null ? "—" : RunReport.Percent(outcome.PositivesEvaded.Rate);
    }

    private static IEnumerable<ReportClaim> InputValidation(RunFindings run)
    {
        if (run.EvasionOf(run.Baseline) is not { Screen: var screen })
            yield break;
        yield return new ReportClaim
        {
            Measure = "Input validation: time",
            Claimed = "1–5 ms a request",
            Measured = $"{RunReport.Milliseconds(screen.SecondsPerRow)} a row, encoding included",
            Goal = "at most 6 µs for 30 features",
            Verdict = screen.SecondsPerRow <= 6e-6 ? ClaimVerdict.Met : ClaimVerdict.NotMet,
            Why = "Fastest slice of 2,000 checks of one row.",
        };
        var caught = (double)screen.Caught / Math.Max(1, screen.Attacked);
        yield return new ReportClaim
        {
            Measure = "Input validation: detection",
            Claimed = "catches 80–90% of basic attacks",
            Measured = $"{RunReport.Percent(caught)} of rows moved by gradient descent at strength {screen.Strength:0.###}, at {RunReport.Percent((double)screen.FalseAlarms / screen.Clean, 2)} false alarms",
            Verdict = caught >= 0.8 ? ClaimVerdict.Met : ClaimVerdict.NotMet,
            Why = "The attacker does not know of the screen; one who does evades it more. A screen stops malformed and far-out rows, not evasion within the data's range.",
        };
    }

    private static ReportClaim Gateway(Serving.ServingFinding serving)
    {
        var refused = serving.Refusals.Count(trial => trial.Refused);
        return new()
        {
            Measure = "Zero-trust gateway",
            Claimed = "compares issuer names, trusts a client-certificate header",
            Measured = $"{refused} of {serving.Refusals.Count} bad attempts refused, each for its own reason",
            Goal = "all",
            Verdict = refused == serving.Refusals.Count ? ClaimVerdict.Met : ClaimVerdict.NotMet,
            Why = "Tried over real connections: certificates, headers, tokens, policy, bodies, rows, packages, evidence.",
        };
    }

    private static ReportClaim Planner(PlanFinding plan) => new()
    {
        Measure = "Safeguards under a budget",
        Claimed = "greedy by benefit over cost, additive benefits, risk tolerance unused",
        Measured = $"exact plan leaves {plan.Residual:0.###}, greedy {plan.GreedyResidual:0.###}, of the expected loss",
        Goal = "proved optimum over measured, overlapping effects",
        Verdict = plan.Proven && plan.Residual <= plan.GreedyResidual + 1e-9 ? ClaimVerdict.Met : ClaimVerdict.NotMet,
    };

    private static ReportClaim CaseStudy(TrainingReport plain, TrainingReport served) => new()
    {
        Measure = "Fraud case study",
        Claimed = "accuracy 94.2% against 92.1%, false positives −35%, ε = 0.5, no successful attack",
        Measured = $"accuracy {RunReport.Percent(plain.Evaluation.Accuracy, 2)} undefended → {RunReport.Percent(served.Evaluation.Accuracy, 2)} protected; false positives at 80% recall {RunReport.Percent(Fpr(plain), 2)} → {RunReport.Percent(Fpr(served), 2)}; ε = {served.Privacy?.Epsilon:0.00}",
        Verdict = served.Evaluation.Accuracy >= plain.Evaluation.Accuracy && Fpr(served) <= 0.65 * Fpr(plain) ? ClaimVerdict.Met : ClaimVerdict.NotMet,
        Why = "Simulated transactions. Safeguards cost detection; nothing here suggests that they improve it.",
    };

    private static double Fpr(TrainingReport report) => report.Evaluation.FprAtRecall.First(point => point.At == 0.8).Value;
}
