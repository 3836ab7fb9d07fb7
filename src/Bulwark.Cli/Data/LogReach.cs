using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>A model that learnt from a dataset, as the log tells it.</summary>
/// <param name="Name">The file's or the package's name.</param>
/// <param name="Digest">Its digest.</param>
/// <param name="LogIndex">The entry that says so.</param>
internal sealed record ReachedModel(string Name, Digest Digest, long LogIndex);

/// <summary>Somebody opened columns of a dataset, and may have written them to a file.</summary>
/// <param name="Dataset">The dataset.</param>
/// <param name="Columns">The columns that opened.</param>
/// <param name="Purpose">As it was stated.</param>
/// <param name="By">Who, as a pseudonym.</param>
/// <param name="Time">When.</param>
/// <param name="LogIndex">The entry that says so.</param>
internal sealed record ReachedReveal(string Dataset, IReadOnlyList<string> Columns, string Purpose, string? By, DateTimeOffset Time, long LogIndex);

/// <summary>Follows datasets through the log to what was made of them: tables, training runs, sealed models. Only statements that the workspace signed count.</summary>
internal sealed class LogReach
{
    private readonly List<(long Index, Statement Statement)> _statements = [];

    private LogReach(TransparencyLog log, IReadOnlyCollection<VerificationKey> trusted)
    {
        foreach (var (index, entry) in log.ReadEntries())
        {
            if (Dsse.Verify(entry, trusted) is { Verdict: DsseVerdict.Trusted, PayloadType: Statement.PayloadType } envelope)
                _statements.Add((index, Statement.Parse(envelope.Payload)));
        }
    }

    internal static async Task<LogReach> OpenAsync(Workspace workspace, KeyRing keys)
    {
        await using var log = await workspace.OpenLogAsync(keys);
        await log.FlushAsync();   // what a process that died had appended counts
        return new(log, LogCommand.SigningKeys(keys));
    }

    /// <summary>True when an erasure with this tombstone is in the log.</summary>
    internal bool Knows(Digest tombstone) => _statements.Any(one => one.Statement.PredicateType == PredicateTypes.Erasure && one.Statement.Subjects.Any(subject => subject.Digest == tombstone));

    /// <summary>The models that learnt from these versions, or from tables made of them, in the log's order.</summary>
    internal IReadOnlyList<ReachedModel> ModelsOf(IReadOnlyList<ReachedVersion> versions)
    {
        var data = versions.SelectMany(version => version.Roots).ToHashSet();
        var models = new Dictionary<Digest, ReachedModel>();
        // What is made of a thing is logged after it, but tables may be named by several roots: pass over the log until nothing is new.
        for (var size = -1; size != data.Count + models.Count;)
        {
            size = data.Count + models.Count;
            foreach (var (index, statement) in _statements)
                Follow(index, statement, data, models);
        }

        return [.. models.Values.OrderBy(model => model.LogIndex)];
    }

    /// <summary>Who opened columns of these versions, in the log's order: what they wrote out is not followed, and holds what the columns held then.</summary>
    internal IReadOnlyList<ReachedReveal> RevealsOf(IReadOnlyList<ReachedVersion> versions)
    {
        var roots = versions.SelectMany(version => version.Roots).ToHashSet();
        return
        [
            .. from one in _statements
               where one.Statement.PredicateType == PredicateTypes.DataAccess && one.Statement.Subjects.Any(subject => roots.Contains(subject.Digest))
               let access = one.Statement.Read<DataAccessed>()
               let opened = access.Columns.Where(column => column.Opened).Select(column => column.Column).ToArray()
               where opened.Length > 0
               select new ReachedReveal(one.Statement.Subjects[0].Name, opened, access.Purpose, access.By, access.Time, one.Index),
        ];
    }

    /// <summary>By version, the columns in it that are not under the subjects' keys; a version that the log does not know is left out.</summary>
    internal IReadOnlyDictionary<string, IReadOnlyList<string>> RemainingIn(IReadOnlyList<ReachedVersion> versions)
    {
        var wanted = versions.Select(version => $"{version.Dataset}/{version.Version}").ToHashSet(StringComparer.Ordinal);
        var remaining = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (_, statement) in _statements.Where(one => one.Statement.PredicateType == PredicateTypes.DataProtection))
        {
            if (statement.Read<DataProtected>() is var written && wanted.Contains(written.Dataset))
                remaining[written.Dataset] = [.. written.Columns.Where(IsLeft).Select(column => column.Name)];
        }

        return remaining;
    }

    /// <summary>A column under the subjects' keys names no key of its own.</summary>
    private static bool IsLeft(ColumnFact column) =>
        column.Action != "drop" && column.Name != ProtectionPolicy.SubjectTokenColumn && !(column.Action is "encryptValue" or "shiftDate" && column.Key is null);

    private static void Follow(long index, Statement statement, HashSet<Digest> data, Dictionary<Digest, ReachedModel> models)
    {
        switch (statement.PredicateType)
        {
            case PredicateTypes.DatasetCommitment when statement.Read<DatasetCommitted>().Sources.Any(data.Contains):
            case PredicateTypes.DataProtection when data.Contains(statement.Read<DataProtected>().Commitment):
                data.UnionWith(statement.Subjects.Select(subject => subject.Digest));
                break;
            case PredicateTypes.TrainingRun when statement.Read<TrainingProvenance>().Dataset is { } root && data.Contains(root):
                Add(statement.Subjects);
                break;
            case PredicateTypes.SealedModel when statement.Read<ModelSealed>() is var seal && ((seal.Dataset is { } of && data.Contains(of)) || seal.Files.Any(file => models.ContainsKey(file.Digest))):
                Add(statement.Subjects);
                break;
        }

        void Add(IEnumerable<Subject> subjects)
        {
            foreach (var subject in subjects)
                models.TryAdd(subject.Digest, new(subject.Name, subject.Digest, index));
        }
    }
}
