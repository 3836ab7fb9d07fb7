using Bulwark.Attestation;
using Npgsql;

namespace Bulwark.Databases;

/// <summary>What key brokers must not forget, in PostgreSQL, for brokers on several machines: durable when a transaction commits.</summary>
/// <remarks>A transaction holds a transaction-level advisory lock, so brokers decide one after the other, and whoever dies lets go of it.</remarks>
public sealed class PostgresBrokerStore : IBrokerStore
{
    private const int LockClass = 0x4257424b;   // "BWBK": keeps our locks apart from others' in the same database
    private readonly NpgsqlDataSource _source;
    private readonly int _lock;
    private readonly string _broker;

    private PostgresBrokerStore(NpgsqlDataSource source, string name, string broker) => (_source, Name, _broker, _lock) = (source, name, broker, StableHash(broker));

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Connects, and makes the table when it is absent.</summary>
    /// <param name="connection">A connection string of Npgsql. A password in it works, but is better in PGPASSFILE: <see cref="Name"/> leaves it out.</param>
    /// <param name="broker">Which group of brokers of the database, by its name.</param>
    /// <exception cref="IOException">The server cannot be reached or refuses.</exception>
    public static PostgresBrokerStore Open(string connection, string broker = "broker")
    {
        ArgumentException.ThrowIfNullOrEmpty(broker);
        var settings = new NpgsqlConnectionStringBuilder(connection) { Enlist = false, ApplicationName = "bulwark-broker", MaxPoolSize = 8 };
        var source = NpgsqlDataSource.Create(settings);
        try
        {
            using var command = source.CreateCommand($"""
                SELECT pg_advisory_xact_lock({LockClass}, 0);
                CREATE TABLE IF NOT EXISTS bulwark_broker (broker text NOT NULL, bucket text NOT NULL, name text COLLATE "C" NOT NULL, value bytea NOT NULL, ends bigint, PRIMARY KEY (broker, bucket, name));
                """);
            command.ExecuteNonQuery();
            return new PostgresBrokerStore(source, $"postgres:Host={settings.Host};Port={settings.Port};Database={settings.Database};broker={broker}", broker);
        }
        catch (NpgsqlException failure)
        {
            source.Dispose();
            throw new IOException($"PostgreSQL at {settings.Host} cannot be used: {failure.Message}", failure);
        }
    }

    /// <inheritdoc/>
    public IBrokerTransaction Begin() => new Transaction(this, PostgresTurn.Take(_source, LockClass, _lock, Refused));

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    /// <summary>FNV-1a over UTF-8: the same in every process. Two names that share it only wait for each other.</summary>
    private static int StableHash(string name)
    {
        var hash = 2166136261u;
        foreach (var one in System.Text.Encoding.UTF8.GetBytes(name))
            hash = unchecked((hash ^ one) * 16777619u);
        return unchecked((int)(hash | 1));   // 0 is the lock of the table's making
    }

    private IOException Refused(Exception failure) => new($"The broker's database {Name} refuses: {failure.Message}", failure);

    private sealed class Transaction(PostgresBrokerStore store, PostgresTurn turn) : IBrokerTransaction
    {
        public byte[]? Get(string bucket, string key) => Run("SELECT value FROM bulwark_broker WHERE broker = @broker AND bucket = @bucket AND name = @name", command => command.ExecuteScalar() as byte[], ("bucket", bucket), ("name", key));

        public void Put(string bucket, string key, byte[] value, long? ends) => Run(
            "INSERT INTO bulwark_broker (broker, bucket, name, value, ends) VALUES (@broker, @bucket, @name, @value, @ends) ON CONFLICT (broker, bucket, name) DO UPDATE SET value = excluded.value, ends = excluded.ends",
            command => command.ExecuteNonQuery(), ("bucket", bucket), ("name", key), ("value", value), ("ends", ends is { } end ? end : DBNull.Value));

        public bool Remove(string bucket, string key) =>
            Run("DELETE FROM bulwark_broker WHERE broker = @broker AND bucket = @bucket AND name = @name", command => command.ExecuteNonQuery(), ("bucket", bucket), ("name", key)) > 0;

        public IReadOnlyList<KeyValuePair<string, byte[]>> List(string bucket, string prefix) =>
            Run("SELECT name, value FROM bulwark_broker WHERE broker = @broker AND bucket = @bucket AND starts_with(name, @prefix) ORDER BY name", command =>
            {
                using var rows = command.ExecuteReader();
                var found = new List<KeyValuePair<string, byte[]>>();
                while (rows.Read())
                    found.Add(KeyValuePair.Create(rows.GetString(0), rows.GetFieldValue<byte[]>(1)));
                return found;
            }, ("bucket", bucket), ("prefix", prefix));

        public int Count(string bucket, string prefix) =>
            Run("SELECT count(*) FROM bulwark_broker WHERE broker = @broker AND bucket = @bucket AND starts_with(name, @prefix)", command => (int)(long)command.ExecuteScalar()!, ("bucket", bucket), ("prefix", prefix));

        public void Expire(string bucket, long now) => Run("DELETE FROM bulwark_broker WHERE broker = @broker AND bucket = @bucket AND ends < @now", command => command.ExecuteNonQuery(), ("bucket", bucket), ("now", now));

        public void Commit()
        {
            try
            {
                turn.Transaction.Commit();
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                throw store.Refused(failure);
            }
        }

        public void Dispose() => turn.Dispose();

        private T Run<T>(string text, Func<NpgsqlCommand, T> run, params ReadOnlySpan<(string Name, object Value)> parameters)
        {
            try
            {
                using var command = new NpgsqlCommand(text, turn.Connection, turn.Transaction);
                command.Parameters.AddWithValue("broker", store._broker);
                foreach (var (name, value) in parameters)
                    command.Parameters.AddWithValue(name, value is DBNull ? NpgsqlTypes.NpgsqlDbType.Bigint : TypeOf(value), value);
                return run(command);
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                throw store.Refused(failure);
            }
        }

        private static NpgsqlTypes.NpgsqlDbType TypeOf(object value) => value switch
        {
            string => NpgsqlTypes.NpgsqlDbType.Text,
            byte[] => NpgsqlTypes.NpgsqlDbType.Bytea,
            _ => NpgsqlTypes.NpgsqlDbType.Bigint,
        };
    }
}
