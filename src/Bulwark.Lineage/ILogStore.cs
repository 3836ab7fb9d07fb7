namespace Bulwark.Lineage;

/// <summary>Where a log's entries become durable and get their places. The tree is rendered behind it, the same from every store.</summary>
/// <remarks>
/// One sequencer at a time gives out places; a store sees to that across processes. Implementations are thread-safe.
/// A place once given is never given again, and entries once given back as durable stay, whatever stops the process or the machine.
/// </remarks>
public interface ILogStore : IAsyncDisposable
{
    /// <summary>What it is and where, for people and for the log's <c>store</c> file; never a secret.</summary>
    string Name { get; }

    /// <summary>Makes entries durable, one behind the other; all or none.</summary>
    /// <param name="entries">At least one; each at most <see cref="TransparencyLog.MaximumEntryBytes"/> bytes.</param>
    /// <param name="cancel">Honoured only before anything is written.</param>
    /// <returns>The first one's place, from 0.</returns>
    /// <exception cref="IOException">The disk or the server refused. The entries were not promised to anyone.</exception>
    ValueTask<long> AppendAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, CancellationToken cancel = default);

    /// <summary>Entries that are durable, those of other processes included.</summary>
    /// <exception cref="InvalidDataException">What the store holds is damaged.</exception>
    ValueTask<long> CountAsync(CancellationToken cancel = default);

    /// <summary>The first place whose entry the store still has: 0, or above it where it forgets what stands in flushed tiles.</summary>
    ValueTask<long> FirstAsync(CancellationToken cancel = default);

    /// <summary>Durable entries in their order; fewer than asked for where the store ends or the answer would become large.</summary>
    /// <param name="first">From <see cref="FirstAsync"/> to <see cref="CountAsync"/>.</param>
    /// <param name="count">How many, at most.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="InvalidDataException">What the store holds is damaged.</exception>
    ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ReadAsync(long first, int count, CancellationToken cancel = default);

    /// <summary>Says that entries below <paramref name="size"/> stand in flushed tiles: the store may forget its own copy.</summary>
    ValueTask ForgetAsync(long size, CancellationToken cancel = default);
}
