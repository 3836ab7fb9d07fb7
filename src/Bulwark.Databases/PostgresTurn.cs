using Npgsql;

namespace Bulwark.Databases;

/// <summary>One writer's turn: a transaction that holds an advisory lock. Who wants the same lock waits, and whoever dies lets go of it.</summary>
internal sealed record PostgresTurn(NpgsqlConnection Connection, NpgsqlTransaction Transaction) : IDisposable
{
    /// <summary>Waits for the turn; a server that cannot be used is what <paramref name="refused"/> makes of it.</summary>
    internal static PostgresTurn Take(NpgsqlDataSource source, int lockClass, int key, Func<Exception, IOException> refused)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = source.OpenConnection();
            var transaction = connection.BeginTransaction();
            // What the server's default is does not matter: what is committed is on the disk before anybody is told of it.
            using var command = new NpgsqlCommand($"SET LOCAL synchronous_commit = on; SELECT pg_advisory_xact_lock({lockClass}, {key})", connection, transaction);
            command.ExecuteNonQuery();
            return new(connection, transaction);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            connection?.Dispose();
            throw refused(failure);
        }
    }

    public void Dispose()
    {
        Transaction.Dispose();
        Connection.Dispose();
    }
}
