namespace Bulwark.Policy.Evaluation;

internal sealed class SetLiteral(IReadOnlyList<Expression> items) : Expression([.. items])
{
    internal IReadOnlyList<Expression> Items => items;

    internal override CedarValue? Evaluate(Evaluation at)
    {
        var values = new CedarValue[items.Count];
        for (var i = 0; i < values.Length; i++)
        {
            if (items[i].Evaluate(at) is not { } value)
                return null;
            values[i] = value;
        }

        return new CedarSet(values);
    }
}

internal sealed class RecordLiteral(IReadOnlyList<KeyValuePair<string, Expression>> members) : Expression([.. members.Select(member => member.Value)])
{
    internal IReadOnlyList<KeyValuePair<string, Expression>> Members => members;

    internal override CedarValue? Evaluate(Evaluation at)
    {
        var values = new KeyValuePair<string, CedarValue>[members.Count];
        for (var i = 0; i < values.Length; i++)
        {
            if (members[i].Value.Evaluate(at) is not { } value)
                return null;
            values[i] = new(members[i].Key, value);
        }

        return new CedarRecord(values);
    }
}

internal enum SetOperationKind { Contains, ContainsAll, ContainsAny }

internal sealed class SetOperation(SetOperationKind kind, Expression set, Expression operand) : Expression(set, operand)
{
    internal SetOperationKind Kind => kind;
    internal Expression Set => set;
    internal Expression Operand => operand;

    internal override CedarValue? Evaluate(Evaluation at)
    {
        if (set.Evaluate(at) is not { } a || operand.Evaluate(at) is not { } b)
            return null;
        if (a is not CedarSet items)
            return at.WrongType("set", a);
        if (kind == SetOperationKind.Contains)
            return CedarBoolean.Of(items.Contains(b));
        if (b is not CedarSet others)
            return at.WrongType("set", b);
        return CedarBoolean.Of(kind == SetOperationKind.ContainsAll ? items.ContainsAll(others) : items.ContainsAny(others));
    }
}

internal sealed class IsEmpty(Expression set) : Expression(set)
{
    internal Expression Set => set;

    internal override CedarValue? Evaluate(Evaluation at) => set.Evaluate(at) switch
    {
        null => null,
        CedarSet items => CedarBoolean.Of(items.Items.Count == 0),
        var other => at.WrongType("set", other),
    };
}
