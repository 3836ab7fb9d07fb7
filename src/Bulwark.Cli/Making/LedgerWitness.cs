using System.Security.Cryptography;
using Bulwark.Lineage;
using Bulwark.Privacy;

namespace Bulwark.Cli.Making;

/// <summary>What the transparency log knows of the privacy ledger, so that one that was removed, cut or set back is noticed before more is spent.</summary>
internal static class LedgerWitness
{
    /// <summary>True when one of the lines is the one that the log knows.</summary>
    internal static bool Holds(IReadOnlyList<byte[]> lines, WitnessedHead known) => known.Line is { } place
        ? place < lines.Count && Hash(lines[(int)place]) == known.Head
        : lines.Any(line => Hash(line) == known.Head);

    /// <summary>True when the ledger's head is or was this one.</summary>
    internal static bool Knows(PrivacyLedger ledger, string head) => ledger.Head == head || ledger.Entries.Any(entry => entry.Previous == head);

    /// <summary>The newest head that a booking or a training run left in the log.</summary>
    internal static WitnessedHead? Newest(LineageReader reader)
    {
        var booking = NewestBooking(reader) is var (index, line) ? new WitnessedHead(index, Subject(reader, index), line) : null;
        foreach (var place in reader.Index.OfType(TrainingProvenance.Type).Reverse().TakeWhile(place => place > (booking?.Index ?? -1)))
        {
            if (reader.Read(place) is { } statement && Predicates.TryRead<TrainingProvenance>(statement) is { RunDetails.Bulwark_privacy.LedgerHead: { } head })
                return new WitnessedHead(place, head, null);
        }

        return booking;
    }

    /// <summary>The furthest line of the ledger that is an entry of the log, and which entry.</summary>
    internal static (long Index, long Line)? NewestBooking(LineageReader reader)
    {
        // Writers on one ledger may log at the same moment, in either order: the newest few entries decide, not the last alone.
        (long Index, long Line)? newest = null;
        var looked = 0;
        foreach (var place in reader.Index.OfType(PrivacyBooked.Type).Reverse())
        {
            if (reader.Read(place) is not { } statement || Predicates.TryRead<PrivacyBooked>(statement) is not { } booked)
                continue;
            if (newest is null || booked.Line > newest.Value.Line)
                newest = (place, booked.Line);
            if (++looked == 16)
                break;
        }

        return newest;
    }

    internal static CommandException Refusal(string ledger, long index, bool empty) => new(
        $"The log's entry {index} knows the privacy ledger, and {ledger} {(empty ? "is gone: it holds nothing" : "does not hold what it held then: it was cut, set back or replaced, or is another")}. Nothing was spent.",
        "bring the ledger back from where it was moved; without it nobody knows what was spent");

    private static string Subject(LineageReader reader, long index) => reader.Read(index)!.Subjects[0].Digest.ToHex();

    private static string Hash(byte[] line) => Convert.ToHexStringLower(SHA256.HashData(line));
}

/// <summary>A head of the ledger that the log knows.</summary>
/// <param name="Index">The log's entry.</param>
/// <param name="Head">SHA-256 of the line, in hexadecimal.</param>
/// <param name="Line">The line's place, from 0; null when the entry does not say.</param>
internal sealed record WitnessedHead(long Index, string Head, long? Line);
