using Bulwark.Policy.Evaluation;

namespace Bulwark.Policy.Schema;

/// <summary>Whether policies fit a schema: every name is known, every scope can apply, every condition has a type.</summary>
internal sealed class PolicyValidator(CedarSchema schema)
{
    internal IEnumerable<string> Faults(CedarPolicy policy)
    {
        foreach (var name in TypeNames(policy.Rule).Distinct())
            if (!CedarSchema.IsActionType(name) && schema.EntityType(name) is null)
                yield return $"the schema has no entity type {name}";
        foreach (var uid in Uids(policy.Rule).Distinct())
            if (CedarSchema.IsActionType(uid.Type) ? schema.Action(uid) is null : schema.EntityType(uid.Type) is { Ids: { } ids } && !ids.Contains(uid.Id))
                yield return $"the schema has no {uid}";
        if (!CanApply(policy.Scope))
            yield return "no action of the schema applies to such a principal and resource";
        foreach (var fault in TypeFaults(policy).Distinct())
            yield return fault;
    }

    private IEnumerable<string> TypeFaults(CedarPolicy policy)
    {
        foreach (var action in schema.AllActions)
            foreach (var principal in action.Principals)
                foreach (var resource in action.Resources)
                    if (TypeFault(policy, new(schema, action, principal, resource)) is { } fault)
                        yield return $"{fault} (for {action.Uid} by {principal} on {resource})";
    }

    private static string? TypeFault(CedarPolicy policy, TypeChecker checker)
    {
        try
        {
            checker.Check(policy.Rule);
            return null;
        }
        catch (TypeFaultException fault)
        {
            return fault.Message;
        }
    }

    private bool CanApply(PolicyScope scope)
    {
        var principals = TypesFor(scope.Principal).ToHashSet(StringComparer.Ordinal);
        var resources = TypesFor(scope.Resource).ToHashSet(StringComparer.Ordinal);
        return schema.AllActions.Where(action => Concerns(scope.Action, action.Uid))
            .Any(action => action.Principals.Overlaps(principals) && action.Resources.Overlaps(resources));
    }

    private bool Concerns(ScopeConstraint constraint, EntityUid action) => constraint.Entity switch
    {
        null => true,
        Literal { Value: EntityUid only } => constraint.IsEquality ? only.Equals(action) : schema.IsActionIn(action, only),
        SetLiteral set => set.Items.OfType<Literal>().Any(item => item.Value is EntityUid group && schema.IsActionIn(action, group)),
        _ => false,
    };

    private IEnumerable<string> TypesFor(ScopeConstraint constraint)
    {
        IEnumerable<string> types = constraint.Entity is Literal { Value: EntityUid uid }
            ? constraint.IsEquality ? [uid.Type] : schema.EntityTypes.Where(type => schema.MayBeIn(type, uid.Type))
            : schema.EntityTypes;
        return constraint.Type is null ? types : types.Where(type => type == constraint.Type);
    }

    private static IEnumerable<Expression> Nodes(Expression expression)
    {
        var open = new Stack<Expression>([expression]);
        while (open.TryPop(out var node))
        {
            yield return node;
            foreach (var child in node.Children)
                open.Push(child);
        }
    }

    private static IEnumerable<EntityUid> Uids(Expression rule) => Nodes(rule).OfType<Literal>().Select(literal => literal.Value).OfType<EntityUid>();

    private static IEnumerable<string> TypeNames(Expression rule) => Nodes(rule).OfType<Is>().Select(test => test.Type).Concat(Uids(rule).Select(uid => uid.Type));
}
