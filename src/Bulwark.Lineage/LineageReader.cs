using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>A statement that was found in a log, signed by a trusted key and proved to be in the tree.</summary>
/// <param name="Index">Its place.</param>
/// <param name="Statement">What it says.</param>
/// <typeparam name="T">Its claim.</typeparam>
/// <param name="Claim">The claim as its type.</param>
public sealed record FoundClaim<T>(long Index, Statement Statement, T Claim) where T : class, IPredicate;

/// <summary>Finds claims in a log by what they mention, and checks each that it finds: signature, shape, and its place under the checkpoint.</summary>
/// <param name="log">The log.</param>
/// <param name="index">Its index.</param>
/// <param name="signers">Keys whose statements count.</param>
public sealed class LineageReader(TransparencyLog log, LineageIndex index, IReadOnlyCollection<VerificationKey> signers)
{
    private readonly Checkpoint _checkpoint = log.Checkpoint;

    /// <summary>The log.</summary>
    public TransparencyLog Log => log;

    /// <summary>The index.</summary>
    public LineageIndex Index => index;

    /// <summary>Claims of one kind that mention a digest, oldest first. What strangers signed is left out.</summary>
    /// <exception cref="InvalidDataException">An entry was changed, or is not under the checkpoint.</exception>
    public IEnumerable<FoundClaim<T>> Find<T>(Digest mentioned) where T : class, IPredicate<T> => Of<T>(index.Mentioning(mentioned));

    /// <summary>All claims of one kind, oldest first.</summary>
    /// <exception cref="InvalidDataException">An entry was changed, or is not under the checkpoint.</exception>
    public IEnumerable<FoundClaim<T>> All<T>() where T : class, IPredicate<T> => Of<T>(index.OfType(T.Type));

    /// <summary>All claims of one kind, newest first: older ones are read only when they are asked for.</summary>
    /// <exception cref="InvalidDataException">An entry was changed, or is not under the checkpoint.</exception>
    public IEnumerable<FoundClaim<T>> Newest<T>() where T : class, IPredicate<T> => Of<T>(index.OfType(T.Type).Reverse());

    private IEnumerable<FoundClaim<T>> Of<T>(IEnumerable<long> places) where T : class, IPredicate<T>
    {
        foreach (var place in places)
        {
            if (Read(place) is { } statement && Predicates.TryRead<T>(statement) is { } claim)
                yield return new(place, statement, claim);
        }
    }

    /// <summary>The statement at a place; null when it is none, or not a trusted key's.</summary>
    /// <exception cref="InvalidDataException">The entry was changed, or is not under the checkpoint.</exception>
    public Statement? Read(long place)
    {
        var entry = log.ReadEntry(place);
        var proof = log.ProveInclusion(place, _checkpoint.Size);
        if (!MerkleTree.VerifyInclusion(place, _checkpoint.Size, MerkleTree.LeafHash(entry.Span), proof.Hashes, _checkpoint.Root))
            throw new InvalidDataException($"Entry {place} is not under the checkpoint: the log was changed.");
        if (Dsse.Verify(entry, signers) is not { Verdict: DsseVerdict.Trusted, PayloadType: Statement.PayloadType } envelope)
            return null;
        try
        {
            return Statement.Parse(envelope.Payload);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
