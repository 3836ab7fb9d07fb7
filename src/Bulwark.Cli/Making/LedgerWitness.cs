using Bulwark.Lineage;
using Bulwark.Privacy;

namespace Bulwark.Cli.Making;

/// <summary>Keeps the privacy ledger's head in the transparency log, so that a ledger that was removed or set back is noticed before more is spent.</summary>
internal static class LedgerWitness
{
    /// <summary>The head to put into a statement; null when there is no ledger yet.</summary>
    internal static string? Head(Workspace workspace)
    {
        if (!File.Exists(workspace.LedgerPath))
            return null;
        using var ledger = PrivacyLedger.Open(workspace.LedgerPath);
        return ledger.Head;
    }

    /// <summary>Refuses unless the ledger still holds the newest head that the log knows.</summary>
    /// <exception cref="CommandException">It does not: the ledger was removed, cut or replaced.</exception>
    internal static void Require(Workspace workspace)
    {
        using var keys = workspace.OpenKeys();
        var log = TransparencyLog.OpenAsync(workspace.LogDirectory, trustedKey: keys.PublicKey(Workspace.LogKey)).GetAwaiter().GetResult();
        if (Newest(log, [keys.PublicKey(Workspace.SigningKey)]) is not var (index, head))
            return;
        if (!File.Exists(workspace.LedgerPath))
            throw Refusal(workspace, index, "is gone");
        using var ledger = PrivacyLedger.Open(workspace.LedgerPath);
        if (ledger.Head != head && ledger.Entries.All(entry => entry.Previous != head))
            throw Refusal(workspace, index, "does not hold what it held then: it was cut, set back or replaced");
    }

    private static CommandException Refusal(Workspace workspace, long index, string what) => new(
        $"The log's entry {index} knows the privacy ledger, and {workspace.LedgerPath} {what}. Nothing was trained.",
        "bring the ledger back from where it was moved; without it nobody knows what was spent");

    private static (long Index, string Head)? Newest(TransparencyLog log, IReadOnlyCollection<Bulwark.Cryptography.VerificationKey> trusted)
    {
        for (var index = log.Size - 1; index >= 0; index--)
        {
            if (Dsse.Verify(log.ReadEntry(index), trusted) is { Verdict: DsseVerdict.Trusted, PayloadType: Statement.PayloadType } envelope
                && Predicates.TryRead<TrainingProvenance>(Statement.Parse(envelope.Payload)) is { RunDetails.Bulwark_privacy.LedgerHead: { } head })
                return (index, head);
        }

        return null;
    }
}
