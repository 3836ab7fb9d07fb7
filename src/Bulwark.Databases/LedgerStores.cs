using Bulwark.Privacy;

namespace Bulwark.Databases;

/// <summary>Opens the store that a privacy ledger is kept in, from its name.</summary>
public static class LedgerStores
{
    /// <summary>How a store is named.</summary>
    public const string Forms = "file:FILE, sqlite:FILE, postgres:CONNECTION[;ledger=NAME]";

    /// <summary>Opens a store by its name.</summary>
    /// <param name="name">One of <see cref="Forms"/>; a connection as Npgsql writes it, its password better in PGPASSWORD or PGPASSFILE.</param>
    /// <exception cref="FormatException">There is no such store.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static ILedgerStore Open(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.StartsWith("file:", StringComparison.Ordinal))
            return new FileLedgerStore(name["file:".Length..]);
        if (name.StartsWith("sqlite:", StringComparison.Ordinal))
            return SqliteLedgerStore.Open(name["sqlite:".Length..]);
        if (!name.StartsWith("postgres:", StringComparison.Ordinal))
            throw new FormatException($"'{name}' is no ledger store; known are {Forms}.");
        var parts = name["postgres:".Length..].Split(';', StringSplitOptions.RemoveEmptyEntries);
        var ledger = parts.FirstOrDefault(part => part.StartsWith("ledger=", StringComparison.Ordinal))?["ledger=".Length..] ?? "ledger";
        try
        {
            return PostgresLedgerStore.Open(string.Join(';', parts.Where(part => !part.StartsWith("ledger=", StringComparison.Ordinal))), ledger);
        }
        catch (ArgumentException failure) when (failure is not ArgumentNullException)
        {
            throw new FormatException($"The connection of the ledger's store is malformed: {failure.Message}", failure);
        }
    }
}
