using Bulwark.Policy.Evaluation;
using Bulwark.Policy.Syntax;

namespace Bulwark.Policy;

/// <summary>A set of Cedar policies, parsed once. Immutable and thread-safe.</summary>
/// <remarks>
/// Source: the Cedar language reference, "Authorization": default deny, forbid wins over permit, a policy that errors counts for nothing.
/// </remarks>
public sealed class PolicySet
{
    private readonly PolicyIndex _index;

    private PolicySet(string text, IReadOnlyList<CedarPolicy> policies)
    {
        Text = text;
        Policies = policies;
        _index = new(policies.Where(policy => !policy.IsTemplate));
    }

    /// <summary>The source text, as given; its digest names the policy version.</summary>
    public string Text { get; }

    /// <summary>The policies and templates, in the order of the text; linked ones last.</summary>
    public IReadOnlyList<CedarPolicy> Policies { get; }

    /// <summary>Reads policies in Cedar's syntax.</summary>
    /// <param name="text">The policies; ids are <c>policy0</c>, <c>policy1</c>, … by place.</param>
    /// <exception cref="PolicySyntaxException">The text does not parse; the exception says where.</exception>
    public static PolicySet Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new(text, PolicyParser.Parse(text));
    }

    /// <summary>Every policy of a text that does not parse, so that one edit mends them all; empty when the text is sound.</summary>
    public static IReadOnlyList<PolicySyntaxException> Faults(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return PolicyParser.Faults(text);
    }

    /// <summary>A set that has one more policy: a template of this one with its slots filled.</summary>
    /// <param name="templateId">The id of the template.</param>
    /// <param name="id">The new policy's id; not yet taken.</param>
    /// <param name="principal">What stands for <c>?principal</c>; null when the template has no such slot.</param>
    /// <param name="resource">What stands for <c>?resource</c>; null when the template has no such slot.</param>
    /// <exception cref="ArgumentException">There is no such template, the id is taken, or the slots do not fit.</exception>
    public PolicySet Link(string templateId, string id, EntityUid? principal = null, EntityUid? resource = null)
    {
        var template = Policies.FirstOrDefault(policy => policy.Id == templateId && policy.IsTemplate)
            ?? throw new ArgumentException($"There is no template {templateId}.", nameof(templateId));
        if (Policies.Any(policy => policy.Id == id))
            throw new ArgumentException($"The id {id} is taken.", nameof(id));
        var scope = template.Scope with
        {
            Principal = Fill(template.Scope.Principal, principal, nameof(principal)),
            Resource = Fill(template.Scope.Resource, resource, nameof(resource)),
        };
        var linked = new CedarPolicy(id, template.Effect, scope, template.Condition, template.Annotations, template.Text, template.Line);
        return new(Text, [.. Policies, linked]);
    }

    /// <summary>Decides one request. Never throws for what a request holds.</summary>
    /// <param name="request">The question.</param>
    /// <param name="entities">What is known of the entities.</param>
    public AuthorizationAnswer Authorize(AuthorizationRequest request, EntityStore entities)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(entities);
        var tally = new PolicyTally(new(request, entities));
        _index.Visit(request, entities, ref tally);
        return tally.Answer();
    }

    private static ScopeConstraint Fill(ScopeConstraint constraint, EntityUid? entity, string slot) =>
        constraint.Entity is Slot == entity is not null
            ? entity is null ? constraint : constraint.Link(entity)
            : throw new ArgumentException(entity is null ? $"The template's slot ?{slot} needs an entity." : $"The template has no slot ?{slot}.", slot);
}
