using System.Collections.Concurrent;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>A log's folder of static files: reads them, and writes new ones so that no checkpoint names a file that is not whole.</summary>
/// <remarks>
/// Files are written without a flush where the store behind them is durable and they can be made again: <see cref="FileSystemFlush"/> settles them in one
/// go, and recovery renders again what was not settled when the machine went down.
/// </remarks>
internal sealed class TileStore(string directory) : ITileSource
{
    private readonly ConcurrentDictionary<string, bool> _folders = new(StringComparer.Ordinal);

    internal string Directory { get; } = Path.GetFullPath(directory);

    internal string CheckpointPath => Path.Combine(Directory, "checkpoint");

    /// <summary>The last checkpoint that carries enough cosignatures.</summary>
    internal string WitnessedPath => Path.Combine(Directory, "checkpoint.witnessed");

    internal string RenderLockPath => Path.Combine(Directory, "render.lock");

    internal string KeyPath => Path.Combine(Directory, "log.vkey");

    public string Place => Directory;

    public byte[] ReadCheckpoint() => File.ReadAllBytes(CheckpointPath);

    public Digest[] ReadTile(int level, long index, int width) =>
        TileLayout.SplitTile(ReadAny(TileLayout.TilePath(level, index, width), TileLayout.TilePath(level, index, TileLayout.Width), width), TileLayout.TilePath(level, index, width), width);

    public List<ReadOnlyMemory<byte>> ReadBundle(long index, int width) =>
        TileLayout.SplitBundle(ReadAny(TileLayout.BundlePath(index, width), TileLayout.BundlePath(index, TileLayout.Width), width), TileLayout.BundlePath(index, width), width);

    /// <summary>Writes a file that no published checkpoint names yet.</summary>
    /// <param name="path">Beneath the log's folder.</param>
    /// <param name="bytes">What it becomes.</param>
    /// <param name="replace">True where files are put right: a whole file of another tree may then be replaced.</param>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="InvalidDataException">A whole tile or bundle is there, and is another one: the checkpoint is older than its tiles.</exception>
    internal void WriteNew(string path, byte[] bytes, bool replace = false)
    {
        var full = Path.Combine(Directory, path);
        if (!replace && !path.Contains(".p/", StringComparison.Ordinal) && File.Exists(full) && File.ReadAllBytes(full) is var there && IsWhole(path, there) && !there.AsSpan().SequenceEqual(bytes))
            throw new InvalidDataException($"{path} is there already with other entries: the checkpoint is older than the log's tiles, and going on from it would sign a fork. Run log fsck.");
        CreateFolder(Path.GetDirectoryName(full)!);
        if (!FileSystemFlush.IsSupported)
            AtomicFile.Write(full, bytes);
        else if (!(File.Exists(full) && File.ReadAllBytes(full).AsSpan().SequenceEqual(bytes)))
            Put(full, bytes);
    }

    /// <summary>A reader sees the old tile or the new one: a published checkpoint may name a partial tile that keeps its width. Durable with the flush that follows.</summary>
    private static void Put(string full, byte[] bytes)
    {
        var fresh = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.tmp");
        try
        {
            File.WriteAllBytes(fresh, bytes);
            File.Move(fresh, full, overwrite: true);
        }
        catch
        {
            File.Delete(fresh);
            throw;
        }
    }

    /// <summary>False for what a power cut leaves of a file that was not flushed: nothing, a part, or sectors of zeros.</summary>
    private static bool IsWhole(string path, byte[] bytes)
    {
        const int Sector = 512;
        for (var at = 0; at + Sector <= bytes.Length; at += Sector)
        {
            if (!bytes.AsSpan(at, Sector).ContainsAnyExcept((byte)0))
                return false;
        }

        try
        {
            if (path.Contains("/entries/", StringComparison.Ordinal))
                TileLayout.SplitBundle(bytes, path, TileLayout.Width);
            else
                TileLayout.SplitTile(bytes, path, TileLayout.Width);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>True when the file is there with just these bytes.</summary>
    internal bool Has(string path, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(Directory, path)).AsSpan().SequenceEqual(bytes);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Removes the partial files of a tile or bundle that is whole and published: tlog-tiles allows it from then on, not earlier.</summary>
    internal void DeletePartials(string wholePath)
    {
        var folder = Path.Combine(Directory, wholePath + ".p");
        try
        {
            _folders.TryRemove(folder, out _);
            if (System.IO.Directory.Exists(folder))
                System.IO.Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // Thrift, not truth: a failure costs space only.
        }
    }

    /// <summary>Removes files of a batch that was never published (its writer died): nobody may take them for the tree.</summary>
    internal void RemoveUnpublished(string wholePath, int width)
    {
        if (File.Exists(Path.Combine(Directory, wholePath)))
            File.Delete(Path.Combine(Directory, wholePath));
        foreach (var stray in PartialWidths(wholePath).Where(stray => stray > width))
            File.Delete(Path.Combine(Directory, $"{wholePath}.p/{stray}"));
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

    /// <summary>The exact file, or a fuller one: a writer removes partial files once the whole one is published.</summary>
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

    private void CreateFolder(string folder)
    {
        if (_folders.ContainsKey(folder))
            return;
        if (!System.IO.Directory.Exists(Directory))
            throw new DirectoryNotFoundException($"The log's folder {Directory} is gone.");
        System.IO.Directory.CreateDirectory(folder);
        _folders[folder] = true;
    }
}
