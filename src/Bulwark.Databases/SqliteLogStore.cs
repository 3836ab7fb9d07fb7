using Bulwark.Lineage;
using Microsoft.Data.Sqlite;

namespace Bulwark.Databases;

/// <summary>A log's entries in an SQLite file: one transaction a batch, durable when it commits (write-ahead log, synchronous FULL).</summary>
/// <remarks>Processes on one machine may share the file: SQLite's write lock is the sequencer. Nothing is ever forgotten: the database is the entries' home.</remarks>
public sealed class SqliteLogStore : ILogStore
{
    private readonly SqliteConnection _writing;
    private readonly SqliteConnection _reading;
    private readonly SemaphoreSlim _write = new(1, 1);
    private readonly SemaphoreSlim _read = new(1, 1);

    private SqliteLogStore(string name, SqliteConnection writing, SqliteConnection reading) => (Name, _writing, _reading) = (name, writing, reading);

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Opens the file; makes it when absent.</summary>
    /// <param name="path">The database file, for this log alone.</param>
    /// <param name="name">The store's <see cref="Name"/>; null is <c>sqlite:</c> and the path.</param>
    /// <exception cref="IOException">It cannot be opened or is no log's database.</exception>
    public static SqliteLogStore Open(string path, string? name = null)
    {
        var connections = new List<SqliteConnection>();
        try
        {
            for (var i = 0; i < 2; i++)
            {
                var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 180 }.ToString());
                connections.Add(connection);
                connection.Open();
                Run(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=180000; PRAGMA wal_autocheckpoint=4000;");
            }

            Run(connections[0], "CREATE TABLE IF NOT EXISTS entries (place INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT;");
            return new SqliteLogStore(name ?? $"sqlite:{path}", connections[0], connections[1]);
        }
        catch (SqliteException failure)
        {
            connections.ForEach(connection => connection.Dispose());
            throw new IOException($"The log's database {path} cannot be opened: {failure.Message}", failure);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(entries);
        await _write.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            return Append(entries);
        }
        catch (SqliteException failure)
        {
            throw Refused(failure);
        }
        finally
        {
            _write.Release();
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> CountAsync(CancellationToken cancel = default) => ReadAsync(() => Next(_reading, null), cancel);

    /// <inheritdoc/>
    public ValueTask<long> FirstAsync(CancellationToken cancel = default) => ValueTask.FromResult(0L);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ReadAsync(long first, int count, CancellationToken cancel = default) => ReadAsync<IReadOnlyList<ReadOnlyMemory<byte>>>(() => Read(first, count), cancel);

    /// <inheritdoc/>
    public ValueTask ForgetAsync(long size, CancellationToken cancel = default) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _writing.Dispose();
        _reading.Dispose();
        _write.Dispose();
        _read.Dispose();
        return ValueTask.CompletedTask;
    }

    private long Append(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        using var transaction = _writing.BeginTransaction(deferred: false);   // takes the write lock now: between reading the next place and writing it nobody else comes
        var first = Next(_writing, transaction);
        using var insert = _writing.CreateCommand();
        insert.Transaction = transaction;
        insert.CommandText = "INSERT INTO entries (place, entry) VALUES ($place, $entry)";
        var place = insert.Parameters.Add("$place", SqliteType.Integer);
        var bytes = insert.Parameters.Add("$entry", SqliteType.Blob);
        insert.Prepare();
        for (var i = 0; i < entries.Count; i++)
        {
            place.Value = first + i;
            bytes.Value = entries[i].ToArray();
            insert.ExecuteNonQuery();
        }

        transaction.Commit();
        return first;
    }

    private List<ReadOnlyMemory<byte>> Read(long first, int count)
    {
        const long MaximumReadBytes = 8 << 20;
        using var select = _reading.CreateCommand();
        select.CommandText = "SELECT place, entry FROM entries WHERE place >= $first ORDER BY place LIMIT $count";
        select.Parameters.AddWithValue("$first", first);
        select.Parameters.AddWithValue("$count", count);
        using var rows = select.ExecuteReader();
        var entries = new List<ReadOnlyMemory<byte>>();
        for (var bytes = 0L; bytes < MaximumReadBytes && rows.Read(); bytes += entries[^1].Length)
        {
            if (rows.GetInt64(0) != first + entries.Count)
                throw new InvalidDataException($"{Name} lacks entry {first + entries.Count}: a row was removed.");
            entries.Add(rows.GetFieldValue<byte[]>(1));
        }

        return entries;
    }

    private static long Next(SqliteConnection connection, SqliteTransaction? transaction)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "SELECT coalesce(max(place) + 1, 0) FROM entries";
        return (long)command.ExecuteScalar()!;
    }

    private async ValueTask<T> ReadAsync<T>(Func<T> read, CancellationToken cancel)
    {
        await _read.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            return read();
        }
        catch (SqliteException failure)
        {
            throw Refused(failure);
        }
        finally
        {
            _read.Release();
        }
    }

    private IOException Refused(SqliteException failure) => new($"{Name} refused: {failure.Message}", failure);

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
