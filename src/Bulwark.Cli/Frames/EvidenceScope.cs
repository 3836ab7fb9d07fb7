using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Cli.Frames;

/// <summary>What the log and the workspace know of one model: gathered once, each entry checked as it is read.</summary>
internal sealed class EvidenceScope
{
    private const int Deepest = 16;
    private readonly Dictionary<Digest, FoundClaim<DatasetCommitted>[]> _data = [];

    internal EvidenceScope(LineageReader reader, FoundClaim<ModelSealed> package, string name)
    {
        (Reader, Package, Name) = (reader, package, name);
        PackageDigest = package.Statement.Subjects[0].Digest;
        Models = [PackageDigest, .. package.Claim.Files.Select(file => file.Digest)];
        Runs = [.. Models.SelectMany(model => About<TrainingProvenance>(model))];
        Attacks = [.. Models.SelectMany(model => About<ModelAttacked>(model))];
        Evaluations = [.. Models.SelectMany(model => About<ModelEvaluated>(model))];
        foreach (var run in Runs)
            Gather(run.Claim.Dataset, 0);
        if (package.Claim.Dataset is { } data)
            Gather(data, 0);
    }

    internal LineageReader Reader { get; }

    internal FoundClaim<ModelSealed> Package { get; }

    /// <summary>How commands name the model.</summary>
    internal string Name { get; }

    internal Digest PackageDigest { get; }

    /// <summary>The package and the files inside.</summary>
    internal IReadOnlyList<Digest> Models { get; }

    internal IReadOnlyList<FoundClaim<TrainingProvenance>> Runs { get; }

    internal IReadOnlyList<FoundClaim<ModelAttacked>> Attacks { get; }

    internal IReadOnlyList<FoundClaim<ModelEvaluated>> Evaluations { get; }

    /// <summary>The training data and all that they were made from, by root.</summary>
    internal IReadOnlyCollection<Digest> Data => _data.Keys;

    /// <summary>Commitments to <see cref="Data"/>.</summary>
    internal IEnumerable<FoundClaim<DatasetCommitted>> Commitments => _data.Values.SelectMany(found => found);

    /// <summary>How any of <see cref="Data"/> was protected.</summary>
    internal IEnumerable<FoundClaim<DataProtected>> Protections => Data.SelectMany(root => Reader.Find<DataProtected>(root).Where(found => found.Claim.Commitment == root));

    internal required DateTimeOffset Now { get; init; }

    /// <summary>Entries of the log, all of which were read and verified before anything was asked of them.</summary>
    internal required long LogSize { get; init; }

    /// <summary>What the workspace's policy of witnesses says of the checkpoint; null where nobody is asked to cosign.</summary>
    internal required PolicyReport? Witnessed { get; init; }

    internal required IReadOnlyList<KeyStanding> Keys { get; init; }

    /// <summary>Whether the keyring opens without a passphrase, by a file beside it.</summary>
    internal required bool KeyRingIsOpen { get; init; }

    private IEnumerable<FoundClaim<T>> About<T>(Digest digest) where T : class, IPredicate<T> =>
        Reader.Find<T>(digest).Where(found => found.Statement.Subjects.Any(subject => subject.Digest == digest));

    private void Gather(Digest? root, int depth)
    {
        if (root is not { } digest || depth > Deepest || _data.ContainsKey(digest))
            return;
        _data[digest] = [.. About<DatasetCommitted>(digest)];
        foreach (var source in _data[digest].SelectMany(found => found.Claim.Sources))
            Gather(source, depth + 1);
    }
}
