using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Reads a log's files, and writes new ones so that nothing is visible before it is whole.</summary>
internal sealed class TileStore(string directory)
{
    internal string Directory { get; } = Path.GetFullPath(directory);

    internal string CheckpointPath => Path.Combine(Directory, "checkpoint");

    internal string LockPath => Path.Combine(Directory, "lock");

    internal string KeyPath => Path.Combine(Directory, "log.vkey");

    /// <summary>The hashes of a tile as it was at some size; a fuller file serves too, because tiles only grow.</summary>
    /// <exception cref="InvalidDataException">The file is missing or short.</exception>
    internal Digest[] ReadTile(int level, long index, int width)
    {
        var bytes = ReadAny(TileLayout.TilePath(level, index, width), TileLayout.TilePath(level, index, TileLayout.Width), width);
        if (bytes.Length < width * Digest.SizeInBytes)
            throw new InvalidDataException($"{TileLayout.TilePath(level, index, width)} has {bytes.Length} bytes; {width} hashes were promised.");
        var hashes = new Digest[width];
        for (var i = 0; i < width; i++)
            hashes[i] = new Digest(bytes.AsSpan(i * Digest.SizeInBytes, Digest.SizeInBytes));
        return hashes;
    }

    /// <summary>The first <paramref name="width"/> entries of a bundle.</summary>
    /// <exception cref="InvalidDataException">The file is missing, short or malformed.</exception>
    internal List<ReadOnlyMemory<byte>> ReadBundle(long index, int width)
    {
        var entries = TileLayout.SplitBundle(ReadAny(TileLayout.BundlePath(index, width), TileLayout.BundlePath(index, TileLayout.Width), width));
        if (entries.Count < width)
            throw new InvalidDataException($"{TileLayout.BundlePath(index, width)} has {entries.Count} entries; {width} were promised.");
        return entries[..width];
    }

    /// <summary>Makes files durable before anything may name them: contents, then their folders. Side by side, so that flushes share the disk's work.</summary>
    internal async Task WriteAsync(IReadOnlyCollection<(string Path, byte[] Bytes)> files)
    {
        foreach (var (path, _) in files)
            CreateFolders(Path.GetDirectoryName(Path.Combine(Directory, path))!);
        await Task.WhenAll(files.Select(file => Task.Run(() => AtomicFile.Write(Path.Combine(Directory, file.Path), file.Bytes)))).ConfigureAwait(false);
    }

    internal void Delete(string path)
    {
        var full = Path.Combine(Directory, path);
        if (File.Exists(full))
            File.Delete(full);
    }

    /// <summary>Removes files of a batch that was never published (its writer died): nobody may take them for the tree.</summary>
    internal void RemoveUnpublished(string wholePath, int width)
    {
        if (File.Exists(Path.Combine(Directory, wholePath)))
            Delete(wholePath);
        foreach (var stray in PartialWidths(wholePath).Where(stray => stray > width))
            Delete($"{wholePath}.p/{stray}");
        RemoveTemporary(Path.GetDirectoryName(Path.Combine(Directory, wholePath))!);
        RemoveTemporary(Path.Combine(Directory, wholePath + ".p"));
    }

    /// <summary>Removes the checkpoint files that a writer died before renaming.</summary>
    internal void RemoveTemporary() => RemoveTemporary(Directory);

    private static void RemoveTemporary(string folder)
    {
        if (!System.IO.Directory.Exists(folder))
            return;
        foreach (var stray in System.IO.Directory.EnumerateFiles(folder, ".*.tmp"))
            File.Delete(stray);
    }

    /// <summary>The exact file, or a fuller one: a writer removes a partial file once its successor is published.</summary>
    private byte[] ReadAny(string exact, string whole, int width)
    {
        for (var attempt = 0; attempt < 4; attempt++)
        {
            string[] fuller = [.. PartialWidths(whole).Where(other => other > width).Order().Select(other => $"{whole}.p/{other}")];
            foreach (var path in (string[])[exact, whole, .. fuller])
            {
                try
                {
                    return File.ReadAllBytes(Path.Combine(Directory, path));
                }
                catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
                {
                    continue;   // replaced by a fuller one between listing and reading
                }
            }
        }

        throw new InvalidDataException($"The log lacks {exact}.");
    }

    private IEnumerable<int> PartialWidths(string whole)
    {
        var folder = Path.Combine(Directory, whole + ".p");
        return System.IO.Directory.Exists(folder)
            ? [.. System.IO.Directory.EnumerateFiles(folder).Select(file => int.TryParse(Path.GetFileName(file), out var width) ? width : 0)]
            : [];
    }

    private void CreateFolders(string folder)
    {
        if (System.IO.Directory.Exists(folder))
            return;
        var parent = Path.GetDirectoryName(folder)!;
        if (folder != Directory)
            CreateFolders(parent);
        System.IO.Directory.CreateDirectory(folder);
        DirectoryFlush.Flush(parent);
    }
}
