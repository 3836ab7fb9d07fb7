using System.Text.Json;
using Bulwark.Policy;

namespace Bulwark.Server;

/// <summary>What the access policies are told of one request: Cedar's <c>context</c>.</summary>
/// <remarks>
/// <c>purpose</c> and <c>dataClass</c> are what the client states in the headers <c>Bulwark-Purpose</c> and <c>Bulwark-Data-Class</c>; the rest is what the gateway knows.
/// A policy that needs one which may be absent asks <c>context has purpose</c> first.
/// </remarks>
public sealed record PolicyFacts
{
    /// <summary>The token's scopes.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>The token's client id; null when it is the subject. An attribute of the principal, not of the context.</summary>
    public string? ClientId { get; init; }

    /// <summary>When, whole seconds, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The version asked for; empty when the client left it open.</summary>
    public string Version { get; init; } = "";

    /// <summary>The purpose that the client states; null without.</summary>
    public string? Purpose { get; init; }

    /// <summary>The class of data that the client states; null without.</summary>
    public string? DataClass { get; init; }

    /// <summary>The zone of the network that the connection comes from; <c>unknown</c> when none was configured for it.</summary>
    public string Zone { get; init; } = "unknown";

    /// <summary>How the worker is vouched for: <c>hardware</c>, <c>simulated</c>, or <c>none</c> for an upstream server.</summary>
    public string Attestation { get; init; } = "none";

    /// <summary>The certificate's SPIFFE id; null without.</summary>
    public string? SpiffeId { get; init; }

    /// <summary>How the token is bound: <c>certificate</c>, <c>key</c> (DPoP) or both, <c>certificate+key</c>.</summary>
    public string Binding { get; init; } = "certificate";

    /// <summary>Queries that the client's budget has left; null without a budget.</summary>
    public long? BudgetLeft { get; init; }

    /// <summary>How suspicious the client's queries are, in thousandths, 0 to 1000.</summary>
    public int Suspicion { get; init; }

    /// <summary>The facts as Cedar's context.</summary>
    public CedarRecord ToContext()
    {
        List<(string, CedarValue)> members =
        [
            ("scopes", new CedarSet(Scopes.Select(scope => (CedarValue)scope))),
            ("time", new CedarDatetime(Time.ToUnixTimeMilliseconds())),
            ("hour", (long)Time.UtcDateTime.Hour),
            ("weekday", (long)Time.UtcDateTime.DayOfWeek),
            ("version", Version),
            ("zone", Zone),
            ("attestation", Attestation),
            ("insecure", Attestation != "hardware"),
            ("binding", Binding),
            ("suspicion", (long)Suspicion),
        ];
        if (Purpose is not null)
            members.Add(("purpose", Purpose));
        if (DataClass is not null)
            members.Add(("dataClass", DataClass));
        if (SpiffeId is not null)
            members.Add(("spiffeId", SpiffeId));
        if (BudgetLeft is { } left)
            members.Add(("budgetLeft", left));
        return CedarRecord.Of(members);
    }

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("facts"u8);
        json.WriteStartArray("scopes"u8);
        foreach (var scope in Scopes)
            json.WriteStringValue(scope);
        json.WriteEndArray();
        if (ClientId is not null)
            json.WriteString("clientId"u8, ClientId);
        json.WriteString("time"u8, Time);
        json.WriteString("version"u8, Version);
        if (Purpose is not null)
            json.WriteString("purpose"u8, Purpose);
        if (DataClass is not null)
            json.WriteString("dataClass"u8, DataClass);
        json.WriteString("zone"u8, Zone);
        json.WriteString("attestation"u8, Attestation);
        if (SpiffeId is not null)
            json.WriteString("spiffeId"u8, SpiffeId);
        json.WriteString("binding"u8, Binding);
        if (BudgetLeft is { } left)
            json.WriteNumber("budgetLeft"u8, left);
        json.WriteNumber("suspicion"u8, Suspicion);
        json.WriteEndObject();
    }
}
