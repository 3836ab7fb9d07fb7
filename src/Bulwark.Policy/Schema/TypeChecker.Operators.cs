using System.Collections.Immutable;
using Bulwark.Policy.Evaluation;

namespace Bulwark.Policy.Schema;

internal sealed partial class TypeChecker
{
    private Typed TypeArithmetic(Arithmetic arithmetic, ImmutableHashSet<string> known)
    {
        Expect(arithmetic.Left, known, TypeLattice.Long);
        return Expect(arithmetic.Right, known, TypeLattice.Long);
    }

    private Typed TypeComparison(Comparison comparison, ImmutableHashSet<string> known)
    {
        var (left, right) = (Type(comparison.Left, known).Type, Type(comparison.Right, known).Type);
        return left == right && left is NamedType { Name: "long" or "datetime" or "duration" }
            ? new(TypeLattice.Boolean) : throw new TypeFaultException($"{TypeLattice.Describe(left)} and {TypeLattice.Describe(right)} have no order");
    }

    /// <summary>Entities of different types are never equal, and two literals are compared at once; other types must meet.</summary>
    private Typed TypeEquality(Equality equality, ImmutableHashSet<string> known)
    {
        var (left, right) = (Type(equality.Left, known).Type, Type(equality.Right, known).Type);
        if (TypeLattice.AreDisjoint(left, right))
            return new(new KnownBoolean(false));
        if (LiteralOf(equality.Left) is { } a && LiteralOf(equality.Right) is { } b)
            return new(new KnownBoolean(a.Equals(b)));
        Join(left, right, "the two sides of '=='");
        return new(TypeLattice.Boolean);
    }

    private CedarValue? LiteralOf(Expression expression) => expression switch
    {
        Literal literal => literal.Value,
        Variable { Kind: VariableKind.Action } => action.Uid,
        _ => null,
    };

    private Typed TypeIn(In membership, ImmutableHashSet<string> known)
    {
        var left = Entity(membership.Left, known);
        var typed = Type(membership.Right, known).Type;
        var right = typed as EntityReference ?? (typed as SetOf)?.Element as EntityReference ?? throw Unexpected("an entity or a set of entities", typed);
        if (LiteralOf(membership.Left) is EntityUid uid && IsAction(uid) && Literals(membership.Right) is { } groups)
            return new(new KnownBoolean(groups.Where(IsAction).Any(group => schema.IsActionIn(uid, group))));
        return schema.MayBeIn(left.Type, right.Type) ? new(TypeLattice.Boolean) : new(new KnownBoolean(false));
    }

    private List<EntityUid>? Literals(Expression expression)
    {
        var items = expression is SetLiteral set ? set.Items.Select(LiteralOf).ToList() : [LiteralOf(expression)];
        return items.All(item => item is EntityUid) ? [.. items.Cast<EntityUid>()] : null;
    }

    private static bool IsAction(EntityUid uid) => CedarSchema.IsActionType(uid.Type);

    private Typed TypeHas(Has has, ImmutableHashSet<string> known)
    {
        var operand = Type(has.Operand, known).Type;
        if (Attributes(operand) is not { } attributes)
            throw Unexpected("an entity or a record", operand);
        if (!attributes.Attributes.TryGetValue(has.Name, out var attribute))
            return new(new KnownBoolean(false));
        var key = ExpressionKey.Attribute(has.Operand, has.Name);
        var certain = known.Contains(key) || (attribute.Required && operand is RecordOf);
        return new(certain ? new KnownBoolean(true) : TypeLattice.Boolean, [key]);
    }

    private Typed TypeAttribute(Evaluation.Attribute access, ImmutableHashSet<string> known)
    {
        var operand = Type(access.Operand, known).Type;
        if (Attributes(operand) is not { } attributes)
            throw Unexpected("an entity or a record", operand);
        if (!attributes.Attributes.TryGetValue(access.Name, out var attribute))
            throw new TypeFaultException($"{TypeLattice.Describe(operand)} has no attribute {CedarString.Quote(access.Name)}");
        return attribute.Required || known.Contains(ExpressionKey.Attribute(access.Operand, access.Name))
            ? new(attribute.Type) : throw new TypeFaultException($"the attribute {CedarString.Quote(access.Name)} is optional; test it with 'has' first");
    }

    private RecordOf? Attributes(SchemaType type) => type switch
    {
        RecordOf record => record,
        EntityReference entity => schema.EntityType(entity.Type)?.Attributes ?? RecordOf.Empty,
        _ => null,
    };

    private Typed TypeTag(TagAccess access, ImmutableHashSet<string> known)
    {
        var entity = Entity(access.Operand, known);
        Expect(access.Tag, known, TypeLattice.Text);
        var tags = schema.EntityType(entity.Type)?.Tags;
        var key = ExpressionKey.Tag(access.Operand, access.Tag);
        if (!access.Get)
            return new(tags is null ? new KnownBoolean(false) : known.Contains(key) ? new KnownBoolean(true) : TypeLattice.Boolean, [key]);
        if (!known.Contains(key))
            throw new TypeFaultException("a tag may be absent; test it with 'hasTag' first");
        return new(tags ?? throw new TypeFaultException($"{entity.Type} has no tags"));
    }

    private Typed TypeSet(SetLiteral set, ImmutableHashSet<string> known)
    {
        if (set.Items.Count == 0)
            throw new TypeFaultException("an empty set has no type");
        var types = set.Items.Select(item => Type(item, known).Type).ToArray();
        return new(new SetOf(types.Aggregate((a, b) => Join(a, b, "the members of a set"))));
    }

    private Typed TypeSetOperation(SetOperation operation, ImmutableHashSet<string> known)
    {
        var set = Set(operation.Set, known);
        if (operation.Kind == SetOperationKind.Contains)
            Join(set.Element, Type(operation.Operand, known).Type, "the set's members and what is looked for");
        else
            Join(set, Set(operation.Operand, known), "the two sets");
        return new(TypeLattice.Boolean);
    }

    /// <summary>A constructor takes a literal that is well formed: then it cannot fail when a request comes.</summary>
    private Typed TypeExtension(ExtensionCall call, ImmutableHashSet<string> known)
    {
        var function = call.Function;
        if (call.Arguments.Count != function.Parameters.Length)
            throw new TypeFaultException($"{function.Name} takes {function.Parameters.Length} arguments, not {call.Arguments.Count}");
        if (function.IsConstructor && !(call.Arguments[0] is Literal { Value: CedarString text } && function.Construct(text.Value) is not null))
            throw new TypeFaultException($"{function.Name} takes a literal that is well formed");
        foreach (var (argument, parameter) in call.Arguments.Zip(function.Parameters))
            Expect(argument, known, new NamedType(parameter));
        return new(new NamedType(function.Result));
    }
}
