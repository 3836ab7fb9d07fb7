using System.Globalization;
using System.Text.Json;
using Bulwark.Lineage;
using static Bulwark.Cli.Frames.DataChecks;

namespace Bulwark.Cli.Frames;

/// <summary>How a model was made, measured, attacked, sealed and let into service. All of it is bound to the model's digest: another model's attack says nothing.</summary>
internal static class ModelChecks
{
    internal static IReadOnlyList<EvidenceCheck> All { get; } =
    [
        new("provenance", "by which run, code and settings the model was made", "bulwark lineage graph MODEL", Provenance),
        new("bill-of-materials", "what the model is made of can be given to others", "bulwark lineage export MODEL --format cyclonedx", Materials),
        new("accuracy-declared", "how well the model does on rows that it did not learn from", "bulwark log search --type evaluation", Accuracy),
        Attack("evasion-tested", "inputs changed to be judged wrong", "bulwark attack evasion", "evasion", "suite", "images", "trees"),
        Attack("membership-tested", "whether a row can be told to be of the training data", "bulwark attack membership", "membership"),
        Attack("inversion-tested", "what of the training rows can be got back", "bulwark attack inversion", "inversion", "attribute"),
        Attack("extraction-tested", "copying the model by questions", "bulwark attack extraction", "extraction"),
        new("poisoning-tested", "whether planted training rows would be seen, or change it", "bulwark attack screen", Poisoning),
        new("sealed", "the model that serves is encrypted and signed", "bulwark verify MODEL", Sealed),
        new("promotion-gated", "the model came into service through gates", "bulwark log search --type promotion", Promotion),
    ];

    private static EvidenceAnswer Provenance(EvidenceScope scope)
    {
        if (scope.Runs is not [.., var run])
            return EvidenceAnswer.Missing("No training run in the log made this model: it was imported.");
        var code = run.Claim.BuildDefinition.ResolvedDependencies.FirstOrDefault(input => input.Name == TrainingProvenance.Code)?.Digest.GetValueOrDefault("gitCommit");
        return EvidenceAnswer.Yes($"Trained {Day(run.Claim.RunDetails.Metadata.FinishedOn)}{(code is { Length: >= 12 } ? $", code {code[..12]}" : "")}; the settings are in the entry.", run.Index);
    }

    private static EvidenceAnswer Materials(EvidenceScope scope) => scope.Runs is [.., var run]
        ? EvidenceAnswer.Yes($"{Counted(scope.Package.Claim.Files.Count, "file")} by digest, with training data and run, as a CycloneDX document.", scope.Package.Index, run.Index)
        : EvidenceAnswer.Partly($"{Counted(scope.Package.Claim.Files.Count, "file")} by digest; where the model came from is not known.", scope.Package.Index);

    private static EvidenceAnswer Accuracy(EvidenceScope scope)
    {
        if (scope.Evaluations is not [.., var measured])
            return EvidenceAnswer.Missing("The model was not measured on the record.");
        var figures = measured.Claim.Figures.Where(figure => figure.Key is "accuracy" or "auc" or "prAuc" or "recallAtFpr0.01").OrderBy(figure => figure.Key, StringComparer.Ordinal)
            .Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Key} {figure.Value:0.####}"));
        return EvidenceAnswer.Yes($"{(measured.Claim.Rows is { } rows ? Counted(rows, "row") + ": " : "")}{string.Join(", ", figures)}.", measured.Index);
    }

    private static EvidenceCheck Attack(string name, string asked, string command, params string[] kinds) => new(name, asked, command + " --help", scope =>
    {
        var last = scope.Attacks.Where(found => kinds.Contains(found.Claim.Attack)).GroupBy(found => found.Claim.Attack).Select(group => group.Last()).ToArray();
        if (last.Length == 0)
            return EvidenceAnswer.Missing($"No such attack on this model is in the log ({string.Join(", ", kinds)}).");
        var flags = last.SelectMany(found => Flags(found.Claim.Report)).Distinct().ToArray();
        var text = string.Join("; ", last.Select(found => $"{found.Claim.Attack} {Day(found.Claim.Time)}{Figures(found.Claim.Report)}"));
        long[] entries = [.. last.Select(found => found.Index)];
        return flags.Length == 0 ? EvidenceAnswer.Yes(text + ".", entries) : EvidenceAnswer.Partly($"{text}; red flags: {string.Join(", ", flags)}: these figures are not to be relied on.", entries);
    });

    private static EvidenceAnswer Poisoning(EvidenceScope scope)
    {
        FoundClaim<ModelAttacked>[] found = [.. scope.Data.Concat(scope.Models).SelectMany(scope.Reader.Find<ModelAttacked>).DistinctBy(one => one.Index)
            .Where(one => one.Claim.Attack is "poison" or "screen" && one.Statement.Subjects.Any(subject => scope.Data.Contains(subject.Digest) || scope.Models.Contains(subject.Digest)))
            .OrderBy(one => one.Index)];
        return found.Length == 0
            ? EvidenceAnswer.Missing("The training data were neither screened nor was poison tried on them, on the record.")
            : EvidenceAnswer.Yes($"{string.Join("; ", found.GroupBy(one => one.Claim.Attack).Select(group => $"{group.Key} {Day(group.Last().Claim.Time)}"))}.", [.. found.TakeLast(4).Select(one => one.Index)]);
    }

    private static EvidenceAnswer Sealed(EvidenceScope scope) => EvidenceAnswer.Yes(
        $"{scope.Package.Claim.Name} {scope.Package.Claim.Version}, {Counted(scope.Package.Claim.Files.Count, "file")}, signed by {scope.Package.Claim.Signer.ToString()[..20]}….", scope.Package.Index);

    private static EvidenceAnswer Promotion(EvidenceScope scope)
    {
        FoundClaim<ModelPromoted>[] all = [.. scope.Reader.Find<ModelPromoted>(scope.PackageDigest).Where(found => found.Statement.Subjects.Any(subject => subject.Digest == scope.PackageDigest))];
        if (all.LastOrDefault() is not { } last)
            return EvidenceAnswer.Missing("The model was never promoted to a stage.");
        var gates = string.Join(", ", last.Claim.Gates.Select(gate => gate.Passed ? gate.Name : $"{gate.Name} FAILED"));
        return last.Claim switch
        {
            { Promoted: false } => EvidenceAnswer.Against($"The last promotion was refused: {gates}.", last.Index),
            { Gates.Count: 0 } => EvidenceAnswer.Partly($"Promoted to {last.Claim.Stage} with no gate asked.", last.Index),
            _ => EvidenceAnswer.Yes($"Promoted to {last.Claim.Stage} {Day(last.Claim.Time)}: {gates}.", last.Index),
        };
    }

    private static IEnumerable<string> Flags(JsonElement report) =>
        (report.TryGetProperty("flags", out var flags) || (report.TryGetProperty("report", out var inner) && inner.ValueKind == JsonValueKind.Object && inner.TryGetProperty("flags", out flags))) && flags.ValueKind == JsonValueKind.Array
            ? flags.EnumerateArray().Select(flag => flag.ValueKind == JsonValueKind.String ? flag.GetString()! : flag.ValueKind == JsonValueKind.Object && flag.TryGetProperty("name", out var name) ? name.ToString() : "unnamed") : [];

    /// <summary>The figures that reports of attacks share; a report without them is named by its date alone.</summary>
    private static string Figures(JsonElement report)
    {
        var parts = new List<string>();
        if (report.TryGetProperty("worstCase", out var levels) && levels.ValueKind == JsonValueKind.Array && levels.GetArrayLength() > 0)
        {
            var strongest = levels[levels.GetArrayLength() - 1];
            if (Number(strongest, "strength") is { } strength && Number(strongest, "robustAccuracy") is { } robust)
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"robust accuracy {robust:0.0%} at strength {strength:0.###}"));
        }

        if (Number(report, "auc") is { } auc)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"AUC {auc:0.000}"));
        if (Number(report, "truePositiveRate") is { } found && Number(report, "falsePositiveRate") is { } wrong)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"TPR {found:0.0%} at {wrong:0.#%} FPR"));
        return parts.Count == 0 ? "" : $" ({string.Join(", ", parts)})";
    }

    private static double? Number(JsonElement report, string name) =>
        report.ValueKind == JsonValueKind.Object && report.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}
