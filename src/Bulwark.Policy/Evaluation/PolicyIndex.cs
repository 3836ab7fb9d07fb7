namespace Bulwark.Policy.Evaluation;

/// <summary>Which policies a request can concern at all: those whose head names the principal, the resource, the action, a group above one of them, or nobody.</summary>
/// <remarks>
/// Exact: a head's <c>==</c> and <c>in</c> cannot err, and a head that does not hold makes its policy false before the condition is looked at.
/// A policy is filed under one constraint only, so none is visited twice.
/// </remarks>
internal sealed class PolicyIndex
{
    private readonly List<(int Order, CedarPolicy Policy)> _always = [];
    private readonly Drawer _principals = new(), _resources = new(), _actions = new();

    internal PolicyIndex(IEnumerable<CedarPolicy> policies)
    {
        var order = 0;
        foreach (var policy in policies)
        {
            var place = (order++, policy);
            if (!_principals.TryFile(policy.Scope.Principal, place) && !_resources.TryFile(policy.Scope.Resource, place) && !_actions.TryFile(policy.Scope.Action, place))
                _always.Add(place);
        }
    }

    internal void Visit(AuthorizationRequest request, EntityStore entities, ref PolicyTally tally)
    {
        Test(_always, ref tally);
        _principals.Visit(request.Principal, entities, ref tally);
        _resources.Visit(request.Resource, entities, ref tally);
        _actions.Visit(request.Action, entities, ref tally);
    }

    private static void Test(List<(int Order, CedarPolicy Policy)> places, ref PolicyTally tally)
    {
        foreach (var (order, policy) in places)
            tally.Test(order, policy);
    }

    /// <summary>Policies by the entity that their head demands of one variable.</summary>
    private sealed class Drawer
    {
        private readonly Dictionary<EntityUid, List<(int, CedarPolicy)>> _equal = [], _within = [];

        internal bool TryFile(ScopeConstraint constraint, (int, CedarPolicy) place)
        {
            if (constraint.Entity is not Literal { Value: EntityUid entity })
                return false;
            var into = constraint.IsEquality ? _equal : _within;
            if (!into.TryGetValue(entity, out var list))
                into.Add(entity, list = []);
            list.Add(place);
            return true;
        }

        internal void Visit(EntityUid entity, EntityStore entities, ref PolicyTally tally)
        {
            if (_equal.TryGetValue(entity, out var equal))
                Test(equal, ref tally);
            if (_within.Count == 0)
                return;
            if (_within.TryGetValue(entity, out var within))
                Test(within, ref tally);
            foreach (var group in entities.AncestorsOf(entity))
                if (_within.TryGetValue(group, out var above))
                    Test(above, ref tally);
        }
    }
}

/// <summary>What the policies said so far, put into the order of the text at the end.</summary>
internal struct PolicyTally(Evaluation evaluation)
{
    private static readonly IReadOnlyList<PolicyError> NoErrors = [];
    private static readonly IReadOnlyList<string> NoReasons = [];
    private List<(int Order, CedarPolicy Policy)>? _permits, _forbids;
    private List<(int Order, PolicyError Error)>? _errors;

    internal void Test(int order, CedarPolicy policy)
    {
        var applies = policy.Rule.Test(evaluation);
        if (applies is null)
            (_errors ??= []).Add((order, new(policy.Id, evaluation.Error ?? "unknown error")));
        else if (applies.Value && policy.Effect == Effect.Permit)
            (_permits ??= []).Add((order, policy));
        else if (applies.Value)
            (_forbids ??= []).Add((order, policy));
    }

    internal readonly AuthorizationAnswer Answer()
    {
        var allowed = _permits is not null && _forbids is null;
        return new(
            allowed ? Decision.Allow : Decision.Deny,
            (allowed ? _permits : _forbids) switch { null => NoReasons, [var only] => only.Policy.Reason, var all => [.. all.OrderBy(one => one.Order).Select(one => one.Policy.Id)] },
            _errors is null ? NoErrors : [.. _errors.OrderBy(one => one.Order).Select(one => one.Error)]);
    }
}
