namespace Bulwark.Lineage;

internal sealed partial class FileLogStore
{
    private const int MaximumReadBytes = 8 << 20;
    private (string Path, long Offset, long Place)? _cursor;

    public ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ReadAsync(long first, int count, CancellationToken cancel = default)
    {
        lock (_gate)
        {
            var entries = new List<ReadOnlyMemory<byte>>();
            var bytes = 0L;
            foreach (var (place, entry) in From(first))
            {
                if (place >= first && entries.Count < count && bytes < MaximumReadBytes)
                {
                    if (place != first + entries.Count)
                        throw new InvalidDataException($"The journal in {_folder} lacks entry {first + entries.Count}: it goes on with {place}. It was damaged, or is older than the tree. See log fsck.");
                    entries.Add(entry);
                    bytes += entry.Length;
                }
                else if (place >= first)
                {
                    break;
                }
            }

            return ValueTask.FromResult<IReadOnlyList<ReadOnlyMemory<byte>>>(entries);
        }
    }

    /// <summary>Entries of whole records from the one that holds <paramref name="first"/> on, up to the last promised one when that is known.</summary>
    private IEnumerable<(long Place, ReadOnlyMemory<byte> Entry)> From(long first)
    {
        var files = Files();
        var start = files.FindLastIndex(file => file.First <= first);
        for (var i = Math.Max(start, 0); i < files.Count; i++)
        {
            using var file = File.OpenHandle(files[i].Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var (offset, place) = _cursor is { } cursor && cursor.Path == files[i].Path && cursor.Place <= first ? (cursor.Offset, cursor.Place) : (0, files[i].First);
            while (ReadHead(file, offset, place) is { } head && (_next < 0 || place < _next))
            {
                if (place + head.Count > first)
                {
                    _cursor = (files[i].Path, offset, place);
                    var record = ReadRecord(file, offset, head.Payload) ?? throw Damaged(files[i].Path, offset, "its bytes do not give its digest");
                    var entries = TileLayout.SplitBundle(record.AsMemory(JournalRecord.HeadBytes));
                    if (entries.Count != head.Count)
                        throw Damaged(files[i].Path, offset, $"it has {entries.Count} entries and says {head.Count}");
                    for (var entry = 0; entry < entries.Count; entry++)
                        yield return (place + entry, entries[entry]);
                }

                offset += JournalRecord.HeadBytes + head.Payload;
                place += head.Count;
            }
        }
    }

    /// <summary>The place behind the last whole record, without a lock.</summary>
    private long CountWhole()
    {
        if (Files() is not [.., var newest])
            return _start;
        using var file = File.OpenHandle(newest.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var (offset, place) = (0L, newest.First);
        while (ReadHead(file, offset, place) is { } head && RandomAccess.GetLength(file) >= offset + JournalRecord.HeadBytes + head.Payload)
            (offset, place) = (offset + JournalRecord.HeadBytes + head.Payload, place + head.Count);
        return place;
    }

    /// <summary>Finds where the journal ends now, which another process may have moved. Called under the folder's lock.</summary>
    /// <exception cref="InvalidDataException">The journal is damaged before its end, or shorter than what this process was told is durable.</exception>
    private void TakeTail()
    {
        if (_file is null || _offset > RotateAboveBytes)
            OpenNewest();
        if (_file is null)
            return;
        Scan();
        while (Files() is [.., var newest] && newest.First != _fileFirst)   // another process has begun a new file behind the one at hand
        {
            OpenNewest();
            Scan();
        }

        if (_next < _start)
            throw Stale();
        if (!_flushed)
        {
            RandomAccess.FlushToDisk(_file);   // its writer may have died before it flushed
            _flushed = true;
        }
    }

    private void Scan()
    {
        var length = RandomAccess.GetLength(_file!);
        if (length < _offset)
            throw new InvalidDataException($"{PathOf(_fileFirst)} is shorter than what was written to it: someone cut it or put an older one in its place.");
        while (_offset < length)
        {
            if (ReadHead(_file!, _offset, _next) is not { } head || ReadRecord(_file!, _offset, head.Payload) is null)
            {
                CutOffTorn(length);
                break;
            }

            _offset += JournalRecord.HeadBytes + head.Payload;
            _next += head.Count;
            _flushed = false;
        }
    }

    private void OpenNewest()
    {
        var files = Files();
        if (files.Count == 0)
        {
            _next = Math.Max(_next, _start);
            return;
        }

        var (first, path) = files[^1];
        if (_file is not null && first == _fileFirst)
            return;
        _file?.Dispose();
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (first < _next)
            throw new InvalidDataException($"The journal ends with {path}, before entry {_next} that was promised: an older one was put in its place.");
        (_fileFirst, _offset, _next, _flushed) = (first, 0, first, false);
    }

    /// <summary>A record that reaches the end of the file and is not whole was never promised. One with whole bytes behind it was: then the journal is damaged.</summary>
    private void CutOffTorn(long length)
    {
        Span<byte> bytes = stackalloc byte[JournalRecord.HeadBytes];
        var read = RandomAccess.Read(_file!, bytes, _offset);
        var head = JournalRecord.ReadHead(bytes[..read]);
        if (head is { } known && known.First != _next)
            throw Damaged(PathOf(_fileFirst), _offset, $"it says that it begins with entry {known.First}, where entry {_next} follows");
        if (head is { } whole && _offset + JournalRecord.HeadBytes + whole.Payload < length)
            throw Damaged(PathOf(_fileFirst), _offset, "its bytes do not give its digest, and more follow");
        if (head is null && read == bytes.Length && bytes.ContainsAnyExcept((byte)0))
            throw Damaged(PathOf(_fileFirst), _offset, "it begins with no head");
        if (_next < _start)
            throw Stale();
        KeepTorn(length);
        RandomAccess.SetLength(_file!, _offset);
        _flushed = false;
    }

    /// <summary>Nothing is deleted for good: a length that was changed makes whole records look torn. Those are found, and all else stays in a file beside the journal.</summary>
    private void KeepTorn(long length)
    {
        var tail = new byte[checked((int)(length - _offset))];
        for (int read = 0, more = 1; read < tail.Length && more > 0; read += more)
            more = RandomAccess.Read(_file!, tail.AsSpan(read), _offset + read);
        if (!tail.AsSpan().ContainsAnyExcept((byte)0))
            return;
        if (JournalRecord.HoldsWhole(tail.AsSpan(1), _next + 1))
            throw Damaged(PathOf(_fileFirst), _offset, "its length does not fit, and whole batches follow");
        for (var i = 0; ; i++)
        {
            var path = $"{PathOf(_fileFirst)[..^".journal".Length]}-{_offset}-{i}.torn";
            if (File.Exists(path))
                continue;
            Cryptography.AtomicFile.Write(path, tail);
            return;
        }
    }

    private InvalidDataException Stale() => new(
        $"The journal in {_folder} ends before entry {_next}, but the tree has {_start}: it was damaged, or an older one was put in its place. The log takes no entry until it is put right: see log fsck.");

    private static (int Payload, long First, int Count)? ReadHead(Microsoft.Win32.SafeHandles.SafeFileHandle file, long offset, long place)
    {
        Span<byte> head = stackalloc byte[JournalRecord.HeadBytes];
        return RandomAccess.Read(file, head, offset) == head.Length && JournalRecord.ReadHead(head) is { } known && known.First == place ? known : null;
    }

    private static byte[]? ReadRecord(Microsoft.Win32.SafeHandles.SafeFileHandle file, long offset, int payload)
    {
        if (RandomAccess.GetLength(file) < offset + JournalRecord.HeadBytes + payload)
            return null;
        var record = new byte[JournalRecord.HeadBytes + payload];
        for (var read = 0; read < record.Length;)
        {
            if (RandomAccess.Read(file, record.AsSpan(read), offset + read) is not (> 0 and var more))
                return null;
            read += more;
        }

        return JournalRecord.IsWhole(record) ? record : null;
    }

    private static InvalidDataException Damaged(string path, long offset, string why) =>
        new($"The journal {path} is damaged at byte {offset}: {why}. The log takes no entry until it is put right: see log fsck.");
}
