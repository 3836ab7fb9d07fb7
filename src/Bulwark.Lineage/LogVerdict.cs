namespace Bulwark.Lineage;

/// <summary>What checking a log, or an entry's place in it, came to.</summary>
public enum LogVerdict
{
    /// <summary>Nothing was checked.</summary>
    Unverified = 0,

    /// <summary>Everything asked for is true.</summary>
    Verified,

    /// <summary>A proof, checkpoint or file is not what its format requires.</summary>
    Malformed,

    /// <summary>The checkpoint is not signed by the expected key under the log's name.</summary>
    WrongSignature,

    /// <summary>The entry is not in the tree that the checkpoint names: another entry, another place, or a forged proof.</summary>
    NotIncluded,

    /// <summary>The entries on the disk do not give the hashes of the tree: one was changed, dropped, reordered or inserted.</summary>
    EntriesDiffer,

    /// <summary>The tree's hashes do not give the root that the checkpoint signs.</summary>
    RootDiffers,

    /// <summary>The log no longer begins with what was seen of it before: it was rolled back or forked.</summary>
    NotAppendOnly,

    /// <summary>A file that the checkpoint promises is missing or short.</summary>
    Incomplete,

    /// <summary>The log's key signed two trees of one size: it shows different logs to different people.</summary>
    SplitView,

    /// <summary>The store behind the tree ends before the tree does: it was rolled back, cut, or an older one was put in its place.</summary>
    StoreRolledBack,

    /// <summary>The store behind the tree is damaged or holds another entry than the tree.</summary>
    StoreDiffers,

    /// <summary>Too few of the witnesses that the policy asks for cosigned the checkpoint.</summary>
    QuorumMissing,
}

/// <summary>An answer about a log, and what exactly was found.</summary>
/// <param name="Verdict">The answer.</param>
/// <param name="Size">Entries that the checkpoint names.</param>
/// <param name="Detail">One sentence; names the entry or file where something is wrong.</param>
public sealed record LogReport(LogVerdict Verdict, long Size, string Detail)
{
    /// <summary>The signed checkpoint that was judged, where the verdict is <see cref="LogVerdict.Verified"/>: a policy judges this one and no other.</summary>
    public Checkpoint? Checkpoint { get; init; }

    /// <summary>Files with bytes that a writer found behind the journal's last whole batch: a batch that nobody was promised, or damage to the last one that somebody was.</summary>
    public IReadOnlyList<string> Torn { get; init; } = [];
}

/// <summary>Where an entry came to stand, durably.</summary>
/// <param name="Index">Its place, from 0.</param>
/// <param name="LeafHash">Its <see cref="MerkleTree.LeafHash"/>.</param>
public sealed record LogEntryReceipt(long Index, Cryptography.Digest LeafHash);
