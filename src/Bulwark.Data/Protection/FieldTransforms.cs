using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>The steps that rows pass before they are written and after they were read: what the policy does to values, column by column.</summary>
internal static class FieldTransforms
{
    /// <summary>A column whose values are replaced, as a plan states it.</summary>
    /// <param name="name">The column that is made.</param>
    /// <param name="of">The column that it is made of.</param>
    /// <param name="protection">What to do.</param>
    /// <param name="policy">The policy, resolved.</param>
    /// <param name="keys">The key ring; the key is made when it lacks it.</param>
    internal static ProtectedColumn Planned(string name, ColumnShape of, ColumnProtection protection, ProtectionPolicy policy, KeyRing keys)
    {
        var shifted = protection.Action == ProtectionAction.ShiftDate;
        KeyUri? key = !protection.NeedsKey ? null
            : shifted && protection.Key is null ? keys.GetOrCreateSymmetric("data/dates")   // all dates of a subject move together, so that intervals stay
            : ProtectionPolicy.KeyOf(protection, name, keys);
        return new(name, protection.Action, key, new()
        {
            Kind = of.Kind,
            Integral = of.Integral,
            Scope = shifted ? policy.Dataset : FieldScope.Of(policy.Dataset, name, protection.JoinAs),
            Alphabet = protection.Alphabet,
            Days = shifted ? protection.Days ?? 365 : null,
            RowKey = protection.Action == ProtectionAction.EncryptValue ? policy.RowKey : null,
            PerSubject = protection.PerSubject,
            Of = name == of.Name ? null : of.Name,
        });
    }

    /// <summary>What else is written beside the table's own columns: other forms of them, and the subject's token.</summary>
    internal static IEnumerable<ProtectedColumn> Added(IReadOnlyList<ColumnShape> columns, ProtectionPolicy policy, KeyRing keys)
    {
        foreach (var column in columns)
        {
            foreach (var copy in policy.For(column.Name).Copies)
                yield return Planned(copy.As, column, copy.Protection, policy, keys);
        }

        if (policy.Subject is { } subject)
            yield return new(ProtectionPolicy.SubjectTokenColumn, ProtectionAction.Keep, null, new() { Kind = ColumnKind.Text, Scope = policy.Dataset, Of = subject });
    }

    /// <summary>The steps that protect; <see cref="FieldProtection"/> says of what.</summary>
    internal static FieldProtection Protecting(IReadOnlyList<ProtectedColumn> plan, ProtectionPolicy policy, KeyRing keys, SubjectStore? subjects) => new(plan, policy, keys, subjects);

    /// <summary>The step that turns one column back; null when its cells stand in the file as they were.</summary>
    /// <exception cref="InvalidOperationException">The key ring lacks the key.</exception>
    internal static FieldStep? Revealing(ProtectedColumn column, string dataset, KeyRing keys)
    {
        var format = column.Format ?? new() { Kind = ColumnKind.Text, Scope = FieldScope.Of(dataset, column.Name, null) };
        return column.Action switch
        {
            ProtectionAction.Tokenise when format.Alphabet is null => new CardStep(column.Name, keys, Key(column), format, reveal: true),
            ProtectionAction.Tokenise => new TokenStep(column.Name, keys, Key(column), format, reveal: true),
            ProtectionAction.EncryptJoinable => new JoinStep(column.Name, keys, Known(keys, column), format, reveal: true),
            ProtectionAction.EncryptValue => new ValueStep(column.Name, keys, format.PerSubject ? null : Known(keys, column), format, reveal: true),
            ProtectionAction.ShiftDate => new ShiftStep(column.Name, keys, format.PerSubject ? null : Key(column), format, reveal: true),
            _ => null,
        };
    }

    /// <summary>The columns that must be read to turn <paramref name="column"/> back.</summary>
    internal static IEnumerable<string> Needs(ProtectedColumn column)
    {
        if (column.Format is { RowKey: { } rowKey })
            yield return rowKey;
        if (column.Format is { PerSubject: true } || column.Action == ProtectionAction.ShiftDate)
            yield return ProtectionPolicy.SubjectTokenColumn;
    }

    /// <summary>False when what stands in the file never turns back.</summary>
    internal static bool IsReversible(ProtectionAction action) => action is
        ProtectionAction.Keep or ProtectionAction.Encrypt or ProtectionAction.Tokenise or ProtectionAction.EncryptValue or ProtectionAction.EncryptJoinable or ProtectionAction.ShiftDate;

    /// <summary>True when the cells can be turned back one for one: card tokens forget how a number was grouped.</summary>
    internal static bool IsExact(Column column, ProtectedColumn plan) => plan.Action switch
    {
        ProtectionAction.Tokenise when plan.Format?.Alphabet is null => Enumerable.Range(0, column.Rows).All(row => column.Text(row) is not { } text || !text.AsSpan().ContainsAny(' ', '-')),
        _ => IsReversible(plan.Action) && plan.Format is not { PerSubject: true },
    };

    internal static KeyId Key(ProtectedColumn column) => column.Key is { } key && key.TryGetKeyId(out var id)
        ? id
        : throw new InvalidOperationException($"Column '{column.Name}' is replaced by a key of the key ring; {column.Key} is none.");

    /// <summary>The key, once it is clear that the ring has it: these steps derive it at the first cell.</summary>
    private static KeyId Known(KeyRing keys, ProtectedColumn column)
    {
        using var probe = keys.Derive(Key(column), "probe", 1);
        return Key(column);
    }
}
