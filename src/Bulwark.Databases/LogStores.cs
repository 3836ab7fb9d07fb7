using Bulwark.Lineage;

namespace Bulwark.Databases;

/// <summary>Opens the store that a log was made with, from its name.</summary>
public static class LogStores
{
    /// <summary>How a store is named.</summary>
    public const string Forms = "files, sqlite:FILE, postgres:CONNECTION[;log=NAME]";

    /// <summary>Opens a store by its name; null is the journal in the log's own folder.</summary>
    /// <param name="name">One of <see cref="Forms"/>; a connection as Npgsql writes it, its password better in PGPASSWORD or PGPASSFILE.</param>
    /// <param name="directory">The log's folder, from which a relative FILE counts.</param>
    /// <param name="cancel">Ends the connecting.</param>
    /// <exception cref="FormatException">There is no such store.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static async Task<ILogStore?> OpenAsync(string? name, string directory, CancellationToken cancel = default)
    {
        if (name is null or "" or "files")
            return null;
        if (name.StartsWith("sqlite:", StringComparison.Ordinal))
            return SqliteLogStore.Open(Path.Combine(directory, name["sqlite:".Length..]), name);
        if (!name.StartsWith("postgres:", StringComparison.Ordinal))
            throw new FormatException($"'{name}' is no log store; known are {Forms}.");
        try
        {
            var parts = new System.Data.Common.DbConnectionStringBuilder { ConnectionString = name["postgres:".Length..] };   // values may be quoted
            var log = parts.TryGetValue("log", out var named) ? (string)named : "log";
            parts.Remove("log");
            return await PostgresLogStore.OpenAsync(parts.ConnectionString, log, cancel).ConfigureAwait(false);
        }
        catch (ArgumentException failure) when (failure is not ArgumentNullException)
        {
            throw new FormatException($"The connection of the log's store is malformed: {failure.Message}", failure);
        }
    }

    /// <summary>Opens the store of the log in a folder; null is the journal in the folder itself.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static Task<ILogStore?> OfAsync(string directory, CancellationToken cancel = default) => OpenAsync(TransparencyLog.StoreNameOf(directory), directory, cancel);
}
