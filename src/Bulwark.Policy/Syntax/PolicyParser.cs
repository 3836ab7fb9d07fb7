using Bulwark.Policy.Evaluation;

namespace Bulwark.Policy.Syntax;

/// <summary>Policies: annotations, effect, scope, conditions.</summary>
/// <remarks>Source: the Cedar language reference, "Grammar".</remarks>
internal sealed class PolicyParser
{
    private readonly TokenReader _reader;
    private readonly ExpressionParser _expressions;

    private PolicyParser(string source)
    {
        _reader = new(source);
        _expressions = new(_reader);
    }

    internal static IReadOnlyList<CedarPolicy> Parse(string source)
    {
        var parser = new PolicyParser(source);
        var policies = new List<CedarPolicy>();
        while (parser._reader.Current.Kind != TokenKind.End)
            policies.Add(parser.Policy($"policy{policies.Count}"));
        return policies;
    }

    /// <summary>After a fault, reading goes on behind the next semicolon.</summary>
    internal static IReadOnlyList<PolicySyntaxException> Faults(string source)
    {
        var faults = new List<PolicySyntaxException>();
        try
        {
            var parser = new PolicyParser(source);
            while (parser._reader.Current.Kind != TokenKind.End)
                parser.PolicyOrFault(faults);
        }
        catch (PolicySyntaxException fault)
        {
            faults.Add(fault);   // no tokens at all
        }

        return faults;
    }

    private void PolicyOrFault(List<PolicySyntaxException> faults)
    {
        try
        {
            Policy("");
        }
        catch (PolicySyntaxException fault)
        {
            faults.Add(fault);
            _reader.SkipBehind(";");
        }
    }

    private CedarPolicy Policy(string id)
    {
        var start = _reader.Current.Position;
        var annotations = Annotations();
        var effect = ReadEffect();
        _reader.Expect("(");
        var scope = Scope();
        var condition = Conditions();
        if (condition.Depth > Expression.MaximumDepth)
            throw _reader.Fault(start, $"the condition is a tree of more than {Expression.MaximumDepth} levels; split the policy.");
        var end = _reader.Current.Position + 1;
        _reader.Expect(";");
        return new(id, effect, scope, condition, annotations, _reader.Source[start..end], _reader.Fault(start, "").Line);
    }

    private Dictionary<string, string> Annotations()
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal);
        while (_reader.Accept("@"))
        {
            if (_reader.Current.Kind != TokenKind.Identifier)
                throw _reader.Fault($"expected an annotation's name, found {_reader.Current}.");
            var name = _reader.Next();
            var value = "";
            if (_reader.Accept("("))
            {
                value = _reader.Text("an annotation's value");
                _reader.Expect(")");
            }

            if (!annotations.TryAdd(name.Text, value))
                throw _reader.Fault(name.Position, $"the annotation @{name.Text} is given twice.");
        }

        return annotations;
    }

    private Effect ReadEffect() =>
        _reader.AcceptWord("permit") ? Effect.Permit
        : _reader.AcceptWord("forbid") ? Effect.Forbid
        : throw _reader.Fault($"expected permit or forbid, found {_reader.Current}.");

    private PolicyScope Scope()
    {
        var principal = Constraint("principal", VariableKind.Principal);
        _reader.Expect(",");
        var action = ActionConstraint();
        _reader.Expect(",");
        var resource = Constraint("resource", VariableKind.Resource);
        _reader.Accept(",");
        _reader.Expect(")");
        return new(principal, action, resource);
    }

    private ScopeConstraint Constraint(string name, VariableKind kind)
    {
        Variable(name);
        var type = _reader.AcceptWord("is") ? _expressions.Path() : null;
        if (type is null && _reader.Accept("=="))
            return new(kind, IsEquality: true, Entity: EntityOrSlot(name, kind));
        return _reader.AcceptWord("in") ? new(kind, type, Entity: EntityOrSlot(name, kind)) : new(kind, type);
    }

    private ScopeConstraint ActionConstraint()
    {
        Variable("action");
        if (_reader.Accept("=="))
            return new(VariableKind.Action, IsEquality: true, Entity: ActionEntity());
        if (!_reader.AcceptWord("in"))
            return new(VariableKind.Action);
        return new(VariableKind.Action, Entity: _reader.Accept("[") ? new SetLiteral(_reader.List("]", ActionEntity)) : ActionEntity());
    }

    private void Variable(string name)
    {
        if (!_reader.AcceptWord(name))
            throw _reader.Fault($"expected {name}, found {_reader.Current}.");
    }

    private Expression EntityOrSlot(string name, VariableKind kind)
    {
        if (_reader.Current.Kind != TokenKind.Slot)
            return new Literal(_expressions.Entity());
        if (_reader.Current.Text != "?" + name)
            throw _reader.Fault($"only ?{name} may stand here, not {_reader.Current.Text}.");
        _reader.Next();
        return new Slot(kind);
    }

    private Expression ActionEntity()
    {
        var start = _reader.Current.Position;
        var uid = _expressions.Entity();
        return uid.Type == "Action" || uid.Type.EndsWith("::Action", StringComparison.Ordinal)
            ? new Literal(uid) : throw _reader.Fault(start, $"{uid} is no action: its type's last part must be Action.");
    }

    private Expression Conditions()
    {
        Expression? all = null;
        while (_reader.Current.IsWord("when") || _reader.Current.IsWord("unless"))
        {
            var negated = _reader.Next().Text == "unless";
            _reader.Expect("{");
            var condition = _expressions.Expression();
            _reader.Expect("}");
            condition = negated ? new Not(condition) : condition;
            all = all is null ? condition : new And(all, condition);
        }

        return all ?? new Literal(CedarBoolean.True);
    }
}
