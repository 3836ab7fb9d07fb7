using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Which statements of a log mention which digest, so that a chain of evidence is walked without reading the log.</summary>
/// <remarks>
/// What it points to is read from the log and checked there. What it leaves out would be evidence that is not found, so it is complete or it is not made: it is
/// read off entries that give the signed root, and its file carries a MAC under a key of the workspace. Decisions and accesses, which are nearly all of a
/// serving log, are only counted. The file is written anew when the log has grown; one that does not belong to the log, or that somebody else wrote, is made anew.
/// </remarks>
public sealed class LineageIndex
{
    private const string Magic = "bulwark-lineage-index/v2";
    private static readonly string[] s_counted = [PredicateTypes.Decision, PredicateTypes.Access, PredicateTypes.AccessBatch];

    private readonly Dictionary<Digest, List<long>> _mentions = [];
    private readonly Dictionary<string, List<long>> _types = new(StringComparer.Ordinal);
    private readonly List<(long Index, string Type, Digest[] Digests)> _statements = [];
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    private LineageIndex()
    {
    }

    /// <summary>Entries of the log that were looked at: all of them.</summary>
    public long Size { get; private set; }

    /// <summary>How many statements of each claim there are.</summary>
    public IReadOnlyDictionary<string, long> Counts => _counts;

    /// <summary>Opens the index of a log and brings it up to date.</summary>
    /// <param name="log">The log; read from where the index ends.</param>
    /// <exception cref="InvalidDataException">The entries do not give the root that the log's checkpoint signs.</exception>
    public static LineageIndex Open(TransparencyLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        var index = new LineageIndex();
        index.TakeIn(log, log.Checkpoint, MerkleTree.EmptyRoot);
        return index;
    }

    /// <summary>As <see cref="Open(TransparencyLog)"/>, with a file that remembers it.</summary>
    /// <param name="log">The log; read from where the index ends.</param>
    /// <param name="path">The index's file. One that cannot be written is done without.</param>
    /// <param name="key">Authenticates the file: a secret of at least 16 bytes, used for nothing else.</param>
    /// <exception cref="InvalidDataException">The entries do not give the root that the log's checkpoint signs.</exception>
    public static LineageIndex Open(TransparencyLog log, string path, ReadOnlySpan<byte> key)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfLessThan(key.Length, 16, nameof(key));
        var checkpoint = log.Checkpoint;
        var (index, root) = Read(path, log, key) ?? (new LineageIndex(), MerkleTree.EmptyRoot);
        var from = index.Size;
        index.TakeIn(log, checkpoint, root);
        if (index.Size != from)
            index.TryWrite(path, checkpoint, key);
        return index;
    }

    private void TakeIn(TransparencyLog log, Checkpoint checkpoint, Digest root)
    {
        foreach (var (place, entry) in log.ReadProved(Size, root, checkpoint))
            Add(place, entry.Span);
        Size = checkpoint.Size;
    }

    /// <summary>Entries that mention a digest, oldest first; decisions and accesses are not among them.</summary>
    public IReadOnlyList<long> Mentioning(Digest digest) => _mentions.TryGetValue(digest, out var places) ? places : [];

    /// <summary>Entries of one claim, oldest first; empty for decisions and accesses.</summary>
    public IReadOnlyList<long> OfType(string predicateType) => _types.TryGetValue(predicateType, out var places) ? places : [];

    private void Add(long place, ReadOnlySpan<byte> entry)
    {
        if (Payload(entry) is not { } payload || TypeOfPayload(payload) is not { } type)
            return;
        Add(place, type, s_counted.Contains(type) ? null : [.. Digests(payload).Distinct()]);
    }

    private void Add(long place, string type, Digest[]? digests)
    {
        _counts[type] = _counts.GetValueOrDefault(type) + 1;
        if (digests is null)
            return;
        _statements.Add((place, type, digests));
        Append(_types, type, place);
        foreach (var digest in digests)
            Append(_mentions, digest, place);
    }

    private static void Append<T>(Dictionary<T, List<long>> lists, T key, long place) where T : notnull
    {
        if (!lists.TryGetValue(key, out var list))
            lists.Add(key, list = []);
        list.Add(place);
    }

    /// <summary>The payload of a canonical envelope, found without parsing it: <c>payload</c> is its first member.</summary>
    private static byte[]? Payload(ReadOnlySpan<byte> entry)
    {
        var head = "{\"payload\":\""u8;
        if (!entry.StartsWith(head))
            return null;
        var text = entry[head.Length..];
        var end = text.IndexOf((byte)'"');
        if (end < 0)
            return null;
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(end)];
        return Base64.DecodeFromUtf8(text[..end], bytes, out _, out var written) == System.Buffers.OperationStatus.Done ? bytes[..written] : null;
    }

    /// <summary>The predicate's type as an entry names it, unproved; null when it is no envelope of a statement.</summary>
    internal static string? TypeOf(ReadOnlySpan<byte> entry) => Payload(entry) is { } payload ? TypeOfPayload(payload) : null;

    private static string? TypeOfPayload(ReadOnlySpan<byte> payload)
    {
        var name = "\"predicateType\":\""u8;
        var start = payload.LastIndexOf(name);
        if (start < 0)
            return null;
        var text = payload[(start + name.Length)..];
        var end = text.IndexOf((byte)'"');
        return end is > 0 and < 200 ? Encoding.UTF8.GetString(text[..end]) : null;
    }

    /// <summary>Everything that looks like a digest: <c>sha256:</c> and hex, or hex under the name <c>sha256</c>.</summary>
    private static List<Digest> Digests(ReadOnlySpan<byte> payload)
    {
        var found = new List<Digest>();
        for (int at; (at = payload.IndexOf("sha256"u8)) >= 0;)
        {
            payload = payload[(at + 6)..];
            var hex = payload.StartsWith("\":\""u8) ? payload[3..] : payload.StartsWith(":"u8) ? payload[1..] : default;
            if (hex.Length >= 64 && Digest.TryParse("sha256:" + Encoding.ASCII.GetString(hex[..64]), out var digest))
                found.Add(digest);
        }

        return found;
    }

    /// <summary>Null when the file is none, is torn or a stranger's, or belongs to another log or another history of it.</summary>
    private static (LineageIndex Index, Digest Root)? Read(string path, TransparencyLog log, ReadOnlySpan<byte> key)
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            if (bytes.Length < Digest.SizeInBytes || !CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(key, bytes.AsSpan(0, bytes.Length - Digest.SizeInBytes)), bytes.AsSpan(bytes.Length - Digest.SizeInBytes)))
                return null;
            using var reader = new BinaryReader(new MemoryStream(bytes, 0, bytes.Length - Digest.SizeInBytes));
            if (reader.ReadString() != Magic || reader.ReadString() != log.Checkpoint.Origin)
                return null;
            var index = new LineageIndex { Size = reader.ReadInt64() };
            var root = new Digest(reader.ReadBytes(Digest.SizeInBytes));
            if (index.Size < 0 || index.Size > log.Size || log.RootAt(index.Size) != root)
                return null;
            for (var left = reader.ReadInt32(); left > 0; left--)
            {
                var (place, type) = (reader.ReadInt64(), reader.ReadString());
                var digests = new Digest[reader.ReadUInt16()];
                for (var i = 0; i < digests.Length; i++)
                    digests[i] = new Digest(reader.ReadBytes(Digest.SizeInBytes));
                index.Add(place, type, digests);
            }

            for (var left = reader.ReadInt32(); left > 0; left--)
                index._counts[reader.ReadString()] = reader.ReadInt64();
            return (index, root);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException or FormatException)
        {
            return null;
        }
    }

    private void TryWrite(string path, Checkpoint checkpoint, ReadOnlySpan<byte> key)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Magic);
            writer.Write(checkpoint.Origin);
            writer.Write(Size);
            writer.Write(checkpoint.Root.Bytes);
            writer.Write(_statements.Count);
            foreach (var (place, type, digests) in _statements)
            {
                writer.Write(place);
                writer.Write(type);
                writer.Write((ushort)Math.Min(digests.Length, ushort.MaxValue));
                foreach (var digest in digests.AsSpan(0, Math.Min(digests.Length, ushort.MaxValue)))
                    writer.Write(digest.Bytes);
            }

            writer.Write(_counts.Count);
            foreach (var (type, count) in _counts)
            {
                writer.Write(type);
                writer.Write(count);
            }
        }

        try
        {
            AtomicFile.Write(path, [.. stream.ToArray(), .. HMACSHA256.HashData(key, stream.GetBuffer().AsSpan(0, (int)stream.Length))]);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A log on read-only media is walked all the same.
        }
    }
}
