using Bulwark.Lineage;
using Npgsql;
using NpgsqlTypes;

namespace Bulwark.Databases;

/// <summary>A log's entries in PostgreSQL, for teams: one binary COPY a batch, durable when it commits.</summary>
/// <remarks>
/// Writers anywhere may share the database: a transaction-level advisory lock makes them one sequencer at a time, and the next place is a row that
/// the same transaction moves on. Several logs may share a database; each has its id. Nothing is ever forgotten.
/// </remarks>
public sealed class PostgresLogStore : ILogStore
{
    private const int LockClass = 0x42574c47;   // "BWLG": keeps our locks apart from others' in the same database
    private const int InsertUpTo = 4;
    private readonly NpgsqlDataSource _source;
    private readonly int _log;
    private readonly SemaphoreSlim _write = new(1, 1);

    private PostgresLogStore(NpgsqlDataSource source, string name, int log) => (_source, Name, _log) = (source, name, log);

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Connects, and makes the tables when they are absent.</summary>
    /// <param name="connection">A connection string of Npgsql. A password in it works, but is better in PGPASSFILE: <see cref="Name"/> leaves it out.</param>
    /// <param name="log">Which log of the database, by its name; letters, digits and <c>._/-</c>.</param>
    /// <param name="cancel">Ends the connecting.</param>
    /// <exception cref="IOException">The server cannot be reached or refuses.</exception>
    public static async Task<PostgresLogStore> OpenAsync(string connection, string log = "log", CancellationToken cancel = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(log);
        var settings = new NpgsqlConnectionStringBuilder(connection) { Enlist = false, ApplicationName = "bulwark-log" };
        if (settings.MaxPoolSize > 8)
            settings.MaxPoolSize = 8;
        settings.Options = $"{settings.Options} -c synchronous_commit=on".Trim();   // a server that is set to answer early must not do so here
        var source = NpgsqlDataSource.Create(settings);
        try
        {
            await using var command = source.CreateCommand($"""
                SELECT pg_advisory_xact_lock({LockClass}, 0);
                CREATE TABLE IF NOT EXISTS bulwark_logs (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, next bigint NOT NULL DEFAULT 0);
                CREATE TABLE IF NOT EXISTS bulwark_log_entries (log int NOT NULL, place bigint NOT NULL, entry bytea NOT NULL, PRIMARY KEY (log, place));
                INSERT INTO bulwark_logs (name) VALUES (@name) ON CONFLICT (name) DO NOTHING;
                """);
            command.Parameters.AddWithValue("name", log);
            await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
            await using var read = source.CreateCommand("SELECT id FROM bulwark_logs WHERE name = @name");
            read.Parameters.AddWithValue("name", log);
            var id = (int)(await read.ExecuteScalarAsync(cancel).ConfigureAwait(false))!;
            return new PostgresLogStore(source, $"postgres:{Public(connection)};log={log}", id);
        }
        catch (NpgsqlException failure)
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw new IOException($"PostgreSQL at {settings.Host} cannot be used: {failure.Message}", failure);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(entries);
        await _write.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            return await (entries.Count <= InsertUpTo ? InsertAsync(entries) : CopyAsync(entries)).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            throw Refused(failure);
        }
        finally
        {
            _write.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> CountAsync(CancellationToken cancel = default)
    {
        try
        {
            // The next place is what was promised; the entries are counted too, so that a table put back without its neighbour shows.
            await using var command = _source.CreateCommand("""
                SELECT next, (SELECT coalesce(max(place) + 1, 0) FROM bulwark_log_entries WHERE log = @log) FROM bulwark_logs WHERE id = @log
                """);
            command.Parameters.AddWithValue("log", _log);
            await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            await row.ReadAsync(cancel).ConfigureAwait(false);
            var (next, there) = (row.GetInt64(0), row.GetInt64(1));
            return next == there ? next : throw new InvalidDataException($"{Name} promised places up to {next} and holds entries up to {there}: one of its tables was put back without the other.");
        }
        catch (NpgsqlException failure)
        {
            throw Refused(failure);
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> FirstAsync(CancellationToken cancel = default) => ValueTask.FromResult(0L);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ReadAsync(long first, int count, CancellationToken cancel = default)
    {
        const long MaximumReadBytes = 8 << 20;
        try
        {
            await using var command = _source.CreateCommand("SELECT place, entry FROM bulwark_log_entries WHERE log = @log AND place >= @first ORDER BY place LIMIT @count");
            command.Parameters.AddWithValue("log", _log);
            command.Parameters.AddWithValue("first", first);
            command.Parameters.AddWithValue("count", count);
            await using var rows = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            var entries = new List<ReadOnlyMemory<byte>>();
            for (var bytes = 0L; bytes < MaximumReadBytes && await rows.ReadAsync(cancel).ConfigureAwait(false); bytes += entries[^1].Length)
            {
                if (rows.GetInt64(0) != first + entries.Count)
                    throw new InvalidDataException($"{Name} lacks entry {first + entries.Count}: a row was removed.");
                entries.Add(rows.GetFieldValue<byte[]>(1));
            }

            return entries;
        }
        catch (NpgsqlException failure)
        {
            throw Refused(failure);
        }
    }

    /// <inheritdoc/>
    public ValueTask ForgetAsync(long size, CancellationToken cancel = default) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync().ConfigureAwait(false);
        _write.Dispose();
    }

    /// <summary>A few entries in one message to the server, which commits them together: no turn for the transaction, none for a COPY.</summary>
    private async Task<long> InsertAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        await using var connection = await _source.OpenConnectionAsync().ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"SELECT pg_advisory_xact_lock({LockClass}, {_log})"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"UPDATE bulwark_logs SET next = next + {entries.Count} WHERE id = {_log} RETURNING next"));
        for (var i = 0; i < entries.Count; i++)
        {
            var insert = new NpgsqlBatchCommand($"INSERT INTO bulwark_log_entries (log, place, entry) SELECT id, next - {entries.Count - i}, $1 FROM bulwark_logs WHERE id = {_log}");
            insert.Parameters.Add(new NpgsqlParameter { Value = entries[i], NpgsqlDbType = NpgsqlDbType.Bytea });
            batch.BatchCommands.Add(insert);
        }

        await using var rows = await batch.ExecuteReaderAsync().ConfigureAwait(false);
        await rows.NextResultAsync().ConfigureAwait(false);
        await rows.ReadAsync().ConfigureAwait(false);
        var first = rows.GetInt64(0) - entries.Count;
        while (await rows.NextResultAsync().ConfigureAwait(false))
        {
            // To the end of the message: only what is behind it is committed.
        }

        return first;
    }

    private async Task<long> CopyAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        await using var connection = await _source.OpenConnectionAsync().ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync().ConfigureAwait(false);
        long first;
        await using (var take = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand($"SELECT pg_advisory_xact_lock({LockClass}, {_log})"),
                new NpgsqlBatchCommand($"UPDATE bulwark_logs SET next = next + {entries.Count} WHERE id = {_log} RETURNING next"),
            },
        })
        {
            await using var rows = await take.ExecuteReaderAsync().ConfigureAwait(false);
            await rows.NextResultAsync().ConfigureAwait(false);
            await rows.ReadAsync().ConfigureAwait(false);
            first = rows.GetInt64(0) - entries.Count;
        }

        var copy = await connection.BeginBinaryImportAsync("COPY bulwark_log_entries (log, place, entry) FROM STDIN (FORMAT BINARY)").ConfigureAwait(false);
        await using (copy.ConfigureAwait(false))
        {
            for (var i = 0; i < entries.Count; i++)
            {
                await copy.StartRowAsync().ConfigureAwait(false);
                await copy.WriteAsync(_log, NpgsqlDbType.Integer).ConfigureAwait(false);
                await copy.WriteAsync(first + i, NpgsqlDbType.Bigint).ConfigureAwait(false);
                await copy.WriteAsync(entries[i], NpgsqlDbType.Bytea).ConfigureAwait(false);
            }

            await copy.CompleteAsync().ConfigureAwait(false);
        }

        await transaction.CommitAsync().ConfigureAwait(false);
        return first;
    }

    private IOException Refused(Exception failure) => new($"{Name} refused: {failure.Message}", failure);

    /// <summary>Everything that was asked for, such as how TLS is verified, without what is secret: the log is opened again by it.</summary>
    internal static string Public(string connection)
    {
        var settings = new NpgsqlConnectionStringBuilder(connection);
        foreach (var secret in (string[])["Password", "Passfile", "SSL Password"])
            settings.Remove(secret);
        return settings.ConnectionString;
    }
}
