using Bulwark.Cryptography;
using Bulwark.Lineage;
using static Bulwark.Cli.Frames.DataChecks;

namespace Bulwark.Cli.Frames;

/// <summary>Whether the record itself can be relied on, and the keys behind it.</summary>
internal static class LogChecks
{
    private static readonly TimeSpan s_retention = TimeSpan.FromDays(365);   // PCI DSS 10.5.1: twelve months

    internal static IReadOnlyList<EvidenceCheck> All { get; } =
    [
        new("log-whole", "no entry of the log was changed, taken away or put in between", "bulwark log verify", Whole),
        new("log-witnessed", "others saw the log and would notice a rewritten one", "bulwark log cosign --help", Witnessed),
        new("log-retention", "the record reaches back twelve months", "bulwark log show 0", Retention),
        new("keys-strong", "keys of 256 bits, held where a program of this account alone cannot use them", "bulwark keys inventory", Strong),
        new("keys-in-period", "no key protects new things after its cryptoperiod", "bulwark keys inventory", InPeriod),
        new("key-use-logged", "each wrap, unwrap and signature is an entry", "bulwark log search --type key-use", UseLogged),
    ];

    private static EvidenceAnswer Whole(EvidenceScope scope) => EvidenceAnswer.Yes($"All {Counted(scope.LogSize, "entry", "entries")} give the root that the log's key signed.");

    private static EvidenceAnswer Witnessed(EvidenceScope scope) => scope.Witnessed switch
    {
        null => EvidenceAnswer.Missing("Nobody is asked to cosign the log: its owner could rewrite it."),
        { Verdict: LogVerdict.Verified } judged => EvidenceAnswer.Yes(judged.Detail),
        var judged => EvidenceAnswer.Against(judged.Detail),
    };

    private static EvidenceAnswer Retention(EvidenceScope scope)
    {
        var first = Oldest(scope.Reader);
        return first is not { } begin ? EvidenceAnswer.Missing("No entry bears a time.")
            : scope.Now - begin >= s_retention ? EvidenceAnswer.Yes($"The record begins {Day(begin)}.")
            : EvidenceAnswer.Partly($"The record begins {Day(begin)}; nothing is ever taken out of it.");
    }

    private static DateTimeOffset? Oldest(LineageReader reader)
    {
        DateTimeOffset?[] times =
        [
            reader.All<KeyUsed>().FirstOrDefault()?.Claim.Time, reader.All<TrainingProvenance>().FirstOrDefault()?.Claim.RunDetails.Metadata.StartedOn,
            reader.All<PrivacyBooked>().FirstOrDefault()?.Claim.Time, reader.All<PolicyChanged>().FirstOrDefault()?.Claim.Time, reader.All<ModelEvaluated>().FirstOrDefault()?.Claim.Time,
        ];
        return times.Min();
    }

    private static EvidenceAnswer Strong(EvidenceScope scope)
    {
        var keys = scope.Keys.Where(key => key.Info.State != KeyState.Destroyed).ToArray();
        var text = $"{Counted(keys.Count(key => key.Info.Kind == KeyKind.Symmetric), "AES-256 key")} and {Counted(keys.Count(key => key.Info.Kind != KeyKind.Symmetric), "signing key")} in the keyring";
        return scope.KeyRingIsOpen ? EvidenceAnswer.Partly(text + ", which a file beside it opens: no passphrase, no token.") : EvidenceAnswer.Yes(text + ", under a passphrase.");
    }

    private static EvidenceAnswer InPeriod(EvidenceScope scope)
    {
        var late = scope.Keys.Where(key => key.Standing is CryptoperiodStanding.UseIsOver or CryptoperiodStanding.OpeningIsOver).Select(key => key.Info.Id.ToString()).ToArray();
        return scope.Keys.Count == 0 ? EvidenceAnswer.Missing("There are no keys.")
            : late.Length > 0 ? EvidenceAnswer.Against($"Past their period: {string.Join(", ", late)}.")
            : EvidenceAnswer.Yes($"{Counted(scope.Keys.Count, "version")} of keys, none past its period.");
    }

    private static EvidenceAnswer UseLogged(EvidenceScope scope) => scope.Reader.Newest<KeyUsed>().FirstOrDefault() is { } last
        ? EvidenceAnswer.Yes($"{Counted(scope.Reader.Index.OfType(PredicateTypes.KeyUse).Count, "entry", "entries")}, last {Day(last.Claim.Time)}.", last.Index)
        : EvidenceAnswer.Missing("No use of a key is on the record.");
}
