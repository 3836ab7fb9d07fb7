namespace Bulwark.Policy.Evaluation;

/// <summary><c>a in b</c>: b is an ancestor of a, or a itself; b may be a set of entities.</summary>
internal sealed class In(Expression left, Expression right) : Expression(left, right)
{
    internal Expression Left => left;
    internal Expression Right => right;

    internal override CedarValue? Evaluate(Evaluation at)
    {
        if (left.Evaluate(at) is not { } a || right.Evaluate(at) is not { } b)
            return null;
        if (a is not EntityUid entity)
            return at.WrongType("entity", a);
        return b switch
        {
            EntityUid group => CedarBoolean.Of(at.Entities.IsIn(entity, group)),
            CedarSet groups => InAny(at, entity, groups),
            _ => at.WrongType("entity or set of entities", b),
        };
    }

    private static CedarValue? InAny(Evaluation at, EntityUid entity, CedarSet groups)
    {
        var found = false;
        foreach (var item in groups.Items)
        {
            if (item is not EntityUid group)
                return at.WrongType("entity", item);
            found |= at.Entities.IsIn(entity, group);
        }

        return CedarBoolean.Of(found);
    }
}

/// <summary><c>a is T</c>.</summary>
internal sealed class Is(Expression operand, string type) : Expression(operand)
{
    internal Expression Operand => operand;
    internal string Type => type;

    internal override CedarValue? Evaluate(Evaluation at) => operand.Evaluate(at) switch
    {
        null => null,
        EntityUid entity => CedarBoolean.Of(entity.Type == type),
        var other => at.WrongType("entity", other),
    };
}

/// <summary><c>a has name</c>: false for an entity that is not in the store.</summary>
internal sealed class Has(Expression operand, string name) : Expression(operand)
{
    internal Expression Operand => operand;
    internal string Name => name;

    internal override CedarValue? Evaluate(Evaluation at) => operand.Evaluate(at) switch
    {
        null => null,
        EntityUid entity => CedarBoolean.Of(at.Entities.TryGet(entity, out var found) && found.Attributes.TryGet(name, out _)),
        CedarRecord record => CedarBoolean.Of(record.TryGet(name, out _)),
        var other => at.WrongType("entity or record", other),
    };
}

/// <summary><c>a.name</c> or <c>a["name"]</c>.</summary>
internal sealed class Attribute(Expression operand, string name) : Expression(operand)
{
    internal Expression Operand => operand;
    internal string Name => name;

    internal override CedarValue? Evaluate(Evaluation at)
    {
        switch (operand.Evaluate(at))
        {
            case null:
                return null;
            case CedarRecord record:
                return record.TryGet(name, out var member) ? member : at.Fail($"the record has no attribute {CedarString.Quote(name)}");
            case EntityUid entity:
                if (!at.Entities.TryGet(entity, out var found))
                    return at.Fail($"the entity {entity} does not exist");
                return found.Attributes.TryGet(name, out var value) ? value : at.Fail($"{entity} has no attribute {CedarString.Quote(name)}");
            case var other:
                return at.WrongType("entity or record", other);
        }
    }
}

/// <summary><c>a.hasTag(t)</c> and <c>a.getTag(t)</c>.</summary>
internal sealed class TagAccess(bool get, Expression operand, Expression tag) : Expression(operand, tag)
{
    internal bool Get => get;
    internal Expression Operand => operand;
    internal Expression Tag => tag;

    internal override CedarValue? Evaluate(Evaluation at)
    {
        if (operand.Evaluate(at) is not { } a || tag.Evaluate(at) is not { } b)
            return null;
        if (a is not EntityUid entity)
            return at.WrongType("entity", a);
        if (b is not CedarString name)
            return at.WrongType("string", b);
        var exists = at.Entities.TryGet(entity, out var found);
        CedarValue? value = null;
        var has = exists && found.Tags.TryGet(name.Value, out value);
        if (!get)
            return CedarBoolean.Of(has);
        return has ? value : at.Fail(exists ? $"{entity} has no tag {name}" : $"the entity {entity} does not exist");
    }
}

/// <summary><c>text like pattern</c>: literal parts between wildcards.</summary>
internal sealed class Like(Expression operand, IReadOnlyList<string> parts) : Expression(operand)
{
    internal Expression Operand => operand;
    internal IReadOnlyList<string> Parts => parts;

    internal override CedarValue? Evaluate(Evaluation at) => operand.Evaluate(at) switch
    {
        null => null,
        CedarString text => CedarBoolean.Of(Matches(text.Value)),
        var other => at.WrongType("string", other),
    };

    /// <summary>Greedy from the left: linear in the parts, no backtracking across them.</summary>
    private bool Matches(string text)
    {
        if (parts.Count == 1)
            return text == parts[0];
        var rest = text.AsSpan();
        if (!rest.StartsWith(parts[0]))
            return false;
        rest = rest[parts[0].Length..];
        for (var i = 1; i < parts.Count - 1; i++)
        {
            var found = rest.IndexOf(parts[i]);
            if (found < 0)
                return false;
            rest = rest[(found + parts[i].Length)..];
        }

        return rest.EndsWith(parts[^1]);
    }
}
