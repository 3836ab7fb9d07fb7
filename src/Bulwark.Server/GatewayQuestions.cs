using Bulwark.Policy;

namespace Bulwark.Server;

/// <summary>Recorded requests as questions to a policy, worded exactly as the gateway words them.</summary>
public static class GatewayQuestions
{
    /// <summary>The question of one line of a trail.</summary>
    /// <exception cref="ArgumentException">No policy was asked about the request: the line has no facts, subject or model.</exception>
    public static (AuthorizationRequest Request, EntityStore Entities) Of(AuditLine line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return line is { Facts: { } facts, Subject: { } subject, Model: { } model }
            ? GatewayPolicy.Question(subject, facts.ClientId ?? subject, line.Action, model, facts)
            : throw new ArgumentException("No policy was asked about this request.", nameof(line));
    }
}
