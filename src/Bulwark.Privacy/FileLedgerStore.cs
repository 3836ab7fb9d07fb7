namespace Bulwark.Privacy;

/// <summary>The ledger as one file of lines that many processes share: locked by a file beside it, appended to with fsync.</summary>
/// <param name="path">The file; its folder is made when it is missing.</param>
public sealed class FileLedgerStore(string path) : ILedgerStore
{
    private readonly List<long> _starts = [];   // where each line begins that was read or written here
    private long _end;

    /// <inheritdoc/>
    public string Name { get; } = Path.GetFullPath(path);

    internal Action<LedgerStep>? Step { get; init; }

    /// <inheritdoc/>
    public ILedgerSession Open()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Name)!);
        return new Session(this, AcquireLock());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held between operations: the lock lives as long as one.
    }

    private List<byte[]> Read(long first)
    {
        var length = File.Exists(Name) ? new FileInfo(Name).Length : 0;
        if (length < _end)
            throw new InvalidDataException($"The privacy ledger {Name} is shorter than it was: lines were removed.");
        var lines = new List<byte[]>();
        if (length == 0)
            return lines;
        var from = first < _starts.Count ? _starts[(int)first] : _end;
        using var stream = new FileStream(Name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = from;
        var bytes = new byte[length - from];
        stream.ReadExactly(bytes);
        var at = from;
        for (var rest = bytes.AsSpan(); rest.IndexOf((byte)'\n') is >= 0 and var end; rest = rest[(end + 1)..])
        {
            lines.Add(rest[..end].ToArray());
            if (at >= _end)
                _starts.Add(at);
            at += end + 1;
        }

        _end = Math.Max(_end, at);
        return lines;
    }

    private void Append(IReadOnlyList<byte[]> lines)
    {
        var bytes = new byte[lines.Sum(line => line.Length + 1)];
        var starts = new List<long>(lines.Count);
        var at = 0;
        foreach (var line in lines)
        {
            starts.Add(_end + at);
            line.CopyTo(bytes, at);
            at += line.Length;
            bytes[at++] = (byte)'\n';
        }

        var created = !File.Exists(Name);
        using (var stream = new FileStream(Name, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, 1))
        {
            stream.SetLength(_end);   // what a crash left after the last whole line was never acknowledged
            stream.Position = _end;
            if (Step is not null)
            {
                stream.Write(bytes.AsSpan(0, bytes.Length / 2));
                Step(LedgerStep.Writing);
                stream.Write(bytes.AsSpan(bytes.Length / 2));
            }
            else
            {
                stream.Write(bytes);
            }

            Step?.Invoke(LedgerStep.Written);
            stream.Flush(flushToDisk: true);
        }

        if (created)
            FolderFlush.Run(Path.GetDirectoryName(Name)!);
        _starts.AddRange(starts);
        _end += bytes.Length;
        Step?.Invoke(LedgerStep.Durable);
    }

    /// <summary>The operating system frees the lock when its holder dies, however it dies.</summary>
    /// <exception cref="IOException">The lock's file cannot be made, or another process kept it for minutes.</exception>
    private FileStream AcquireLock()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(Name + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            }
            catch (IOException failure) when (failure is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
            {
                if (attempt == 30_000)
                    throw new IOException($"The privacy ledger {Name} is held by another process, or its lock cannot be made: {failure.Message}", failure);
                Thread.Sleep(attempt < 100 ? 1 : 5);
            }
        }
    }

    private sealed class Session : ILedgerSession
    {
        private readonly FileLedgerStore _store;
        private readonly FileStream _lock;

        internal Session(FileLedgerStore store, FileStream held)
        {
            (_store, _lock) = (store, held);
            store.Step?.Invoke(LedgerStep.Locked);
        }

        public IReadOnlyList<byte[]> Read(long first) => _store.Read(first);

        public void Append(IReadOnlyList<byte[]> lines) => _store.Append(lines);

        public void Dispose() => _lock.Dispose();
    }
}
