using Bulwark.Cli.Report;

namespace Bulwark.Cli.Making;

/// <summary>The steps of a run as the report tells them, and the commands that check what they left behind.</summary>
internal static class RunSteps
{
    internal static IEnumerable<ReportStep> Of(RunFindings run)
    {
        if (run.Simulation is { } simulation)
        {
            yield return Step(simulation, "Simulate transactions", $"{simulation.Result.Rows:N0} transactions over {simulation.Result.Days} days, {simulation.Result.Frauds:N0} of them fraud ({RunReport.Percent((double)simulation.Result.Frauds / simulation.Result.Rows, 2)}).",
                $"bulwark data simulate -o transactions.parquet --rows {simulation.Result.Rows} --days {simulation.Result.Days} --seed 1");
        }

        if (run.Scan is { } scan)
        {
            yield return Step(scan, "Scan for sensitive columns", $"{scan.Result.Columns.Count} columns stand out, {scan.Result.Columns.Count(column => column.Advice != "keep")} of them need protection: {string.Join(", ", scan.Result.Columns.Select(column => $"{column.Column} ({DataScanCommand.Words(column.Kind.ToString())}, {column.Advice})"))}.",
                $"bulwark data scan {run.Folder}/data/transactions.parquet");
        }

        if (run.Protection is { } protection)
        {
            yield return Step(protection, "Protect the table",
                $"{protection.Result.Encrypted.Count} columns encrypted under keys of their own, {protection.Result.Tokenised.Count} tokenised; a copy with one flipped bit was refused.",
                $"bulwark data protect {run.Folder}/data/transactions.parquet -o protected.parquet -w {run.Workspace}",
                digests: [new("dataset commitment", protection.Result.Commitment.ToString()), new("log entry", $"{protection.Result.LogIndex}")]);
        }

        if (run.Features is { } features)
        {
            yield return Step(features, "Make features, split by time",
                $"{features.Result.Columns} features, none of which sees its own future; {features.Result.TrainRows:N0} rows to train on, then a gap of a week, then {features.Result.TestRows:N0} to test on.", null);
        }

        foreach (var variant in run.Variants)
        {
            var report = variant.Result.Report;
            var privacy = report.Privacy is { } spent ? $" ε = {spent.Epsilon:0.000} at δ = {spent.Delta:0e0}, booked in the ledger before the first step." : "";
            yield return Step(variant, $"Train {variant.Result.Name}",
                $"{char.ToUpperInvariant(report.Model[0])}{report.Model[1..]}: AUC {report.Evaluation.Auc:0.0000}, PR-AUC {report.Evaluation.PrAuc:0.0000}, accuracy {RunReport.Percent(report.Evaluation.Accuracy, 2)}.{privacy} The exported ONNX graph scores the test rows within {report.LargestExportDifference:0e0} of the network.",
                null, digests: [.. variant.Outputs.Select(output => new ReportFact(output.Path, output.Digest.ToString())), .. report.LogIndex is { } index ? (ReportFact[])[new("log entry", $"{index}")] : []]);
        }

        foreach (var evasion in run.Evasion)
        {
            var worst = evasion.Result.Report.WorstCase[^1];
            yield return Step(evasion, $"Attack {evasion.Result.Variant}",
                $"At strength {worst.Strength:0.###}, {RunReport.Percent(worst.PositivesEvaded.Rate)} of the detected positives were evaded (95% interval {RunReport.Percent(worst.PositivesEvaded.Lower)} to {RunReport.Percent(worst.PositivesEvaded.Upper)}).",
                run.Features is null ? null : $"bulwark attack evasion --model {run.Folder}/models/{evasion.Result.Variant} --data {run.Folder}/data/test.parquet", digests: [new("log entry", $"{evasion.Result.LogIndex}")]);
        }

        if (run.Seal is { } seal)
        {
            yield return Step(seal, "Seal the model",
                $"{seal.Result.PlainBytes:N0} bytes became a package of {seal.Result.PackageBytes:N0}; it verifies without a secret, and each of {seal.Result.BitsFlipped} copies with one flipped bit was refused.",
                $"bulwark model seal {run.Folder}/models/{run.Pipeline.Seal} -o {run.Pipeline.Name}.bulwark -w {run.Workspace}",
                $"bulwark model verify {run.Folder}/registry/{run.Pipeline.Name}.bulwark --key {seal.Result.Signer}",
                [new("package", seal.Result.PackageDigest.ToString()), new("log entry", $"{seal.Result.LogIndex}")]);
        }

        if (run.Serving is { } serving)
        {
            yield return Step(serving, "Serve behind the gateway",
                $"Worker attested (simulated), key released and model opened in {RunReport.Milliseconds(serving.Result.SessionSeconds)}; {serving.Result.Requests} predictions timed; {serving.Result.Refusals.Count(trial => trial.Refused)} of {serving.Result.Refusals.Count} bad attempts refused.",
                $"bulwark serve {run.Folder}/registry/{run.Pipeline.Name}.bulwark --dev -w {run.Workspace}",
                ReceiptCommand(run), [.. serving.Result.Links.Select(link => new ReportFact(link.Name, link.Detail))]);
        }

        if (run.Plan is { } plan)
        {
            yield return Step(plan, "Plan under a budget",
                $"With {plan.Result.Budget:0.##} to spend: {string.Join(", ", plan.Result.Chosen)}; residual loss {plan.Result.Residual:0.###}{(plan.Result.Proven ? ", proved optimal" : "")}. The greedy rule leaves {plan.Result.GreedyResidual:0.###}.",
                $"bulwark plan --measures {run.Folder}/measures.json --budget {plan.Result.Budget:0.##}");
        }

        if (run.Deployment is { } deployment)
        {
            yield return Step(deployment, "Generate manifests", $"{deployment.Result.Files} hardened Kubernetes manifests, {deployment.Result.Findings} findings by our own checker.",
                null, $"bulwark deploy check {run.Folder}/deploy");
        }
    }

    /// <summary>Commands that check the whole, offline.</summary>
    internal static IEnumerable<ReportCheck> Checks(RunFindings run)
    {
        yield return new("The log is append-only and signed; every hash is derived again from the entries.", $"bulwark log verify -w {run.Workspace}");
        if (run.Seal is { } seal)
            yield return new("The package is whole and signed by the publisher; needs no secret.", $"bulwark model verify {run.Folder}/registry/{run.Pipeline.Name}.bulwark --key {seal.Result.Signer}");
        if (run.Serving is not null)
            yield return new("The prediction was signed by the attested worker and is in the log.", ReceiptCommand(run));
        if (run.Variants.Any(variant => variant.Result.Report.Privacy is not null))
            yield return new("What was spent of the privacy budget, by composing the events.", $"bulwark privacy ledger show -w {run.Workspace}");
        if (run.Seal is not null)
            yield return new("What there is to show for PCI DSS, the GDPR, the AI Act and the NIST AI RMF, and what is missing: exit code 1, for attestation is simulated.", $"bulwark report evidence {run.Folder}/registry/{run.Pipeline.Name}.bulwark -w {run.Workspace}");
    }

    private static string ReceiptCommand(RunFindings run) => $"bulwark verify {run.Folder}/receipt/receipt.json --key {run.Folder}/receipt/worker.key -w {run.Workspace}";

    private static ReportStep Step<T>(StepRecord<T> record, string name, string happened, string? command, string? verify = null, IReadOnlyList<ReportFact>? digests = null) => new()
    {
        Name = name,
        Happened = happened,
        Outcome = record.Reused ? ReportOutcome.Unchanged : ReportOutcome.Done,
        Duration = TimeSpan.FromSeconds(record.Seconds),
        Command = command,
        Verify = verify,
        Digests = digests ?? [],
    };
}
