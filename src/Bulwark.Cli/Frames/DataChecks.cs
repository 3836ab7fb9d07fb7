using System.Globalization;
using Bulwark.Lineage;

namespace Bulwark.Cli.Frames;

/// <summary>What is known of the data that a model learnt from.</summary>
internal static class DataChecks
{
    private const int Listed = 8;

    internal static IReadOnlyList<EvidenceCheck> All { get; } =
    [
        new("data-committed", "the training data are named by a root in the log", "bulwark lineage graph MODEL", Committed),
        new("data-protected", "personal columns of the sources are encrypted, replaced or dropped", "bulwark log search --type data-protection", Protected),
        new("data-minimised", "the model saw only chosen columns", "bulwark lineage graph MODEL", Minimised),
        new("access-logged", "whoever asked for protected values is in the log with a purpose", "bulwark log search --type data-access", Accesses),
        new("erasure", "one person's values can be made unreadable, with their backups", "bulwark log search --type erasure", Erasures),
        new("privacy-spent", "the model was trained with differential privacy", "bulwark lineage graph MODEL", Privacy),
        new("privacy-ledger", "what was spent of a budget was booked before it was spent", "bulwark log search --type privacy-booking", Ledger),
    ];

    private static EvidenceAnswer Committed(EvidenceScope scope)
    {
        if (scope.Data.Count == 0)
            return EvidenceAnswer.Missing("No training data are named for this model.");
        var entries = scope.Commitments.Select(found => found.Index).ToArray();
        var unknown = scope.Data.Count(root => !scope.Commitments.Any(found => found.Statement.Subjects.Any(subject => subject.Digest == root)) && !scope.Protections.Any(found => found.Claim.Commitment == root));
        return unknown == 0
            ? EvidenceAnswer.Yes($"{Counted(scope.Data.Count, "data set")}, each committed to.", entries)
            : EvidenceAnswer.Partly($"{unknown} of {Counted(scope.Data.Count, "data set")} that the model leads back to is named, and no entry made it.", entries);
    }

    private static EvidenceAnswer Protected(EvidenceScope scope)
    {
        FoundClaim<DataProtected>[] protections = [.. scope.Protections];
        if (protections.Length == 0)
            return EvidenceAnswer.Missing("None of the data that the model leads back to was protected by a policy.");
        var columns = protections.SelectMany(found => found.Claim.Columns).Where(column => column.Action != "keep").Select(column => $"{column.Name} ({column.Action})").Distinct().ToArray();
        long[] entries = [.. protections.Select(found => found.Index)];
        return columns.Length == 0
            ? EvidenceAnswer.Against("A policy was applied, and it keeps every column as it is.", entries)
            : EvidenceAnswer.Yes($"{Counted(columns.Length, "column")}: {string.Join(", ", columns.Take(Listed))}{(columns.Length > Listed ? ", …" : "")}.", entries);
    }

    private static EvidenceAnswer Minimised(EvidenceScope scope)
    {
        var run = scope.Commitments.Where(found => found.Claim is { Step: "train", Columns.Count: > 0 }).LastOrDefault();
        if (run is null)
            return EvidenceAnswer.Missing("The columns that the model learnt from are not named.");
        var personal = scope.Protections.SelectMany(found => found.Claim.Columns).Where(column => column.Action != "keep").Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
        var seen = run.Claim.Columns.Where(personal.Contains).ToArray();
        return seen.Length > 0
            ? EvidenceAnswer.Partly($"{Counted(run.Claim.Columns.Count, "column")}; of those that the policy protects the model saw {string.Join(", ", seen)}.", run.Index)
            : personal.Count > 0
                ? EvidenceAnswer.Yes($"{Counted(run.Claim.Columns.Count, "column")}, none of the {personal.Count} that the policy protects.", run.Index)
                : EvidenceAnswer.Partly($"{Counted(run.Claim.Columns.Count, "column")}; no policy says which are personal.", run.Index);
    }

    private static EvidenceAnswer Accesses(EvidenceScope scope)
    {
        FoundClaim<DataProtected>[] protections = [.. scope.Protections];
        if (protections.Length == 0)
            return EvidenceAnswer.Missing("Nothing was protected, so nobody had to ask.");
        var roots = protections.SelectMany(found => found.Statement.Subjects.Select(subject => subject.Digest)).ToHashSet();
        FoundClaim<DataAccessed>[] asked = [.. scope.Reader.All<DataAccessed>().Where(found => found.Statement.Subjects.Any(subject => roots.Contains(subject.Digest)))];
        var purposes = asked.Select(found => found.Claim.Purpose).Distinct().Take(Listed).ToArray();
        return asked.Length == 0
            ? EvidenceAnswer.Yes("Nobody asked for a protected value; each asking would be an entry.", [.. protections.Select(found => found.Index)])
            : EvidenceAnswer.Yes($"{Counted(asked.Length, "access", "accesses")}, last {Day(asked[^1].Claim.Time)}; purposes: {string.Join(", ", purposes)}.", [.. asked.TakeLast(Listed).Select(found => found.Index)]);
    }

    private static EvidenceAnswer Erasures(EvidenceScope scope)
    {
        FoundClaim<SubjectErased>[] erased = [.. scope.Reader.All<SubjectErased>().Where(found => found.Claim.Datasets.Any(scope.Data.Contains) || found.Claim.Models.Contains(scope.PackageDigest))];
        return erased.Length == 0
            ? EvidenceAnswer.Missing("Nobody's values among these data were erased; fields that a policy protects by subject can be (bulwark data shred).")
            : EvidenceAnswer.Yes($"{Counted(erased.Length, "person's key was", "persons' keys were")} destroyed; each entry lists the data sets and models that were reached.", [.. erased.TakeLast(Listed).Select(found => found.Index)]);
    }

    private static EvidenceAnswer Privacy(EvidenceScope scope)
    {
        var runs = scope.Runs.Where(found => found.Claim.RunDetails.Bulwark_privacy is not null).ToArray();
        if (runs.LastOrDefault() is not { } run)
            return EvidenceAnswer.Missing(scope.Runs.Count == 0 ? "No training run is known." : "The model was trained without differential privacy.");
        var spent = run.Claim.RunDetails.Bulwark_privacy!;
        var text = string.Create(CultureInfo.InvariantCulture, $"ε {spent.Epsilon:0.####}, δ {spent.Delta:0.##e0} ({spent.Adjacency}).");
        return spent.Epsilon <= 10 ? EvidenceAnswer.Yes(text, run.Index) : EvidenceAnswer.Partly($"{text} So large an ε promises little.", run.Index);
    }

    private static EvidenceAnswer Ledger(EvidenceScope scope)
    {
        var roots = scope.Data.Select(root => root.ToString()).ToHashSet(StringComparer.Ordinal);
        FoundClaim<PrivacyBooked>[] booked = [.. scope.Reader.All<PrivacyBooked>().Where(found => roots.Contains(found.Claim.Dataset))];
        var budget = booked.LastOrDefault(found => found.Claim.Kind == "budget");
        long[] entries = [.. booked.TakeLast(Listed).Select(found => found.Index)];
        return booked.Length == 0
            ? EvidenceAnswer.Missing("No line of a privacy ledger is about these data.")
            : budget is null ? EvidenceAnswer.Partly($"{Counted(booked.Length, "line")}, and no budget was set that would refuse one more run.", entries)
            : EvidenceAnswer.Yes($"{Counted(booked.Length, "line")}, under a budget set {Day(budget.Claim.Time)}.", entries);
    }

    internal static string Counted(long count, string one, string? many = null) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many ?? one + "s")}");

    internal static string Day(DateTimeOffset time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
