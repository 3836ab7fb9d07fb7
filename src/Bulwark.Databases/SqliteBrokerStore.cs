using Bulwark.Attestation;
using Microsoft.Data.Sqlite;

namespace Bulwark.Databases;

/// <summary>What key brokers must not forget, in an SQLite file: durable when a transaction commits (write-ahead log, synchronous FULL).</summary>
/// <remarks>Brokers on one machine may share the file; SQLite's write lock, taken when a transaction begins, puts them one after the other.</remarks>
public sealed class SqliteBrokerStore : IBrokerStore
{
    private readonly string _connection;

    private SqliteBrokerStore(string path, string connection) => (Name, _connection) = ($"sqlite:{path}", connection);

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Opens the file; makes it when absent.</summary>
    /// <param name="path">The database file, for brokers alone.</param>
    /// <exception cref="IOException">It cannot be opened or is no broker's database.</exception>
    public static SqliteBrokerStore Open(string path)
    {
        var store = new SqliteBrokerStore(path, new SqliteConnectionStringBuilder { DataSource = path, Pooling = true, DefaultTimeout = 60 }.ToString());
        try
        {
            using var connection = store.Connect();
            using var command = connection.CreateCommand();
            command.CommandText = """
                PRAGMA journal_mode=WAL;
                CREATE TABLE IF NOT EXISTS broker (bucket TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, ends INTEGER, PRIMARY KEY (bucket, name)) STRICT, WITHOUT ROWID;
                """;
            command.ExecuteNonQuery();
            return store;
        }
        catch (SqliteException failure)
        {
            throw new IOException($"The broker's database {path} cannot be opened: {failure.Message}", failure);
        }
    }

    /// <inheritdoc/>
    public IBrokerTransaction Begin()
    {
        SqliteConnection? connection = null;
        try
        {
            connection = Connect();
            return new Transaction(this, connection, connection.BeginTransaction(deferred: false));   // takes the write lock now
        }
        catch (SqliteException failure)
        {
            connection?.Dispose();
            throw Refused(failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using var connection = new SqliteConnection(_connection);
        SqliteConnection.ClearPool(connection);
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(_connection);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA synchronous=FULL; PRAGMA busy_timeout=60000;";
        command.ExecuteNonQuery();
        return connection;
    }

    private IOException Refused(SqliteException failure) => new($"The broker's database {Name} refuses: {failure.Message}", failure);

    private sealed class Transaction(SqliteBrokerStore store, SqliteConnection connection, SqliteTransaction transaction) : IBrokerTransaction
    {
        public byte[]? Get(string bucket, string key) => Run("SELECT value FROM broker WHERE bucket = $bucket AND name = $name", command => command.ExecuteScalar() as byte[], ("$bucket", bucket), ("$name", key));

        public void Put(string bucket, string key, byte[] value, long? ends) => Run(
            "INSERT INTO broker (bucket, name, value, ends) VALUES ($bucket, $name, $value, $ends) ON CONFLICT (bucket, name) DO UPDATE SET value = excluded.value, ends = excluded.ends",
            command => command.ExecuteNonQuery(), ("$bucket", bucket), ("$name", key), ("$value", value), ("$ends", ends is { } end ? end : DBNull.Value));

        public bool Remove(string bucket, string key) => Run("DELETE FROM broker WHERE bucket = $bucket AND name = $name", command => command.ExecuteNonQuery(), ("$bucket", bucket), ("$name", key)) > 0;

        public IReadOnlyList<KeyValuePair<string, byte[]>> List(string bucket, string prefix) => Run("SELECT name, value FROM broker WHERE bucket = $bucket AND substr(name, 1, length($prefix)) = $prefix ORDER BY name", command =>
        {
            using var rows = command.ExecuteReader();
            var found = new List<KeyValuePair<string, byte[]>>();
            while (rows.Read())
                found.Add(KeyValuePair.Create(rows.GetString(0), rows.GetFieldValue<byte[]>(1)));
            return found;
        }, ("$bucket", bucket), ("$prefix", prefix));

        public int Count(string bucket, string prefix) =>
            Run("SELECT count(*) FROM broker WHERE bucket = $bucket AND substr(name, 1, length($prefix)) = $prefix", command => (int)(long)command.ExecuteScalar()!, ("$bucket", bucket), ("$prefix", prefix));

        public void Expire(string bucket, long now) => Run("DELETE FROM broker WHERE bucket = $bucket AND ends < $now", command => command.ExecuteNonQuery(), ("$bucket", bucket), ("$now", now));

        public void Commit()
        {
            try
            {
                transaction.Commit();
            }
            catch (SqliteException failure)
            {
                throw store.Refused(failure);
            }
        }

        public void Dispose()
        {
            transaction.Dispose();
            connection.Dispose();
        }

        private T Run<T>(string text, Func<SqliteCommand, T> run, params ReadOnlySpan<(string Name, object Value)> parameters)
        {
            try
            {
                using var command = connection.CreateCommand();
                (command.Transaction, command.CommandText) = (transaction, text);
                foreach (var (name, value) in parameters)
                    command.Parameters.AddWithValue(name, value);
                return run(command);
            }
            catch (SqliteException failure)
            {
                throw store.Refused(failure);
            }
        }
    }
}
