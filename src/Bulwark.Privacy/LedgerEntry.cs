using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Privacy;

/// <summary>What one line of the ledger says.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LedgerEntryKind>))]
public enum LedgerEntryKind
{
    /// <summary>Not an entry.</summary>
    [JsonStringEnumMemberName("none")]
    None = 0,

    /// <summary>A data set's budget was set.</summary>
    [JsonStringEnumMemberName("budget")]
    Budget,

    /// <summary>Privacy was spent, from this moment on.</summary>
    [JsonStringEnumMemberName("reserve")]
    Reserve,

    /// <summary>The work of a reservation was finished.</summary>
    [JsonStringEnumMemberName("commit")]
    Commit,

    /// <summary>A reservation was given back before anything was drawn.</summary>
    [JsonStringEnumMemberName("release")]
    Release,
}

/// <summary>One line of the ledger.</summary>
public sealed record LedgerEntry
{
    /// <summary>SHA-256 of the line before, in hexadecimal; 64 zeros on the first.</summary>
    public string Previous { get; init; } = "";

    /// <summary>What it says.</summary>
    public required LedgerEntryKind Kind { get; init; }

    /// <summary>The data set it is about.</summary>
    public required string Dataset { get; init; }

    /// <summary>When it was written, by the writer's clock; evidence, not used in any decision.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The budget, on a budget entry.</summary>
    public PrivacyBudget? Budget { get; init; }

    /// <summary>Whose privacy the budget speaks of; null for one record, added or removed.</summary>
    public PrivacyUnit? Unit { get; init; }

    /// <summary>The group of subjects that the budget is for; null for the whole data set.</summary>
    public string? Group { get; init; }

    /// <summary>The groups whose rows a reservation reads; null for all of them.</summary>
    public IReadOnlyList<string>? Groups { get; init; }

    /// <summary>The reservation's id.</summary>
    public string? Reservation { get; init; }

    /// <summary>What was booked, on a reservation.</summary>
    public PrivacyEvent? Event { get; init; }

    /// <summary>What it was for, in words.</summary>
    public string? Purpose { get; init; }

    internal static readonly JsonSerializerOptions Options = new(PrivacyEventJson.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
}
