using System.Collections.Immutable;
using Bulwark.Policy.Evaluation;

namespace Bulwark.Policy.Schema;

/// <summary>What an expression comes to: its type, and what is known to exist where it is true.</summary>
/// <param name="Type">The type.</param>
/// <param name="Known">Keys of attributes and tags that exist wherever the expression is true.</param>
internal readonly record struct Typed(SchemaType Type, ImmutableHashSet<string> Known)
{
    internal Typed(SchemaType type) : this(type, [])
    {
    }

    internal bool? Constant => (Type as KnownBoolean)?.Value;
}

/// <summary>Types a policy for one action, one type of principal and one of resource, as strict validation does.</summary>
/// <remarks>Source: the Cedar language reference, "Policy validation"; Cutler et al., OOPSLA 2024, section 4 (singleton booleans, capabilities).</remarks>
internal sealed partial class TypeChecker(CedarSchema schema, SchemaAction action, string principal, string resource)
{
    /// <exception cref="TypeFaultException">The condition does not fit.</exception>
    internal void Check(Expression condition) => Boolean(condition, []);

    private Typed Type(Expression expression, ImmutableHashSet<string> known) => expression switch
    {
        Literal literal => new(LiteralType(literal.Value)),
        Variable variable => new(VariableType(variable.Kind)),
        Slot slot => new(VariableType(slot.Kind)),
        And and => TypeAnd(and, known),
        Or or => TypeOr(or, known),
        Conditional choice => TypeConditional(choice, known),
        Not not => Boolean(not.Operand, known).Constant is { } constant ? new(new KnownBoolean(!constant)) : new(TypeLattice.Boolean),
        Negation negation => Expect(negation.Operand, known, TypeLattice.Long),
        Arithmetic arithmetic => TypeArithmetic(arithmetic, known),
        Equality equality => TypeEquality(equality, known),
        Comparison comparison => TypeComparison(comparison, known),
        In membership => TypeIn(membership, known),
        Is test => new(new KnownBoolean(Entity(test.Operand, known).Type == test.Type)),
        Has has => TypeHas(has, known),
        Evaluation.Attribute attribute => TypeAttribute(attribute, known),
        TagAccess tag => TypeTag(tag, known),
        Like like => Expect(like.Operand, known, TypeLattice.Text) with { Type = TypeLattice.Boolean },
        SetLiteral set => TypeSet(set, known),
        RecordLiteral record => new(new RecordOf(record.Members.ToDictionary(member => member.Key, member => new SchemaAttribute(Type(member.Value, known).Type, Required: true), StringComparer.Ordinal))),
        SetOperation operation => TypeSetOperation(operation, known),
        IsEmpty empty => Set(empty.Set, known) is var _ ? new(TypeLattice.Boolean) : default,
        ExtensionCall call => TypeExtension(call, known),
        _ => throw new InvalidOperationException($"{expression.GetType().Name} has no type."),
    };

    private SchemaType LiteralType(CedarValue value) => value switch
    {
        CedarBoolean truth => new KnownBoolean(truth.Value),
        CedarLong => TypeLattice.Long,
        CedarString => TypeLattice.Text,
        EntityUid uid when schema.Action(uid) is not null || schema.EntityType(uid.Type) is not null => new EntityReference(uid.Type),
        _ => throw new TypeFaultException($"{value} is not in the schema"),
    };

    private SchemaType VariableType(VariableKind kind) => kind switch
    {
        VariableKind.Principal => new EntityReference(principal),
        VariableKind.Action => new EntityReference(action.Uid.Type),
        VariableKind.Resource => new EntityReference(resource),
        _ => action.Context,
    };

    private Typed TypeAnd(And and, ImmutableHashSet<string> known)
    {
        var left = Boolean(and.Left, known);
        if (left.Constant == false)
            return new(left.Type);
        var right = Boolean(and.Right, known.Union(left.Known));
        return (left.Constant, right.Constant) switch
        {
            (_, false) => new(right.Type),
            (_, true) => new(left.Type, left.Known.Union(right.Known)),
            (true, _) => right,
            _ => new(TypeLattice.Boolean, left.Known.Union(right.Known)),
        };
    }

    private Typed TypeOr(Or or, ImmutableHashSet<string> known)
    {
        var left = Boolean(or.Left, known);
        if (left.Constant == true)
            return left;
        var right = Boolean(or.Right, known);
        return (left.Constant, right.Constant) switch
        {
            (_, true) => right,
            (_, false) => left,
            (false, _) => right,
            _ => new(TypeLattice.Boolean, left.Known.Intersect(right.Known)),
        };
    }

    private Typed TypeConditional(Conditional choice, ImmutableHashSet<string> known)
    {
        var condition = Boolean(choice.Condition, known);
        if (condition.Constant == false)
            return Type(choice.Otherwise, known);
        var then = Type(choice.Then, known.Union(condition.Known));
        then = then with { Known = then.Known.Union(condition.Known) };
        if (condition.Constant == true)
            return then;
        var otherwise = Type(choice.Otherwise, known);
        return new(Join(then.Type, otherwise.Type, "the two sides of an 'if'"), then.Known.Intersect(otherwise.Known));
    }

    private Typed Boolean(Expression expression, ImmutableHashSet<string> known)
    {
        var typed = Type(expression, known);
        return TypeLattice.IsBoolean(typed.Type) ? typed : throw Unexpected("a bool", typed.Type);
    }

    private Typed Expect(Expression expression, ImmutableHashSet<string> known, SchemaType expected)
    {
        var typed = Type(expression, known);
        return typed.Type == expected || (expected == TypeLattice.Boolean && TypeLattice.IsBoolean(typed.Type))
            ? new(expected) : throw Unexpected($"a {TypeLattice.Describe(expected)}", typed.Type);
    }

    private EntityReference Entity(Expression expression, ImmutableHashSet<string> known)
    {
        var typed = Type(expression, known).Type;
        return typed as EntityReference ?? throw Unexpected("an entity", typed);
    }

    private SetOf Set(Expression expression, ImmutableHashSet<string> known)
    {
        var typed = Type(expression, known).Type;
        return typed as SetOf ?? throw Unexpected("a set", typed);
    }

    private static SchemaType Join(SchemaType a, SchemaType b, string where) =>
        TypeLattice.Join(a, b) ?? throw new TypeFaultException($"{where} have types that do not meet: {TypeLattice.Describe(a)} and {TypeLattice.Describe(b)}");

    private static TypeFaultException Unexpected(string expected, SchemaType found) => new($"expected {expected}, found {TypeLattice.Describe(found)}");
}
