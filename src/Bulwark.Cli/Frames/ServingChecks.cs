using System.Globalization;
using System.Text;
using Bulwark.Lineage;
using static Bulwark.Cli.Frames.DataChecks;

namespace Bulwark.Cli.Frames;

/// <summary>Who got the model's key, and how requests to it are judged.</summary>
internal static class ServingChecks
{
    private const int Newest = 20_000;   // entries read back: of a busy gateway the last hours, of a log of a million no more than seconds

    private static readonly byte[] s_group = Encoding.UTF8.GetBytes(PredicateTypes.AccessBatch);

    internal static IReadOnlyList<EvidenceCheck> All { get; } =
    [
        new("key-released-to-attested", "only a worker that hardware vouches for got the model's key", "bulwark log search --type key-release", Releases),
        new("policy-in-force", "who may ask is written down, and the text is in the log", "bulwark log search --type policy-change", Policy),
        new("requests-judged", "each request to the model is on the record with its outcome and rule", "bulwark log search --type access-batch", Requests),
    ];

    private static EvidenceAnswer Releases(EvidenceScope scope)
    {
        FoundClaim<KeyReleased>[] all = [.. scope.Reader.Find<KeyReleased>(scope.PackageDigest).Where(found => found.Claim.Model == scope.PackageDigest)];
        FoundClaim<KeyReleased>[] released = [.. all.Where(found => found.Claim.Verdict == "released")];
        if (released.Length == 0)
            return EvidenceAnswer.Missing(all.Length == 0 ? "No worker asked for the key." : $"{Counted(all.Length, "release")} refused, none granted.");
        var kinds = string.Join(", ", released.Select(found => found.Claim.Kind).Distinct());
        return released.LastOrDefault(found => found.Claim.Insecure) is { } insecure
            ? EvidenceAnswer.Against($"The key was released on evidence that no hardware vouches for ({kinds}), last {Day(insecure.Claim.Time)}.", insecure.Index)
            : EvidenceAnswer.Yes($"{Counted(released.Length, "release")} on {kinds} evidence, {all.Length - released.Length} refused.", released[^1].Index);
    }

    private static EvidenceAnswer Policy(EvidenceScope scope) => scope.Reader.Newest<PolicyChanged>().FirstOrDefault(found => found.Claim.Kind == PolicyChanged.AccessPolicy) is { } policy
        ? EvidenceAnswer.Yes($"Access policy {policy.Statement.Subjects[0].Digest.ToString()[..19]}… in force since {Day(policy.Claim.Time)}.", policy.Index)
        : EvidenceAnswer.Missing("No access policy came into force on the record.");

    private static EvidenceAnswer Requests(EvidenceScope scope)
    {
        var groups = Judged(scope).ToArray();
        var decisions = groups.SelectMany(group => group.Claim.Decisions).ToArray();
        if (decisions.Length == 0)
            return EvidenceAnswer.Missing(scope.Reader.Log.Size > Newest ? $"No request to this model is among the newest {Counted(Newest, "entry", "entries")}." : "No request to this model is on the record.");
        var outcomes = decisions.GroupBy(one => one.Outcome).OrderByDescending(group => group.Count()).Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Key} {group.Count():N0}"));
        var unruled = decisions.Count(one => one is { Outcome: "scored", Policies.Count: 0 });
        var text = $"{(scope.Reader.Log.Size > Newest ? $"Among the newest {Counted(Newest, "entry", "entries")} " : "")}{Counted(decisions.Length, "decision")}: {string.Join(", ", outcomes)}; last {Day(decisions.Max(one => one.Time))}.";
        return unruled == 0 ? EvidenceAnswer.Yes(text, groups[0].Index) : EvidenceAnswer.Against($"{text} {unruled} scored by no rule.", groups[0].Index);
    }

    /// <summary>Groups of decisions on this model, newest first: an index holds none, so that they are read off the log.</summary>
    private static IEnumerable<FoundClaim<RequestsJudged>> Judged(EvidenceScope scope)
    {
        foreach (var (index, entry) in scope.Reader.Log.ReadBackwards().Take(Newest))
        {
            if (Dsse.Peek(entry) is (Statement.PayloadType, var payload) && payload.AsSpan().IndexOf(s_group) >= 0
                && scope.Reader.Read(index) is { } statement && Predicates.TryRead<RequestsJudged>(statement) is { } claim && statement.Subjects.Any(subject => subject.Digest == scope.PackageDigest))
                yield return new(index, statement, claim);
        }
    }
}
