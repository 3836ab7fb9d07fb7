using Bulwark.Privacy;
using Microsoft.Data.Sqlite;

namespace Bulwark.Databases;

/// <summary>A privacy ledger's lines in an SQLite file: one transaction a group of lines, durable when it commits (write-ahead log, synchronous FULL).</summary>
/// <remarks>Processes on one machine may share the file; SQLite's write lock, taken when a session opens, is what keeps them apart.</remarks>
public sealed class SqliteLedgerStore : ILedgerStore
{
    private readonly SqliteConnection _connection;

    private SqliteLedgerStore(string path, SqliteConnection connection) => (Name, _connection) = ($"sqlite:{path}", connection);

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Opens the file; makes it when absent.</summary>
    /// <param name="path">The database file, for this ledger alone.</param>
    /// <exception cref="IOException">It cannot be opened or is no ledger's database.</exception>
    public static SqliteLedgerStore Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 180 }.ToString());
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = """
                PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=180000;
                CREATE TABLE IF NOT EXISTS ledger (place INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT;
                """;
            command.ExecuteNonQuery();
            return new SqliteLedgerStore(path, connection);
        }
        catch (SqliteException failure)
        {
            connection.Dispose();
            throw new IOException($"The ledger's database {path} cannot be opened: {failure.Message}", failure);
        }
    }

    ILedgerSession ILedgerStore.Open()
    {
        try
        {
            return new Session(this, _connection.BeginTransaction(deferred: false));   // takes the write lock now
        }
        catch (SqliteException failure)
        {
            throw Refused(failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private IOException Refused(SqliteException failure) => new($"The ledger's database {Name} refuses: {failure.Message}", failure);

    private sealed class Session(SqliteLedgerStore store, SqliteTransaction transaction) : ILedgerSession
    {
        private long _next;

        public IReadOnlyList<byte[]> Read(long first)
        {
            try
            {
                using var select = store._connection.CreateCommand();
                select.Transaction = transaction;
                select.CommandText = "SELECT place, line FROM ledger WHERE place >= $first ORDER BY place";
                select.Parameters.AddWithValue("$first", first);
                using var rows = select.ExecuteReader();
                var lines = LedgerRows.Read(rows, first, store.Name);
                _next = first + lines.Count;
                return lines;
            }
            catch (SqliteException failure)
            {
                throw store.Refused(failure);
            }
        }

        public void Append(IReadOnlyList<byte[]> lines)
        {
            try
            {
                using var insert = store._connection.CreateCommand();
                insert.Transaction = transaction;
                insert.CommandText = "INSERT INTO ledger (place, line) VALUES ($place, $line)";
                var place = insert.Parameters.Add("$place", SqliteType.Integer);
                var bytes = insert.Parameters.Add("$line", SqliteType.Blob);
                insert.Prepare();
                foreach (var line in lines)
                {
                    (place.Value, bytes.Value) = (_next++, line);
                    insert.ExecuteNonQuery();
                }

                transaction.Commit();
            }
            catch (SqliteException failure)
            {
                throw store.Refused(failure);
            }
        }

        public void Dispose() => transaction.Dispose();
    }
}
