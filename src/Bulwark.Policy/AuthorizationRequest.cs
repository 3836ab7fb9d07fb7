namespace Bulwark.Policy;

/// <summary>The question: may this principal do this action on this resource, in this context?</summary>
/// <param name="Principal">Who asks.</param>
/// <param name="Action">What they would do, such as <c>Action::"predict"</c>.</param>
/// <param name="Resource">On what.</param>
/// <param name="Context">What else is known of the request.</param>
public sealed record AuthorizationRequest(EntityUid Principal, EntityUid Action, EntityUid Resource, CedarRecord Context);

/// <summary>Yes or no.</summary>
public enum Decision
{
    /// <summary>No: no policy permits it, or one forbids it.</summary>
    Deny = 0,

    /// <summary>Yes: a policy permits it and none forbids it.</summary>
    Allow,
}

/// <summary>A policy that could not be evaluated; it counted for nothing.</summary>
/// <param name="PolicyId">The policy's id.</param>
/// <param name="Message">What went wrong.</param>
public sealed record PolicyError(string PolicyId, string Message);

/// <summary>The answer, with its reasons.</summary>
/// <param name="Decision">Yes or no.</param>
/// <param name="Reasons">The ids of the policies that decided: the permits of an Allow, the forbids of a Deny; none when the default denied.</param>
/// <param name="Errors">The policies that could not be evaluated.</param>
public sealed record AuthorizationAnswer(Decision Decision, IReadOnlyList<string> Reasons, IReadOnlyList<PolicyError> Errors);
