using Bulwark.Attestation;

namespace Bulwark.Databases;

/// <summary>Opens the store that key brokers share, from its name.</summary>
public static class BrokerStores
{
    /// <summary>How a store is named.</summary>
    public const string Forms = "sqlite:FILE, postgres:CONNECTION[;broker=NAME]";

    /// <summary>Opens a store by its name.</summary>
    /// <param name="name">One of <see cref="Forms"/>; a connection as Npgsql writes it, its password better in PGPASSWORD or PGPASSFILE.</param>
    /// <exception cref="FormatException">There is no such store.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static IBrokerStore Open(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.StartsWith("sqlite:", StringComparison.Ordinal))
            return SqliteBrokerStore.Open(name["sqlite:".Length..]);
        if (!name.StartsWith("postgres:", StringComparison.Ordinal))
            throw new FormatException($"'{name}' is no broker's store; known are {Forms}.");
        var parts = name["postgres:".Length..].Split(';', StringSplitOptions.RemoveEmptyEntries);
        var broker = parts.FirstOrDefault(part => part.StartsWith("broker=", StringComparison.Ordinal))?["broker=".Length..] ?? "broker";
        try
        {
            return PostgresBrokerStore.Open(string.Join(';', parts.Where(part => !part.StartsWith("broker=", StringComparison.Ordinal))), broker);
        }
        catch (ArgumentException failure) when (failure is not ArgumentNullException)
        {
            throw new FormatException($"The connection of the broker's store is malformed: {failure.Message}", failure);
        }
    }
}
