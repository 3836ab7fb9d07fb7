using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Models.Signing;

/// <summary>Digests of files that were hashed before, so that signing again after a small edit reads only what changed.</summary>
/// <remarks>
/// For signing only. An entry is found by device, inode, size, modification time and change time; the kernel moves the last at every write, and no program can
/// set it back short of owning the disk or the clock, and who owns those could as well have changed the file before it was first signed. So the signer learns
/// nothing false from it, and a wrong entry would give a signature that no verifier accepts: verifying always reads every byte. What was changed less
/// than two seconds before it was hashed is not kept: clocks of file systems tick, and a second write within one tick would not show.
/// </remarks>
internal sealed class DigestCache
{
    private const string Header = "bulwark-digests/v1";
    private const long TickNanoseconds = 2_000_000_000;

    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _used = new(StringComparer.Ordinal);
    private readonly string _path;

    private DigestCache(string path) => _path = path;

    /// <summary>How many were found.</summary>
    internal int Hits;

    /// <summary>Opens the cache; one that does not read is an empty one.</summary>
    internal static DigestCache Open(string path)
    {
        var cache = new DigestCache(path);
        if (!File.Exists(path))
            return cache;
        var lines = File.ReadAllLines(path);
        if (lines.Length < 2 || lines[0] != Header || lines[^1] != Sum(lines.AsSpan(0, lines.Length - 1)))
            return cache;
        foreach (var line in lines.AsSpan(1, lines.Length - 2))
        {
            if (line.LastIndexOf(' ') is > 0 and var space)
                cache._known[line[..space]] = line[(space + 1)..];
        }

        return cache;
    }

    internal string? Find(ContentHashKind kind, FileStat stat, long start, long bytes)
    {
        var key = Key(kind, stat, start, bytes);
        if (!_known.TryGetValue(key, out var digest))
            return null;
        Interlocked.Increment(ref Hits);
        return _used[key] = digest;
    }

    internal void Keep(ContentHashKind kind, FileStat stat, long start, long bytes, string digest)
    {
        var now = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks * 100;
        if (now - Math.Max(stat.ChangedNanoseconds, stat.ModifiedNanoseconds) >= TickNanoseconds)
            _used[Key(kind, stat, start, bytes)] = digest;
    }

    /// <summary>Writes what this signing used or learnt; the rest is forgotten.</summary>
    internal void Save()
    {
        string[] lines = [Header, .. _used.Select(entry => $"{entry.Key} {entry.Value}").Order(StringComparer.Ordinal)];
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        AtomicFile.Write(_path, Encoding.UTF8.GetBytes(string.Join('\n', [.. lines, Sum(lines)]) + "\n"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static string Key(ContentHashKind kind, FileStat stat, long start, long bytes) => string.Create(CultureInfo.InvariantCulture,
        $"{kind} {stat.Device:x} {stat.Inode:x} {stat.Bytes} {stat.ModifiedNanoseconds} {stat.ChangedNanoseconds} {start} {bytes}");

    /// <summary>Finds a torn file, not a forger: whoever writes here can sign what he likes anyway.</summary>
    private static string Sum(ReadOnlySpan<string> lines) => Digest.Of(Encoding.UTF8.GetBytes(string.Join('\n', lines!))).ToString();
}
