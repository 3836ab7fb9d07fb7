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
        if (Newest(new LineageReader(log, LineageIndex.Open(log, workspace.IndexPath), LogCommand.SigningKeys(keys))) is not var (index, head))
            return;
        if (!File.Exists(workspace.LedgerPath))
            throw Refusal(workspace, index, "is gone");
        using var ledger = PrivacyLedger.Open(workspace.LedgerPath);
        if (!Knows(ledger, head))
            throw Refusal(workspace, index, "does not hold what it held then: it was cut, set back or replaced");
    }

    /// <summary>True when the ledger's head is or was this one.</summary>
    internal static bool Knows(PrivacyLedger ledger, string head) => ledger.Head == head || ledger.Entries.Any(entry => entry.Previous == head);

    /// <summary>The newest head that a training run left in the log, and where.</summary>
    internal static (long Index, string Head)? Newest(LineageReader reader)
    {
        foreach (var place in reader.Index.OfType(TrainingProvenance.Type).Reverse())
        {
            if (reader.Read(place) is { } statement && Predicates.TryRead<TrainingProvenance>(statement) is { RunDetails.Bulwark_privacy.LedgerHead: { } head })
                return (place, head);
        }

        return null;
    }

    private static CommandException Refusal(Workspace workspace, long index, string what) => new(
        $"The log's entry {index} knows the privacy ledger, and {workspace.LedgerPath} {what}. Nothing was trained.",
        "bring the ledger back from where it was moved; without it nobody knows what was spent");
}
