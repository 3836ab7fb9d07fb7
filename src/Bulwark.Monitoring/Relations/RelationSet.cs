namespace Bulwark.Monitoring;

/// <summary>Relations of one screen, compiled.</summary>
internal sealed class RelationSet
{
    internal const int MostRelations = 256;

    /// <summary>Bounds what a row costs: an operation takes some nanoseconds.</summary>
    internal const int MostOperations = 8192;

    internal const int LongestRule = 1 << 16;

    private readonly ScreenRelation[] _relations;
    private readonly Tape[] _tapes;
    private readonly (int Field, bool Categorical)[][] _absent;   // of each relation, the fields that may be missing

    private RelationSet(ScreenRelation[] relations, Tape[] tapes, (int, bool)[][] absent, RelationCheck? check) => (_relations, _tapes, _absent, Check) = (relations, tapes, absent, check);

    internal static RelationSet None { get; } = new([], [], [], null);

    internal IReadOnlyList<ScreenRelation> Relations => _relations;

    internal RelationCheck? Check { get; }

    internal int Operations => _tapes.Sum(tape => tape.Length);

    /// <summary>Compiles relations over fields; <paramref name="faults"/> is empty when they are sound.</summary>
    /// <param name="fields">The fields that rules name.</param>
    /// <param name="relations">The relations.</param>
    /// <param name="check">What learnt ones were checked on.</param>
    /// <param name="faults">Every fault.</param>
    /// <param name="bounded">False for candidates, which no request is held to.</param>
    internal static RelationSet Of(ScreenField[] fields, IReadOnlyList<ScreenRelation> relations, RelationCheck? check, out List<string> faults, bool bounded = true)
    {
        faults = [];
        if (bounded && relations.Count > MostRelations)
        {
            faults.Add($"There are {relations.Count} relations; at most {MostRelations}.");
            return None;
        }

        var find = Finder(fields);
        var tapes = new Tape[relations.Count];
        for (var i = 0; i < tapes.Length; i++)
        {
            if (Fault(relations[i], find, out tapes[i]) is { } fault)
                faults.Add(fault);
        }

        foreach (var twice in relations.GroupBy(relation => relation?.Name).Where(group => group.Key is not null && group.Count() > 1))
            faults.Add($"Relation '{twice.Key}' is there {twice.Count()} times.");
        if (check is not null && (check.Rows < 0 || check.Broken < 0 || check.Broken > check.Rows))
            faults.Add($"Relations are said to refuse {check.Broken} of {check.Rows} rows.");
        if (bounded && faults.Count == 0 && tapes.Sum(tape => (long)tape.Length) is > MostOperations and var operations)
            faults.Add($"The relations have {operations} operations; at most {MostOperations}.");
        if (faults.Count > 0)
            return None;
        var absent = tapes.Select(tape => tape.Features.Where(field => fields[field].AllowMissing).Select(field => (field, fields[field].Kind is ScreenFieldKind.Categorical)).ToArray()).ToArray();
        return new([.. relations], tapes, absent, check);
    }

    /// <summary>The index of the first relation that a row breaks; -1 when it keeps all. Allocates nothing.</summary>
    internal int FirstBroken(ReadOnlySpan<float> row)
    {
        for (var i = 0; i < _tapes.Length; i++)
        {
            if (!Keeps(i, row))
                return i;
        }

        return -1;
    }

    internal bool Keeps(int relation, ReadOnlySpan<float> row)
    {
        foreach (var (field, categorical) in _absent[relation])
        {
            if (float.IsNaN(row[field]) || (categorical && row[field] == -1))
                return true;
        }

        return _tapes[relation].Holds(row);
    }

    internal Tape TapeOf(int relation) => _tapes[relation];

    /// <summary>The index of the first field of a name; -1 where there is none.</summary>
    internal static Func<string, int> Finder(ScreenField[] fields)
    {
        var names = fields.Select((field, index) => (field.Name, index)).DistinctBy(pair => pair.Name).ToDictionary(pair => pair.Name, pair => pair.index, StringComparer.Ordinal);
        return name => names.GetValueOrDefault(name, -1);
    }

    /// <summary>Why a relation is not well formed; null when it is.</summary>
    internal static string? Fault(ScreenRelation? relation, Func<string, int> field, out Tape tape)
    {
        tape = null!;
        if (relation is null)
            return "A relation is null.";
        if (string.IsNullOrWhiteSpace(relation.Name) || relation.Name.Length > ScreenRelation.LongestName || relation.Name.Any(char.IsControl))
            return $"A relation's name is empty, longer than {ScreenRelation.LongestName} characters or holds control characters.";
        if (relation.Rule is not { Length: > 0 and <= LongestRule })
            return $"Relation '{relation.Name}': its rule is empty or longer than {LongestRule} characters.";
        if (relation.Rows < 0 || !(relation.Shuffled is >= 0 and <= 1))
            return $"Relation '{relation.Name}': rows are at least 0 and the shuffled share is from 0 to 1.";
        try
        {
            tape = RelationParser.Read(relation.Rule, field);
            return null;
        }
        catch (Exception fault) when (fault is FormatException or InvalidDataException)
        {
            return $"Relation '{relation.Name}': {fault.Message}.";
        }
    }
}
