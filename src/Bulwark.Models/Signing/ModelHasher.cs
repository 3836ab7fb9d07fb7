using System.Buffers;
using Bulwark.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Bulwark.Models.Signing;

/// <summary>One resource of a signature: a file, or a stretch of one.</summary>
internal readonly record struct OmsResource(string Name, string Digest, string Algorithm);

/// <summary>Hashes the files of a model, or their shards, on all cores; the largest first, so that no core is left with one at the end.</summary>
internal sealed class ModelHasher(OmsSerialization serialization, DigestCache? cache, IProgress<double>? progress)
{
    /// <summary>Fits the second-level cache beside the hash's own state: read and hashed before it leaves.</summary>
    private const int BufferBytes = 128 * 1024;

    private long _done;

    /// <summary>Bytes that were read; the rest came from the cache.</summary>
    internal long HashedBytes => Interlocked.Read(ref _done);

    internal OmsResource[] Hash(IReadOnlyList<TreeFile> files, CancellationToken cancel)
    {
        var parts = files.SelectMany(Parts).ToArray();
        var digests = new string[parts.Length];
        var total = Math.Max(1, parts.Sum(part => part.Bytes));
        var order = Enumerable.Range(0, parts.Length).OrderByDescending(i => parts[i].Bytes).ToArray();
        var next = -1;
        // A loop of our own: Parallel.For hands out ranges, and the largest would come together.
        Parallel.For(0, Math.Clamp(parts.Length, 1, Environment.ProcessorCount), new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount }, _ =>
        {
            var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
            try
            {
                for (int place; (place = Interlocked.Increment(ref next)) < parts.Length;)
                    digests[order[place]] = Digest(parts[order[place]], buffer, total, cancel);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        });
        return [.. parts.Select((part, i) => new OmsResource(part.Name, digests[i], serialization.HashName))];
    }

    private IEnumerable<Part> Parts(TreeFile file)
    {
        if (serialization.ShardBytes is not { } size)
        {
            yield return new(file.Name, file, 0, file.Bytes);
            yield break;
        }

        for (var start = 0L; start == 0 || start < file.Bytes; start += size)
        {
            var end = Math.Min(file.Bytes, file.Bytes - start > size ? start + size : file.Bytes);
            yield return new($"{file.Name}:{start}:{end}", file, start, end - start);
            if (end == file.Bytes)
                yield break;
        }
    }

    private string Digest(Part part, byte[] buffer, long total, CancellationToken cancel)
    {
        var before = cache is null ? null : FileStat.Of(part.File.Path, follow: true);   // of what is read: a link stays the same when its target does not
        if (before is { } known && cache!.Find(serialization.Hash, known, part.Start, part.Bytes) is { } remembered)
            return remembered;
        using var handle = File.OpenHandle(part.File.Path, FileMode.Open, FileAccess.Read, FileShare.Read, part.Bytes > 1 << 20 ? FileOptions.SequentialScan : FileOptions.None);
        var digest = Convert.ToHexStringLower(Read(handle, part, buffer, total, cancel));
        if (before is { } stat && FileStat.OfOpen(handle) == stat)   // of what was read, wherever its name leads by now
            cache!.Keep(serialization.Hash, stat, part.Start, part.Bytes, digest);
        return digest;
    }

    private byte[] Read(SafeFileHandle handle, Part part, byte[] buffer, long total, CancellationToken cancel)
    {
        using var hash = new ContentHash(serialization.Hash);
        var (at, end) = (part.Start, part.Start + part.Bytes);
        while (at < end)
        {
            cancel.ThrowIfCancellationRequested();
            var read = RandomAccess.Read(handle, buffer.AsSpan(0, (int)Math.Min(BufferBytes, end - at)), at);
            if (read == 0)
                throw new InvalidDataException($"'{part.File.Name}' became shorter while it was read.");
            hash.Append(buffer.AsSpan(0, read));
            at += read;
            var done = Interlocked.Add(ref _done, read);
            progress?.Report((double)done / total);
        }

        if (RandomAccess.GetLength(handle) != part.File.Bytes)
            throw new InvalidDataException($"'{part.File.Name}' changed its length while it was read.");
        return hash.Finish();
    }

    private readonly record struct Part(string Name, TreeFile File, long Start, long Bytes);
}
