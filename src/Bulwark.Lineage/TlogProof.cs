using System.Globalization;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Everything needed to check offline that an entry is in a log: its place, the hashes to the root, the signed checkpoint.</summary>
/// <remarks>Source: C2SP tlog-proof (c2sp.org/tlog-proof@v1). Files end in <c>.tlog-proof</c>.</remarks>
/// <param name="Index">The entry's place, from 0.</param>
/// <param name="Hashes">From the leaf upwards.</param>
/// <param name="Checkpoint">Signed by the log.</param>
public sealed record TlogProof(long Index, IReadOnlyList<Digest> Hashes, Checkpoint Checkpoint)
{
    /// <summary>The first line.</summary>
    public const string Header = "c2sp.org/tlog-proof@v1";

    private const int MaximumHashes = 63;

    /// <summary>Bytes that an application attached; the log says nothing of them. Null where there are none.</summary>
    public byte[]? Extra { get; init; }

    /// <summary>Reads a proof; checks nothing.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static TlogProof Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var blank = text.IndexOf("\n\n", StringComparison.Ordinal);
        if (blank < 0)
            throw new FormatException("The proof lacks the blank line before its checkpoint.");
        var lines = new Queue<string>(text[..blank].Split('\n'));
        if (!lines.TryDequeue(out var header) || header != Header)
            throw new FormatException($"This is no proof: its first line is not {Header}.");
        var extra = ReadExtra(lines);
        var index = ReadIndex(lines);
        if (lines.Count > MaximumHashes)
            throw new FormatException($"The proof has {lines.Count} hashes; no tree is that high.");
        var hashes = lines.Select(ReadHash).ToArray();
        return new TlogProof(index, hashes, Checkpoint.Parse(Encoding.UTF8.GetBytes(text[(blank + 2)..]))) { Extra = extra };
    }

    /// <summary>The proof as text.</summary>
    public string Format()
    {
        var text = new StringBuilder(Header).Append('\n');
        if (Extra is not null)
            text.Append(CultureInfo.InvariantCulture, $"extra {Convert.ToBase64String(Extra)}\n");
        text.Append(CultureInfo.InvariantCulture, $"index {Index}\n");
        foreach (var hash in Hashes)
            text.Append(CultureInfo.InvariantCulture, $"{Convert.ToBase64String(hash.Bytes)}\n");
        return text.Append('\n').Append(Checkpoint.Note?.Note).ToString();
    }

    /// <summary>Checks signature and place of an entry.</summary>
    /// <param name="entry">The entry's bytes.</param>
    /// <param name="logKey">The log's key, which the caller trusts.</param>
    public LogVerdict Verify(ReadOnlySpan<byte> entry, VerificationKey logKey)
    {
        ArgumentNullException.ThrowIfNull(logKey);
        if (!Checkpoint.IsSignedBy(logKey))
            return LogVerdict.WrongSignature;
        return MerkleTree.VerifyInclusion(Index, Checkpoint.Size, MerkleTree.LeafHash(entry), Hashes, Checkpoint.Root)
            ? LogVerdict.Verified
            : LogVerdict.NotIncluded;
    }

    /// <summary>Checks place, log and witnesses of an entry.</summary>
    /// <param name="entry">The entry's bytes.</param>
    /// <param name="policy">Which logs and which witnesses' quorum are believed; it must list a log.</param>
    /// <returns><see cref="LogVerdict.Verified"/>, or what is wrong, named in the detail.</returns>
    public PolicyReport Verify(ReadOnlySpan<byte> entry, LogPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var report = policy.Judge(Checkpoint);
        if (report.Verdict == LogVerdict.Verified && report.Log is null)
            return report with { Verdict = LogVerdict.WrongSignature, Detail = "The policy lists no log, so nobody says whose checkpoint this is." };
        return report.Verdict == LogVerdict.Verified && !MerkleTree.VerifyInclusion(Index, Checkpoint.Size, MerkleTree.LeafHash(entry), Hashes, Checkpoint.Root)
            ? report with { Verdict = LogVerdict.NotIncluded, Detail = $"The proof does not lead from these bytes at place {Index} to the root at {Checkpoint.Size}." }
            : report;
    }

    private static byte[]? ReadExtra(Queue<string> lines)
    {
        if (!lines.TryPeek(out var line) || !line.StartsWith("extra ", StringComparison.Ordinal))
            return null;
        return StrictBase64.TryDecode(lines.Dequeue()["extra ".Length..], out var extra) ? extra : throw new FormatException("The proof's extra data are no base64.");
    }

    private static long ReadIndex(Queue<string> lines) =>
        lines.TryDequeue(out var line) && line.StartsWith("index ", StringComparison.Ordinal)
        && long.TryParse(line.AsSpan("index ".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
        && line == $"index {index}"
            ? index
            : throw new FormatException("The proof lacks its index line.");

    private static Digest ReadHash(string line) => StrictBase64.TryDecode(line, out var bytes) && bytes.Length == Digest.SizeInBytes
        ? new Digest(bytes)
        : throw new FormatException($"'{line}' is no hash: expected the base64 of 32 bytes.");
}
