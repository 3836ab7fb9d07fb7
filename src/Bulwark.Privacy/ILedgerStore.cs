namespace Bulwark.Privacy;

/// <summary>Where the ledger's lines are kept. The chain, the budgets and the accounting are the ledger's own; a store only keeps lines, in order, for good.</summary>
public interface ILedgerStore : IDisposable
{
    /// <summary>What messages call it: a path, or a database's name without its password.</summary>
    string Name { get; }

    /// <summary>Waits until no other process reads or writes the ledger, and keeps it so until the session is disposed of. A holder that dies frees it.</summary>
    ILedgerSession Open();
}

/// <summary>The ledger while nobody else can read or write it.</summary>
public interface ILedgerSession : IDisposable
{
    /// <summary>The lines from number <paramref name="first"/> on, without their ends.</summary>
    /// <param name="first">From 0. A store that holds fewer lines than it gave out before throws.</param>
    /// <exception cref="InvalidDataException">Lines were removed.</exception>
    IReadOnlyList<byte[]> Read(long first);

    /// <summary>Appends lines; all of them are durable when this returns, or none will ever be seen half.</summary>
    void Append(IReadOnlyList<byte[]> lines);
}

/// <summary>Moments of an append, for tests that kill the process there.</summary>
internal enum LedgerStep
{
    Locked,
    Writing,
    Written,
    Durable,
}
