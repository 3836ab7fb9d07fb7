using System.Security.Cryptography;
using Bulwark.Cryptography;
using Microsoft.Data.Sqlite;

namespace Bulwark.Data;

/// <summary>The SQLite file of a <see cref="SubjectStore"/>: its tables, and the settings that leave nothing of a deleted key behind.</summary>
internal static class SubjectDatabase
{
    private const string FormatName = "bulwark-subjects/v1";

    private const string Tables = """
        CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS subjects (lookup BLOB PRIMARY KEY, token BLOB NOT NULL UNIQUE, epoch TEXT NOT NULL, wrapped BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS versions (id INTEGER PRIMARY KEY AUTOINCREMENT, dataset TEXT NOT NULL, version TEXT, commitment TEXT, file TEXT, begun INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS roots (version INTEGER NOT NULL, root TEXT NOT NULL, PRIMARY KEY (version, root)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS reach (token BLOB NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (token, version)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS untold (tombstone TEXT PRIMARY KEY, erasure TEXT NOT NULL) WITHOUT ROWID;
        """;

    internal static SqliteConnection Open(string path)
    {
        if (!File.Exists(path) && !OperatingSystem.IsWindows())
            File.Open(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }).Dispose();
        var database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWriteCreate, Pooling = false, DefaultTimeout = 60 }.ToString());
        try
        {
            database.Open();
            // Deleted bytes are overwritten with zeros; a commit is on the disk when it returns.
            using var settings = Command(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 20000;");
            settings.ExecuteNonQuery();
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Makes the tables where there are none, and names the keys.</summary>
    internal static void Initialise(SqliteConnection database, Func<(KeyId Index, KeyId Epoch)> keys)
    {
        using var transaction = database.BeginTransaction(deferred: false);
        using (var tables = Command(database, Tables))
            tables.ExecuteNonQuery();
        using var read = Command(database, "SELECT value FROM meta WHERE name = 'format'");
        if (read.ExecuteScalar() is string format)
        {
            if (format != FormatName)
                throw new InvalidDataException($"The store of subjects' keys is {format}; this version reads {FormatName}.");
        }
        else
        {
            var (index, epoch) = keys();
            using var write = Command(database, "INSERT INTO meta VALUES ('format', $format), ('index', $index), ('epoch', $epoch), ('begun', $begun)",
                ("$format", FormatName), ("$index", index.ToString()), ("$epoch", epoch.ToString()), ("$begun", $"{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}"));
            write.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    /// <summary>Moves everything into the main file and empties the write-ahead log, which may hold old pages.</summary>
    /// <returns>False when a reader was in the way; the next checkpoint does it.</returns>
    internal static bool EmptyLog(SqliteConnection database)
    {
        using var checkpoint = Command(database, "PRAGMA wal_checkpoint(TRUNCATE)");
        using var row = checkpoint.ExecuteReader();
        return row.Read() && row.GetInt64(0) == 0;
    }

    /// <exception cref="CryptographicException">The cell holds no bytes: the file was changed.</exception>
    internal static byte[] Bytes(SqliteDataReader row, int column) => row[column] as byte[] ?? throw new CryptographicException("The store of subjects' keys was changed.");

    internal static SqliteCommand Command(SqliteConnection database, string text, params ReadOnlySpan<(string Name, object Value)> values)
    {
        var command = database.CreateCommand();
        command.CommandText = text;
        foreach (var (name, value) in values)
            command.Parameters.AddWithValue(name, value);
        return command;
    }
}
