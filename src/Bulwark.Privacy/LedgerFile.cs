using System.Security.Cryptography;
using System.Text.Json;

namespace Bulwark.Privacy;

/// <summary>The ledger's bytes: locked, chained, appended with fsync. Lines already read are not read again unless the file shrank.</summary>
internal sealed class LedgerFile : IDisposable
{
    private const string Start = "0000000000000000000000000000000000000000000000000000000000000000";
    private readonly string _path;
    private readonly List<LedgerEntry> _entries = [];
    private long _read;
    private bool _locked;

    internal LedgerFile(string path)
    {
        _path = path;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
    }

    internal IReadOnlyList<LedgerEntry> Entries => _entries;

    internal string Head { get; private set; } = Start;

    /// <summary>Runs <paramref name="work"/> while no other process can read or write the ledger.</summary>
    internal T Exclusively<T>(Func<T> work)
    {
        using var held = AcquireLock();
        _locked = true;
        try
        {
            Refresh();
            return work();
        }
        finally
        {
            _locked = false;
        }
    }

    internal void Append(LedgerEntry entry)
    {
        if (!_locked)
            throw new InvalidOperationException("The ledger is appended to under its lock only.");
        var chained = entry with { Previous = Head };
        var line = JsonSerializer.SerializeToUtf8Bytes(chained, LedgerEntry.Options);
        var created = !File.Exists(_path);
        using (var stream = new FileStream(_path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, 1))
        {
            stream.SetLength(_read);   // what a crash left after the last whole line was never acknowledged
            stream.Position = _read;
            stream.Write([.. line, (byte)'\n']);
            stream.Flush(flushToDisk: true);
        }

        if (created)
            FolderFlush.Run(Path.GetDirectoryName(_path)!);
        _read += line.Length + 1;
        _entries.Add(chained);
        Head = Hash(line);
    }

    public void Dispose()
    {
        // Nothing is held between operations: the lock lives as long as one.
    }

    private void Refresh()
    {
        var length = File.Exists(_path) ? new FileInfo(_path).Length : 0;
        if (length < _read)
            throw new InvalidDataException($"The privacy ledger {_path} is shorter than it was: lines were removed.");
        if (length == _read)
            return;
        using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = _read;
        var bytes = new byte[length - _read];
        stream.ReadExactly(bytes);
        for (var rest = bytes.AsSpan(); rest.IndexOf((byte)'\n') is >= 0 and var end; rest = rest[(end + 1)..])
        {
            Accept(rest[..end]);
            _read += end + 1;
        }
    }

    private void Accept(ReadOnlySpan<byte> line)
    {
        LedgerEntry entry;
        try
        {
            entry = JsonSerializer.Deserialize<LedgerEntry>(line, LedgerEntry.Options) ?? throw new JsonException("null");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"The privacy ledger {_path}, line {_entries.Count + 1}, is not an entry: {failure.Message}");
        }

        if (entry.Previous != Head)
            throw new InvalidDataException($"The privacy ledger {_path}, line {_entries.Count + 1}, does not follow the line before: a line was changed, removed or reordered.");
        _entries.Add(entry);
        Head = Hash(line);
    }

    private static string Hash(ReadOnlySpan<byte> line) => Convert.ToHexStringLower(SHA256.HashData(line));

    /// <summary>The operating system frees the lock when its holder dies, however it dies.</summary>
    private FileStream AcquireLock()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(_path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            }
            catch (IOException) when (attempt < 30_000)
            {
                Thread.Sleep(attempt < 100 ? 1 : 5);
            }
        }
    }
}
