using Bulwark.Privacy;
using Npgsql;
using NpgsqlTypes;

namespace Bulwark.Databases;

/// <summary>A privacy ledger's lines in PostgreSQL, for machines that share one budget: one transaction a group of lines, durable when it commits.</summary>
/// <remarks>A session holds a transaction-level advisory lock: whoever dies lets go of it. Several ledgers may share a database; each has its name.</remarks>
public sealed class PostgresLedgerStore : ILedgerStore
{
    private const int LockClass = 0x42574c44;   // "BWLD": keeps our locks apart from others' in the same database
    private readonly NpgsqlDataSource _source;
    private readonly int _ledger;

    private PostgresLedgerStore(NpgsqlDataSource source, string name, int ledger) => (_source, Name, _ledger) = (source, name, ledger);

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Connects, and makes the tables when they are absent.</summary>
    /// <param name="connection">A connection string of Npgsql. A password in it works, but is better in PGPASSFILE: <see cref="Name"/> leaves it out.</param>
    /// <param name="ledger">Which ledger of the database, by its name.</param>
    /// <exception cref="IOException">The server cannot be reached or refuses.</exception>
    public static PostgresLedgerStore Open(string connection, string ledger = "ledger")
    {
        ArgumentException.ThrowIfNullOrEmpty(ledger);
        var settings = new NpgsqlConnectionStringBuilder(connection) { Enlist = false, ApplicationName = "bulwark-ledger", MaxPoolSize = 2 };
        var source = NpgsqlDataSource.Create(settings);
        try
        {
            using var command = source.CreateCommand($"""
                SELECT pg_advisory_xact_lock({LockClass}, 0);
                CREATE TABLE IF NOT EXISTS bulwark_ledgers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
                CREATE TABLE IF NOT EXISTS bulwark_ledger_lines (ledger int NOT NULL, place bigint NOT NULL, line bytea NOT NULL, PRIMARY KEY (ledger, place));
                INSERT INTO bulwark_ledgers (name) VALUES (@name) ON CONFLICT (name) DO NOTHING;
                """);
            command.Parameters.AddWithValue("name", ledger);
            command.ExecuteNonQuery();
            using var read = source.CreateCommand("SELECT id FROM bulwark_ledgers WHERE name = @name");
            read.Parameters.AddWithValue("name", ledger);
            return new PostgresLedgerStore(source, $"postgres:Host={settings.Host};Port={settings.Port};Database={settings.Database};ledger={ledger}", (int)read.ExecuteScalar()!);
        }
        catch (NpgsqlException failure)
        {
            source.Dispose();
            throw new IOException($"PostgreSQL at {settings.Host} cannot be used: {failure.Message}", failure);
        }
    }

    ILedgerSession ILedgerStore.Open() => new Session(this, PostgresTurn.Take(_source, LockClass, _ledger, Refused));

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private IOException Refused(Exception failure) => new($"The ledger's database {Name} refuses: {failure.Message}", failure);

    private sealed class Session(PostgresLedgerStore store, PostgresTurn turn) : ILedgerSession
    {
        private long _next;

        public IReadOnlyList<byte[]> Read(long first)
        {
            try
            {
                using var select = new NpgsqlCommand("SELECT place, line FROM bulwark_ledger_lines WHERE ledger = @ledger AND place >= @first ORDER BY place", turn.Connection, turn.Transaction);
                select.Parameters.AddWithValue("ledger", store._ledger);
                select.Parameters.AddWithValue("first", first);
                using var rows = select.ExecuteReader();
                var lines = LedgerRows.Read(rows, first, store.Name);
                _next = first + lines.Count;
                return lines;
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                throw store.Refused(failure);
            }
        }

        public void Append(IReadOnlyList<byte[]> lines)
        {
            try
            {
                using (var copy = turn.Connection.BeginBinaryImport("COPY bulwark_ledger_lines (ledger, place, line) FROM STDIN (FORMAT BINARY)"))
                {
                    foreach (var line in lines)
                    {
                        copy.StartRow();
                        copy.Write(store._ledger, NpgsqlDbType.Integer);
                        copy.Write(_next++, NpgsqlDbType.Bigint);
                        copy.Write(line, NpgsqlDbType.Bytea);
                    }

                    copy.Complete();
                }

                turn.Transaction.Commit();
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                throw store.Refused(failure);
            }
        }

        public void Dispose() => turn.Dispose();
    }
}
