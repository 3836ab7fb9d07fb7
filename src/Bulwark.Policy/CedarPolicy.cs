using Bulwark.Policy.Evaluation;

namespace Bulwark.Policy;

/// <summary>What a policy does when it applies.</summary>
public enum Effect
{
    /// <summary>Denies, whatever else permits.</summary>
    Forbid = 0,

    /// <summary>Permits, unless another forbids.</summary>
    Permit,
}

/// <summary>One policy of a set, or a template whose slots are not yet linked.</summary>
public sealed class CedarPolicy
{
    internal CedarPolicy(string id, Effect effect, PolicyScope scope, Expression condition, IReadOnlyDictionary<string, string> annotations, string text, int line)
    {
        Id = id;
        Effect = effect;
        Scope = scope;
        Condition = condition;
        Annotations = annotations;
        Text = text;
        Line = line;
        Rule = scope.And(condition);
        Reason = [id];
    }

    /// <summary><c>policy0</c>, <c>policy1</c>, … by place in the text.</summary>
    public string Id { get; }

    /// <summary>Permit or forbid.</summary>
    public Effect Effect { get; }

    /// <summary>The annotations, such as <c>@id("…")</c>; one without a value is empty.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; }

    /// <summary>The policy's own source text.</summary>
    public string Text { get; }

    /// <summary>The line of the source where the policy begins, from 1.</summary>
    public int Line { get; }

    /// <summary>True when the scope holds <c>?principal</c> or <c>?resource</c>; a template decides nothing until linked.</summary>
    public bool IsTemplate => Scope.Principal.Entity is Slot || Scope.Resource.Entity is Slot;

    internal PolicyScope Scope { get; }

    internal Expression Condition { get; }

    /// <summary>Scope and condition as one expression.</summary>
    internal Expression Rule { get; }

    /// <summary>Its id as the only reason of an answer.</summary>
    internal IReadOnlyList<string> Reason { get; }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
