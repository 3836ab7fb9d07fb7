using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Replaces values as a plan says: leaves columns out, makes other forms of them, and notes whose rows passed.</summary>
internal sealed class FieldProtection : IBatchTransform
{
    private readonly IReadOnlyList<ProtectedColumn> _plan;
    private readonly ProtectionPolicy _policy;
    private readonly SubjectStore? _subjects;
    private readonly Dictionary<string, FieldStep> _steps = new(StringComparer.Ordinal);
    private readonly long? _version;

    internal FieldProtection(IReadOnlyList<ProtectedColumn> plan, ProtectionPolicy policy, KeyRing keys, SubjectStore? subjects)
    {
        (_plan, _policy, _subjects) = (plan, policy, subjects);
        try
        {
            foreach (var column in plan)
            {
                if (Step(column, keys) is { } step)
                    _steps.Add(column.Name, step);
            }

            _version = policy.Subject is null ? null : subjects!.BeginVersion(policy.Dataset);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Table Apply(Table batch, long firstRow)
    {
        var tokens = Tokens(batch);
        var rows = new FieldRows(firstRow, _policy.RowKey is { } rowKey ? batch[rowKey] : null, tokens, token => _subjects!.KeyOf(token));
        var columns = new List<Column>();
        foreach (var column in _plan.Where(column => column.Action != ProtectionAction.Drop))
        {
            if (column.Name == ProtectionPolicy.SubjectTokenColumn && column.Format?.Of is not null)
                columns.Add(new TextColumn(column.Name, tokens!));
            else
                columns.Add(_steps.TryGetValue(column.Name, out var step) ? step.Apply(batch[column.Format?.Of ?? column.Name], rows) : batch[column.Name]);
        }

        return new Table(columns);
    }

    /// <summary>What the owner should know, once all rows passed.</summary>
    /// <exception cref="ArgumentException">The data does not fit the policy as a whole: everything is listed.</exception>
    internal IReadOnlyList<string> Finish()
    {
        var faults = _steps.Values.SelectMany(step => step.Faults()).ToArray();
        return faults.Length == 0 ? [.. _steps.Values.SelectMany(step => step.Notes()), .. BeyondErasure()] : throw new ArgumentException(string.Join(" ", faults));
    }

    /// <summary>Columns that a subject's erasure leaves as they are: kept, or opened by other keys than the subject's.</summary>
    private IEnumerable<string> BeyondErasure()
    {
        if (_policy.Subject is null)
            yield break;
        string[] others = [.. _plan.Where(column => column.Name != ProtectionPolicy.SubjectTokenColumn && FieldTransforms.IsReversible(column.Action) && column.Format is not { PerSubject: true }).Select(column => column.Name)];
        if (others.Length > 0)
            yield return $"Erasing a subject does not reach {(others.Length == 1 ? "column" : "columns")} {string.Join(", ", others)}: they are kept, or their keys are the column's, not the subject's.";
    }

    /// <summary>The version is written under this name.</summary>
    internal void Written(string version, Digest commitment, Digest file)
    {
        if (_version is { } id)
            _subjects!.Complete(id, version, commitment, file);
    }

    /// <summary>Nothing was written.</summary>
    internal void Abandon()
    {
        if (_version is { } id)
            _subjects!.Abandon(id);
    }

    public void Dispose()
    {
        foreach (var step in _steps.Values)
            step.Dispose();
    }

    private string?[]? Tokens(Table batch)
    {
        if (_policy.Subject is not { } subject)
            return null;
        var cells = new DistinctCells(batch[subject]);
        var tokens = _subjects!.Tokens(cells.Values);
        _subjects.Reach(_version!.Value, tokens.Values);
        return cells.Cells([.. cells.Values.Select(id => tokens[id])]);
    }

    private FieldStep? Step(ProtectedColumn column, KeyRing keys)
    {
        var protection = column.Format?.Of is { } of ? _policy.For(of).Copies.FirstOrDefault(copy => copy.As == column.Name)?.Protection : _policy.For(column.Name);
        if (protection is null || column.Format is not { } format)
            return null;
        return column.Action switch
        {
            ProtectionAction.Tokenise when format.Alphabet is null => new CardStep(column.Name, keys, FieldTransforms.Key(column), format, reveal: false),
            ProtectionAction.Tokenise => new TokenStep(column.Name, keys, FieldTransforms.Key(column), format, reveal: false),
            ProtectionAction.Hash => new HashStep(column.Name, keys, FieldTransforms.Key(column), format.Scope, null),
            ProtectionAction.Beacon => new HashStep(column.Name, keys, FieldTransforms.Key(column), format.Scope, protection.Bits),
            ProtectionAction.EncryptValue => new ValueStep(column.Name, keys, format.PerSubject ? null : FieldTransforms.Key(column), format, reveal: false),
            ProtectionAction.EncryptJoinable => new JoinStep(column.Name, keys, FieldTransforms.Key(column), format, reveal: false),
            ProtectionAction.Truncate => new TruncateStep(column.Name, protection.KeepFirst ?? 0, protection.KeepLast ?? 4),
            ProtectionAction.ShiftDate => new ShiftStep(column.Name, keys, format.PerSubject ? null : FieldTransforms.Key(column), format, reveal: false),
            ProtectionAction.Mask => new MaskStep(column.Name),
            _ => null,
        };
    }
}
