namespace Bulwark.Policy.Evaluation;

/// <summary>One node of a policy's condition. Immutable and thread-safe.</summary>
internal abstract class Expression
{
    /// <summary>Deeper trees are refused when they are parsed: evaluation recurses.</summary>
    internal const int MaximumDepth = 500;

    protected Expression(params ReadOnlySpan<Expression> children)
    {
        Children = children.ToArray();
        foreach (var child in children)
            Depth = Math.Max(Depth, child.Depth);
        Depth++;
    }

    internal IReadOnlyList<Expression> Children { get; }

    /// <summary>The longest way to a leaf, in nodes.</summary>
    internal int Depth { get; }

    /// <summary>The value, or null when <see cref="Evaluation.Error"/> says why there is none.</summary>
    internal abstract CedarValue? Evaluate(Evaluation at);

    /// <summary>The truth value; null is an error.</summary>
    internal bool? Test(Evaluation at)
    {
        switch (Evaluate(at))
        {
            case null: return null;
            case CedarBoolean truth: return truth.Value;
            case var other:
                at.WrongType("bool", other);
                return null;
        }
    }
}

internal sealed class Literal(CedarValue value) : Expression
{
    internal CedarValue Value => value;

    internal override CedarValue? Evaluate(Evaluation at) => value;
}

internal enum VariableKind { Principal, Action, Resource, Context }

internal sealed class Variable(VariableKind kind) : Expression
{
    internal VariableKind Kind => kind;

    internal override CedarValue? Evaluate(Evaluation at) => kind switch
    {
        VariableKind.Principal => at.Request.Principal,
        VariableKind.Action => at.Request.Action,
        VariableKind.Resource => at.Request.Resource,
        _ => at.Request.Context,
    };
}

/// <summary>A slot of a template, in its scope only; linking puts a literal in its place.</summary>
internal sealed class Slot(VariableKind kind) : Expression
{
    internal VariableKind Kind => kind;

    internal override CedarValue? Evaluate(Evaluation at) => at.Fail($"the slot ?{kind} is not linked");
}

internal sealed class And(Expression left, Expression right) : Expression(left, right)
{
    internal Expression Left => left;
    internal Expression Right => right;

    internal override CedarValue? Evaluate(Evaluation at) => left.Test(at) switch
    {
        null => null,
        false => CedarBoolean.False,
        _ => right.Test(at) is { } value ? CedarBoolean.Of(value) : null,
    };
}

internal sealed class Or(Expression left, Expression right) : Expression(left, right)
{
    internal Expression Left => left;
    internal Expression Right => right;

    internal override CedarValue? Evaluate(Evaluation at) => left.Test(at) switch
    {
        null => null,
        true => CedarBoolean.True,
        _ => right.Test(at) is { } value ? CedarBoolean.Of(value) : null,
    };
}

internal sealed class Not(Expression operand) : Expression(operand)
{
    internal Expression Operand => operand;

    internal override CedarValue? Evaluate(Evaluation at) => operand.Test(at) is { } value ? CedarBoolean.Of(!value) : null;
}

internal sealed class Conditional(Expression condition, Expression then, Expression otherwise) : Expression(condition, then, otherwise)
{
    internal Expression Condition => condition;
    internal Expression Then => then;
    internal Expression Otherwise => otherwise;

    internal override CedarValue? Evaluate(Evaluation at) =>
        condition.Test(at) is { } value ? (value ? then : otherwise).Evaluate(at) : null;
}

internal sealed class Equality(Expression left, Expression right) : Expression(left, right)
{
    internal Expression Left => left;
    internal Expression Right => right;

    internal override CedarValue? Evaluate(Evaluation at) =>
        left.Evaluate(at) is { } a && right.Evaluate(at) is { } b ? CedarBoolean.Of(a.Equals(b)) : null;
}

internal sealed class Negation(Expression operand) : Expression(operand)
{
    internal Expression Operand => operand;

    internal override CedarValue? Evaluate(Evaluation at) => operand.Evaluate(at) switch
    {
        null => null,
        CedarLong { Value: long.MinValue } => at.Fail("integer overflow in negation"),
        CedarLong number => new CedarLong(-number.Value),
        var other => at.WrongType("long", other),
    };
}

internal enum ArithmeticKind { Add, Subtract, Multiply }

internal sealed class Arithmetic(ArithmeticKind kind, Expression left, Expression right) : Expression(left, right)
{
    internal ArithmeticKind Kind => kind;
    internal Expression Left => left;
    internal Expression Right => right;

    internal override CedarValue? Evaluate(Evaluation at)
    {
        if (left.Evaluate(at) is not { } a || right.Evaluate(at) is not { } b)
            return null;
        if (a is not CedarLong x || b is not CedarLong y)
            return at.WrongType("long", a is CedarLong ? b : a);
        Int128 result = kind switch
        {
            ArithmeticKind.Add => (Int128)x.Value + y.Value,
            ArithmeticKind.Subtract => (Int128)x.Value - y.Value,
            _ => (Int128)x.Value * y.Value,
        };
        return result == unchecked((long)result) ? new CedarLong((long)result) : at.Fail($"integer overflow: {x} and {y}");
    }
}

internal enum ComparisonKind { Less, LessOrEqual, Greater, GreaterOrEqual }

internal sealed class Comparison(ComparisonKind kind, Expression left, Expression right) : Expression(left, right)
{
    internal ComparisonKind Kind => kind;
    internal Expression Left => left;
    internal Expression Right => right;

    internal override CedarValue? Evaluate(Evaluation at)
    {
        if (left.Evaluate(at) is not { } a || right.Evaluate(at) is not { } b)
            return null;
        return (a, b) switch
        {
            (CedarLong x, CedarLong y) => Result(x.Value, y.Value),
            (CedarDatetime x, CedarDatetime y) => Result(x.EpochMilliseconds, y.EpochMilliseconds),
            (CedarDuration x, CedarDuration y) => Result(x.Milliseconds, y.Milliseconds),
            _ => at.Fail($"type error: {a.TypeName} and {b.TypeName} have no order"),
        };
    }

    private CedarBoolean Result(long a, long b) => CedarBoolean.Of(kind switch
    {
        ComparisonKind.Less => a < b,
        ComparisonKind.LessOrEqual => a <= b,
        ComparisonKind.Greater => a > b,
        _ => a >= b,
    });
}
