using System.Text;
using Bulwark.Cryptography;
using Bulwark.Policy;

namespace Bulwark.Server;

/// <summary>What a request adds to what is known of its client.</summary>
internal readonly record struct RequestFacts(string? Version, string? Purpose, string? DataClass, string Attestation, ClientStanding Standing);

/// <summary>The policies that a gateway decides by, and the words in which it asks. Default deny. Immutable and thread-safe.</summary>
internal sealed class GatewayPolicy(string text)
{
    private readonly PolicySet _policies = PolicySet.Parse(text);

    /// <summary>Digest of the policies' text.</summary>
    internal Digest Version { get; } = Digest.Of(Encoding.UTF8.GetBytes(text));

    /// <summary>Asks the policies. Question and answer are kept on their connection: most requests of a second ask the same of the same policies, and an answer follows from nothing else.</summary>
    internal AuthorizationAnswer Decide(ClientConnection connection, AccessToken token, GatewayDecision decision, string model, RequestFacts facts)
    {
        var kept = connection.Policy;
        if (kept is null || !ReferenceEquals(kept.Policies, _policies) || !ReferenceEquals(kept.Token, token) || kept.Model != model || kept.Action != decision.Action || !IsSame(kept.Facts, facts, decision.Time))
            connection.Policy = kept = Ask(connection, token, decision, model, facts);
        decision.Facts = kept.Facts;
        return kept.Answer;
    }

    /// <summary>A question as the policies get it; also for replaying a recorded one.</summary>
    internal static (AuthorizationRequest Request, EntityStore Entities) Question(string subject, string clientId, string action, string model, PolicyFacts facts)
    {
        var principal = new EntityUid("Client", subject);
        var resource = new EntityUid("Model", model);
        var scopes = new CedarSet(facts.Scopes.Select(scope => (CedarValue)scope));
        var client = new Entity(principal, CedarRecord.Of(("scopes", scopes), ("client", clientId)));
        return (new(principal, new EntityUid("Action", action), resource, facts.ToContext()), new EntityStore(client, new Entity(resource)));
    }

    private ClientConnection.PolicyMemory Ask(ClientConnection connection, AccessToken token, GatewayDecision decision, string model, RequestFacts facts)
    {
        var all = new PolicyFacts
        {
            Scopes = token.Scopes,
            ClientId = token.ClientId == token.Subject ? null : token.ClientId,
            Time = Seconds(decision.Time),
            Version = facts.Version ?? "",
            Purpose = facts.Purpose,
            DataClass = facts.DataClass,
            Zone = connection.Zone,
            Attestation = facts.Attestation,
            SpiffeId = connection.SpiffeId,
            Binding = token.Binding,
            BudgetLeft = facts.Standing.BudgetLeft,
            Suspicion = facts.Standing.Suspicion,
        };
        var (request, entities) = Question(token.Subject, token.ClientId ?? token.Subject, decision.Action, model, all);
        return new(_policies, token, all, model, decision.Action, _policies.Authorize(request, entities));
    }

    private static bool IsSame(PolicyFacts known, RequestFacts now, DateTimeOffset time) =>
        known.Time == Seconds(time) && known.Version == (now.Version ?? "") && known.Purpose == now.Purpose && known.DataClass == now.DataClass
        && known.Attestation == now.Attestation && known.BudgetLeft == now.Standing.BudgetLeft && known.Suspicion == now.Standing.Suspicion;

    private static DateTimeOffset Seconds(DateTimeOffset time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}

/// <summary>The policies in force, exchanged whole.</summary>
internal sealed class PolicyHolder(GatewayPolicy first)
{
    private volatile GatewayPolicy _current = first;

    internal GatewayPolicy Current
    {
        get => _current;
        set => _current = value;
    }
}
