using System.Globalization;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Begins a log's journal anew behind its tree, with all entries that were promised and that the tree does not have yet.</summary>
internal static class JournalRepair
{
    /// <param name="directory">The log's folder; the caller holds its render lock, and the tree stands on the disk.</param>
    /// <param name="size">The tree's size, where the new journal begins.</param>
    /// <param name="quarantine">Takes the old journal.</param>
    /// <param name="cancel">Ends the wait for the folder's lock.</param>
    /// <exception cref="InvalidDataException">Promised entries behind the tree cannot be read: nothing was changed.</exception>
    internal static async Task RunAsync(string directory, long size, Quarantine quarantine, CancellationToken cancel)
    {
        using var held = await FileLock.AcquireAsync(Path.Combine(directory, "lock"), cancel: cancel).ConfigureAwait(false);
        var folder = Path.Combine(directory, FileLogStore.FolderName);
        Directory.CreateDirectory(folder);
        string[] old = [.. Directory.EnumerateFiles(folder, "*.journal").Order(StringComparer.Ordinal)];
        var entries = Behind(size, [.. old.SelectMany(path => Records(File.ReadAllBytes(path)))]);
        var target = Path.Combine(folder, size.ToString("D20", CultureInfo.InvariantCulture) + ".journal");
        foreach (var path in old)
            quarantine.Take(Path.GetRelativePath(directory, path));
        var record = new byte[entries.Count == 0 ? 0 : JournalRecord.SizeOf(entries)];
        if (entries.Count > 0)
            JournalRecord.Write(record, size, entries);
        AtomicFile.Write(target, record);
        foreach (var path in old.Where(path => path != target))
            File.Delete(path);
        DirectoryFlush.Flush(folder);
    }

    /// <summary>Every whole record in these bytes, wherever damage lets one begin.</summary>
    private static List<(long First, List<ReadOnlyMemory<byte>> Entries)> Records(ReadOnlyMemory<byte> bytes)
    {
        var records = new List<(long, List<ReadOnlyMemory<byte>>)>();
        for (var at = 0; at + JournalRecord.HeadBytes <= bytes.Length;)
        {
            if (JournalRecord.ReadHead(bytes.Span[at..]) is { } head && head.Payload <= bytes.Length - at - JournalRecord.HeadBytes
                && JournalRecord.IsWhole(bytes.Span.Slice(at, JournalRecord.HeadBytes + head.Payload)))
            {
                records.Add((head.First, TileLayout.SplitBundle(bytes.Slice(at + JournalRecord.HeadBytes, head.Payload))));
                at += JournalRecord.HeadBytes + head.Payload;
                continue;
            }

            var next = bytes.Span[(at + 1)..].IndexOf(JournalRecord.Magic);
            at = next < 0 ? bytes.Length : at + 1 + next;
        }

        return records;
    }

    private static List<ReadOnlyMemory<byte>> Behind(long size, List<(long First, List<ReadOnlyMemory<byte>> Entries)> records)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        foreach (var (first, entries) in records.OrderBy(record => record.First))
        {
            var place = size + found.Count;
            if (first + entries.Count <= place)
                continue;
            if (first > place)
                throw new InvalidDataException($"Entries {place} to {first - 1} were promised, and neither the tree nor the journal has them any more; later ones are there. Nothing was changed in the journal: take it from a copy.");
            found.AddRange(entries[(int)(place - first)..]);
        }

        return found;
    }
}
