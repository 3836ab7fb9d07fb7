using Bulwark.Policy.Evaluation;

namespace Bulwark.Policy.Schema;

/// <summary>A text that two expressions share exactly when they are the same tree.</summary>
internal static class ExpressionKey
{
    internal static string Of(Expression expression) => expression switch
    {
        Literal literal => $"{literal.Value.TypeName} {literal.Value}",
        Variable variable => variable.Kind.ToString(),
        Slot slot => $"?{slot.Kind}",
        And and => Node("and", and.Left, and.Right),
        Or or => Node("or", or.Left, or.Right),
        Not not => Node("not", not.Operand),
        Negation negation => Node("neg", negation.Operand),
        Conditional choice => Node("if", choice.Condition, choice.Then, choice.Otherwise),
        Equality equality => Node("eq", equality.Left, equality.Right),
        Comparison comparison => Node(comparison.Kind.ToString(), comparison.Left, comparison.Right),
        Arithmetic arithmetic => Node(arithmetic.Kind.ToString(), arithmetic.Left, arithmetic.Right),
        In membership => Node("in", membership.Left, membership.Right),
        Is test => Node($"is {test.Type}", test.Operand),
        Has has => Node($"has {CedarString.Quote(has.Name)}", has.Operand),
        Evaluation.Attribute attribute => Node($"get {CedarString.Quote(attribute.Name)}", attribute.Operand),
        TagAccess tag => Node(tag.Get ? "getTag" : "hasTag", tag.Operand, tag.Tag),
        Like like => Node($"like {string.Join('*', like.Parts.Select(CedarString.Quote))}", like.Operand),
        SetLiteral set => Node("set", [.. set.Items]),
        RecordLiteral record => Node($"record {string.Join(',', record.Members.Select(member => CedarString.Quote(member.Key)))}", [.. record.Members.Select(member => member.Value)]),
        SetOperation operation => Node(operation.Kind.ToString(), operation.Set, operation.Operand),
        IsEmpty empty => Node("isEmpty", empty.Set),
        ExtensionCall call => Node(call.Function.Name, [.. call.Arguments]),
        _ => throw new InvalidOperationException($"{expression.GetType().Name} has no key."),
    };

    /// <summary>The key by which "this expression has this attribute" is remembered.</summary>
    internal static string Attribute(Expression operand, string name) => Node($"attribute {CedarString.Quote(name)}", operand);

    /// <summary>The key by which "this expression has this tag" is remembered.</summary>
    internal static string Tag(Expression operand, Expression tag) => Node("tag", operand, tag);

    private static string Node(string name, params ReadOnlySpan<Expression> children)
    {
        var parts = new string[children.Length];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = Of(children[i]);
        return $"{name}({string.Join(", ", parts)})";
    }
}
