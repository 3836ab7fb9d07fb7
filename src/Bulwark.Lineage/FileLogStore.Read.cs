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
        while (_offset < length && !EndsHere())
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

    /// <summary>Where zeros begin, all is zeros: looked at once, and from then on only at the next record's head.</summary>
    private bool EndsHere()
    {
        Span<byte> head = stackalloc byte[JournalRecord.HeadBytes];
        var read = RandomAccess.Read(_file!, head, _offset);
        return _endsInZeros && read > 0 && !head[..read].ContainsAnyExcept((byte)0);
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
        (_fileFirst, _offset, _next, _flushed, _endsInZeros) = (first, 0, first, false, false);
    }

    /// <summary>Puts away what a writer that died left; room for what comes stays.</summary>
    private void CutOffTorn(long length)
    {
        var tail = ReadTail(_file!, _offset, length);
        _endsInZeros = true;
        if (!IsTorn(tail, PathOf(_fileFirst), _offset, _next))
            return;
        if (_next < _start)
            throw Stale();
        KeepTorn(tail.AsSpan(0, tail.AsSpan().LastIndexOfAnyExcept((byte)0) + 1));
        RandomAccess.SetLength(_file!, _offset);
        _flushed = false;
    }

    /// <summary>A record that nothing follows and that is not whole was never promised. One with anything behind it was: then the journal is damaged. Zeros are neither.</summary>
    private static bool IsTorn(ReadOnlySpan<byte> tail, string path, long offset, long place)
    {
        if (!tail.ContainsAnyExcept((byte)0))
            return false;
        if (JournalRecord.ReadHead(tail[..Math.Min(tail.Length, JournalRecord.HeadBytes)]) is { } head)
        {
            if (head.First != place)
                throw Damaged(path, offset, $"it says that it begins with entry {head.First}, where entry {place} follows");
            if ((long)JournalRecord.HeadBytes + head.Payload < tail.Length && tail[(JournalRecord.HeadBytes + head.Payload)..].ContainsAnyExcept((byte)0))
                throw Damaged(path, offset, "its bytes do not give its digest, and more follow");
        }

        return !JournalRecord.HoldsWhole(tail[1..], place + 1) ? true : throw Damaged(path, offset, "it begins with no whole batch, and whole batches follow");
    }

    /// <summary>Looks at every batch as a writer would that comes next, without a lock and changing nothing.</summary>
    /// <exception cref="InvalidDataException">The journal is damaged.</exception>
    internal void RequireSound()
    {
        var files = Files();
        for (var i = 0; i < files.Count; i++)
        {
            try
            {
                using var file = File.OpenHandle(files[i].Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                var place = Walk(file, files[i]);
                if (i + 1 < files.Count && files[i + 1].First != place)
                    throw Damaged(files[i].Path, RandomAccess.GetLength(file), $"it ends before entry {place}, and the next file begins with {files[i + 1].First}");
            }
            catch (FileNotFoundException)
            {
                // Forgotten meanwhile: it stands in the tree.
            }
        }
    }

    /// <summary>The place behind a file's last whole record; what stands there must be what a writer leaves.</summary>
    private static long Walk(Microsoft.Win32.SafeHandles.SafeFileHandle file, (long First, string Path) of)
    {
        var (offset, place) = (0L, of.First);
        while (true)
        {
            while (ReadHead(file, offset, place) is { } head && ReadRecord(file, offset, head.Payload) is not null)
                (offset, place) = (offset + JournalRecord.HeadBytes + head.Payload, place + head.Count);
            try
            {
                IsTorn(ReadTail(file, offset, RandomAccess.GetLength(file)), of.Path, offset, place);
                return place;
            }
            catch (InvalidDataException) when (ReadHead(file, offset, place) is { } head && ReadRecord(file, offset, head.Payload) is not null)
            {
                // A writer has finished the batch since: on behind it.
            }
        }
    }

    /// <summary>What writers found behind the last whole batch and put away.</summary>
    internal IReadOnlyList<string> TornFiles() => !Directory.Exists(_folder) ? [] : [.. Directory.EnumerateFiles(_folder, "*.torn").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static byte[] ReadTail(Microsoft.Win32.SafeHandles.SafeFileHandle file, long offset, long length)
    {
        var tail = new byte[checked((int)(length - offset))];
        for (int read = 0, more = 1; read < tail.Length && more > 0; read += more)
            more = RandomAccess.Read(file, tail.AsSpan(read), offset + read);
        return tail;
    }

    /// <summary>Nothing is deleted for good: damage to the last batch makes it look torn, so what is cut off stays in a file beside the journal.</summary>
    private void KeepTorn(ReadOnlySpan<byte> tail)
    {
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
