namespace Bulwark.Policy.Evaluation;

/// <summary>What a policy's head says of one variable. Null members say nothing.</summary>
/// <param name="Variable">Which variable.</param>
/// <param name="Type">The type after <c>is</c>.</param>
/// <param name="IsEquality">The entity follows <c>==</c>; else <c>in</c>.</param>
/// <param name="Entity">A literal entity, a slot, or (action only) a set of entities.</param>
internal sealed record ScopeConstraint(VariableKind Variable, string? Type = null, bool IsEquality = false, Expression? Entity = null)
{
    internal Expression? ToExpression()
    {
        var variable = new Variable(Variable);
        Expression? type = Type is null ? null : new Is(variable, Type);
        Expression? entity = Entity is null ? null : IsEquality ? new Equality(variable, Entity) : new In(variable, Entity);
        return type is null ? entity : entity is null ? type : new And(type, entity);
    }

    internal ScopeConstraint Link(EntityUid entity) => this with { Entity = new Literal(entity) };
}

/// <summary>A policy's head.</summary>
internal sealed record PolicyScope(ScopeConstraint Principal, ScopeConstraint Action, ScopeConstraint Resource)
{
    internal Expression And(Expression condition)
    {
        var rule = condition;
        foreach (var constraint in new[] { Resource, Action, Principal })
            if (constraint.ToExpression() is { } head)
                rule = new And(head, rule);
        return rule;
    }
}
