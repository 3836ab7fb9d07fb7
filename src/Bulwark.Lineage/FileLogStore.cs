using System.Buffers;
using System.Globalization;
using Bulwark.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Bulwark.Lineage;

/// <summary>The default store: an append-only journal in the log's own folder, one write and one flush a batch.</summary>
/// <remarks>
/// <c>journal/FIRST.journal</c> files of <see cref="JournalRecord"/>s, begun anew above 64 MiB. Every writer holds the folder's lock. Bytes behind the
/// last whole record are what a writer that died left of a batch that it never promised: the next writer moves them into a <c>.torn</c> file. A writer of many
/// small batches writes zeros ahead of them, so that a flush need not wait for the file's length; it takes them back when it is closed.
/// </remarks>
internal sealed partial class FileLogStore : ILogStore
{
    internal const string FolderName = "journal";
    private readonly string _folder;
    private readonly string _lockPath;
    private readonly long _start;
    private readonly Lock _gate = new();
    private SafeFileHandle? _file;
    private long _fileFirst;
    private long _offset;
    private long _next = -1;
    private bool _flushed;
    private bool _endsInZeros;

    /// <param name="directory">The log's folder.</param>
    /// <param name="start">The first place where the folder has no journal yet: the tree's size.</param>
    internal FileLogStore(string directory, long start) =>
        (_folder, _lockPath, _start) = (Path.Combine(directory, FolderName), Path.Combine(directory, "lock"), start);

    public string Name => "files";

    /// <summary>Looks and changes nothing, not even what a writer that died left behind.</summary>
    internal bool IsReadOnly { get; init; }

    /// <summary>A journal file that has grown past this is closed and a new one begun.</summary>
    internal long RotateAboveBytes { get; init; } = 64 << 20;

    public async ValueTask<long> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, CancellationToken cancel = default)
    {
        using var held = await FileLock.AcquireAsync(_lockPath, cancel: cancel).ConfigureAwait(false);
        lock (_gate)
            return Append(entries);
    }

    public async ValueTask<long> CountAsync(CancellationToken cancel = default)
    {
        if (IsReadOnly)
            return CountWhole();
        using var held = await FileLock.AcquireAsync(_lockPath, cancel: cancel).ConfigureAwait(false);
        lock (_gate)
        {
            TakeTail();
            return _next;
        }
    }

    public ValueTask<long> FirstAsync(CancellationToken cancel = default) => ValueTask.FromResult(Files().Select(file => file.First).DefaultIfEmpty(_start).First());

    public ValueTask ForgetAsync(long size, CancellationToken cancel = default)
    {
        var files = Files();
        for (var i = 0; i + 1 < files.Count && files[i + 1].First <= size; i++)
            File.Delete(files[i].Path);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_reserved)
            {
                using var held = await FileLock.AcquireAsync(_lockPath).ConfigureAwait(false);
                lock (_gate)
                    GiveBack();
            }
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            // Zeros behind the last batch are not promised to anyone.
        }

        lock (_gate)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    private long Append(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        TakeTail();
        if (_file is null || _offset > RotateAboveBytes)
            Begin(_next);
        var size = JournalRecord.SizeOf(entries);
        if (size > Array.MaxLength)
            throw new ArgumentException($"A batch of {size} bytes is too large: append it in parts.", nameof(entries));
        var buffer = ArrayPool<byte>.Shared.Rent((int)size);
        try
        {
            var record = buffer.AsSpan(0, (int)size);
            JournalRecord.Write(record, _next, entries);
            Reserve(size);
            RandomAccess.Write(_file!, record, _offset);
            FileSystemFlush.FlushContent(_file!);
            RequireSameFile(record[..JournalRecord.HeadBytes]);
        }
        catch (Exception failure)
        {
            CutOff();
            throw failure is IOException ? failure : new IOException($"The journal in {_folder} could not be written: {failure.Message}", failure);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var first = _next;
        _next += entries.Count;
        _offset += size;
        return first;
    }

    /// <summary>After a failed write nothing of the batch may be taken for durable: by this process, whose next call reads the file again, or by another.</summary>
    private void CutOff()
    {
        try
        {
            RandomAccess.SetLength(_file!, _offset);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The disk refuses this too. The bytes stay behind the last promised record; whoever comes next judges them anew.
        }

        _file!.Dispose();
        (_file, _next) = (null, -1);
    }

    private void Begin(long first)
    {
        if (!Directory.Exists(_folder))
        {
            var parent = Path.GetDirectoryName(_folder)!;
            if (!Directory.Exists(parent))
                throw new DirectoryNotFoundException($"The log's folder {parent} is gone.");
            Directory.CreateDirectory(_folder);
            DirectoryFlush.Flush(parent);
        }

        var begun = File.OpenHandle(PathOf(first), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);   // never over another's
        _file?.Dispose();
        _file = begun;
        DirectoryFlush.Flush(_folder);
        (_fileFirst, _offset, _flushed, _endsInZeros) = (first, 0, true, true);
    }

    private string PathOf(long first) => Path.Combine(_folder, first.ToString("D20", CultureInfo.InvariantCulture) + ".journal");

    /// <summary>The journal's files, oldest first.</summary>
    private List<(long First, string Path)> Files() => !Directory.Exists(_folder) ? [] : [..
        Directory.EnumerateFiles(_folder, "*.journal")
            .Select(path => (First: long.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out var first) ? first : -1, path))
            .Where(file => file.First >= 0).OrderBy(file => file.First)];
}
