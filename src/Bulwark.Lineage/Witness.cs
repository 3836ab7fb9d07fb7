using System.Globalization;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Cosigns checkpoints of the logs it knows, after checking that each only grew; never two that contradict one another.</summary>
/// <remarks>
/// Source: C2SP tlog-witness, <c>add-checkpoint</c>. Holds one file per log, replaced and flushed before it answers, under a lock that other processes
/// share. What contradicts its record is kept beside it as evidence. Thread-safe. It knows nothing of HTTP: a server passes it bodies.
/// </remarks>
public sealed class Witness
{
    /// <summary>The content type of a size in an answer of 409.</summary>
    public const string SizeContentType = "text/x.tlog.size";

    private const int MaximumRequestBytes = 1 << 20, MaximumProof = 63;
    internal const int MaximumEvidence = 256, MaximumSuspicions = 16;
    private readonly string _folder;
    private readonly Signer _signer;
    private readonly ILookup<string, NoteKey> _logs;
    private readonly TimeProvider _time;

    /// <param name="name">Its name in notes: no space, no '+'; a domain and path by custom.</param>
    /// <param name="signer">Its key, used for nothing else; stays the caller's.</param>
    /// <param name="logs">The logs it cosigns for: a key's name is its log's origin.</param>
    /// <param name="folder">Where its record is; made when absent. Whoever loses it must retire the key.</param>
    /// <param name="time">The clock of its cosignatures.</param>
    public Witness(string name, Signer signer, IEnumerable<NoteKey> logs, string folder, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(signer);
        Key = new NoteKey(name, signer.PublicKey, NoteKeyKind.Cosignature);
        (_signer, _folder, _time) = (signer, Path.GetFullPath(folder), time ?? TimeProvider.System);
        _logs = logs.Where(log => log.Kind == NoteKeyKind.Signature).ToLookup(log => log.Name, StringComparer.Ordinal);
        Directory.CreateDirectory(_folder);
    }

    /// <summary>What its cosignatures are checked with; its text is the vkey.</summary>
    public NoteKey Key { get; }

    /// <summary>The last checkpoint cosigned for a log; null when there is none.</summary>
    /// <exception cref="InvalidDataException">The record is damaged.</exception>
    public Checkpoint? Latest(string origin)
    {
        var path = RecordOf(origin);
        if (!File.Exists(path))
            return null;
        try
        {
            var checkpoint = Checkpoint.Parse(File.ReadAllBytes(path));
            if (checkpoint.Origin == origin && checkpoint.Note!.CosignedAt(Key) is not null)
                return checkpoint;
        }
        catch (FormatException)
        {
            // Answered below.
        }

        throw new InvalidDataException($"{path} is not a checkpoint that this witness cosigned: its record is damaged, and it must not go on with this key.");
    }

    /// <summary>Answers the body of a <c>POST add-checkpoint</c>.</summary>
    /// <exception cref="IOException">The record cannot be written: nothing was cosigned.</exception>
    /// <exception cref="InvalidDataException">The record is damaged: nothing was cosigned.</exception>
    public async Task<WitnessAnswer> AddCheckpointAsync(ReadOnlyMemory<byte> request, CancellationToken cancel = default)
    {
        if (Parse(request.Span) is not { } asked)
            return Refusal(400, "malformed: expected 'old N', hashes, an empty line and a checkpoint");
        var (old, proof, checkpoint) = asked;
        var keys = _logs[checkpoint.Origin].ToArray();
        if (keys.Length == 0)
            return Refusal(404, "the log is not known here");
        if (checkpoint.Note!.Verify(keys).Count == 0)
            return Refusal(403, "no signature by a key that is trusted for this log");
        if (old > checkpoint.Size)
            return Refusal(400, $"the old size {old} is larger than the checkpoint's {checkpoint.Size}");

        using var held = await FileLock.AcquireAsync(Path.Combine(_folder, "lock"), cancel: cancel).ConfigureAwait(false);
        var latest = Latest(checkpoint.Origin);
        if (Contradiction(old, proof, latest, checkpoint) is { } refusal)
            return refusal;
        var cosigned = SignedNote.Parse($"{checkpoint.Body}\n{checkpoint.Note.LinesBy(keys)}").Cosigned(Key.Name, _signer, _time.GetUtcNow());
        var record = Encoding.UTF8.GetBytes(cosigned.Note);
        if (SignedNote.Parse(record).CosignedAt(Key) is null)   // a record that cannot be read again would end this witness
            throw new InvalidDataException($"The record for {checkpoint.Origin} would not be readable: nothing was cosigned.");
        AtomicFile.Write(RecordOf(checkpoint.Origin), record);
        return new WitnessAnswer(200, "text/plain; charset=utf-8", cosigned.LinesBy([Key]));
    }

    private WitnessAnswer? Contradiction(long old, Digest[] proof, Checkpoint? latest, Checkpoint checkpoint)
    {
        var size = latest?.Size ?? 0;
        if (old != size)
            return Conflict(size);
        if (latest is not null && old == checkpoint.Size && latest.Root != checkpoint.Root)
        {
            KeepEvidence(latest, checkpoint);
            return Conflict(size);
        }

        // Everything begins with nothing: then there is nothing to prove, and a proof is wrong. An empty tree has only one root.
        var consistent = old == 0
            ? proof.Length == 0 && (checkpoint.Size > 0 || checkpoint.Root == MerkleTree.EmptyRoot)
            : MerkleTree.VerifyConsistency(old, checkpoint.Size, latest!.Root, checkpoint.Root, proof);
        if (consistent)
            return null;
        if (latest is not null)
            KeepEvidence(latest, checkpoint);
        return Refusal(422, "the consistency proof does not lead from the last cosigned checkpoint to this one");
    }

    /// <summary>Two signed trees of one size prove misbehaviour. A checkpoint with a wrong proof proves nothing, for anybody can send a log's own one with another's proof: few of those stay.</summary>
    private void KeepEvidence(Checkpoint latest, Checkpoint checkpoint)
    {
        var proved = latest.Size == checkpoint.Size;
        var folder = Directory.CreateDirectory(Path.Combine(_folder, proved ? "evidence" : "suspicions")).FullName;
        var log = Digest.Of(Encoding.UTF8.GetBytes(checkpoint.Origin)).ToHex()[..16];
        var name = $"{log}-{latest.Size}-{checkpoint.Size}-{checkpoint.Root.ToHex()[..16]}";
        if (File.Exists(Path.Combine(folder, name)) || Directory.EnumerateFiles(folder, log + "-*").Take(MaximumEvidence).Count() >= (proved ? MaximumEvidence : MaximumSuspicions))
            return;
        AtomicFile.Write(Path.Combine(folder, name), Encoding.UTF8.GetBytes($"{latest.Note!.Note}\n{checkpoint.Body}\n{checkpoint.Note!.LinesBy(_logs[checkpoint.Origin].ToArray())}"));
    }

    private static (long Old, Digest[] Proof, Checkpoint Checkpoint)? Parse(ReadOnlySpan<byte> request)
    {
        if (request.Length > MaximumRequestBytes || request.IndexOf("\n\n"u8) is not (> 0 and var blank))
            return null;
        var lines = Encoding.Latin1.GetString(request[..blank]).Split('\n');
        if (!lines[0].StartsWith("old ", StringComparison.Ordinal) || !long.TryParse(lines[0].AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out var old)
            || lines[0] != $"old {old.ToString(CultureInfo.InvariantCulture)}" || lines.Length - 1 > MaximumProof)
            return null;
        var proof = new Digest[lines.Length - 1];
        for (var i = 0; i < proof.Length; i++)
        {
            if (!StrictBase64.TryDecode(lines[i + 1], out var hash) || hash.Length != Digest.SizeInBytes)
                return null;
            proof[i] = new Digest(hash);
        }

        try
        {
            return (old, proof, Checkpoint.Parse(request[(blank + 2)..]));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private string RecordOf(string origin) => Path.Combine(_folder, $"{Digest.Of(Encoding.UTF8.GetBytes(origin)).ToHex()}.checkpoint");

    private static WitnessAnswer Conflict(long size) => new(409, SizeContentType, $"{size.ToString(CultureInfo.InvariantCulture)}\n");

    private static WitnessAnswer Refusal(int status, string why) => new(status, "text/plain; charset=utf-8", why + "\n");
}

/// <summary>What a witness answers, for the server in front of it.</summary>
/// <param name="Status">An HTTP status: 200, 400, 403, 404, 409 or 422.</param>
/// <param name="ContentType">The body's type.</param>
/// <param name="Body">Cosignature lines, a size, or why not.</param>
public sealed record WitnessAnswer(int Status, string ContentType, string Body);
