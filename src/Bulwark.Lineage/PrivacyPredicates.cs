using System.Text.Json;

namespace Bulwark.Lineage;

/// <summary>A line of a privacy ledger. The subject is the line: its SHA-256 is the ledger's head from then on, and what the next line must follow.</summary>
public sealed record PrivacyBooked : IPredicate<PrivacyBooked>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.PrivacyBooking;

    /// <summary>The line's place in the ledger, from 0.</summary>
    public required long Line { get; init; }

    /// <summary>What it says: <c>budget</c>, <c>reserve</c>, <c>commit</c> or <c>release</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The data set that it is about.</summary>
    public required string Dataset { get; init; }

    /// <summary>The line as JSON; null when it is too long for an entry.</summary>
    public JsonElement? Booking { get; init; }

    /// <summary>When, UTC, by the writer's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Predicates.Empty(Kind, "kind"), Predicates.Empty(Dataset, "dataset"),
        Line < 0 ? "'line' is below 0." : null,
        Booking is { } booking ? Predicates.NotObject(booking, "booking") : null);
}
