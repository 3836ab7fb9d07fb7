using System.Collections.Concurrent;
using System.Diagnostics;

namespace Bulwark.Server;

/// <summary>How many requests each client may send: an even rate with a burst, by its certificate. Thread-safe.</summary>
/// <remarks>Source: the generic cell rate algorithm (ITU-T I.371, Annex A), virtual scheduling: one number a client.</remarks>
internal sealed class ClientRates(double perSecond, int burst, SharedRates? shared = null)
{
    private const int MostClients = 100_000;
    private readonly ConcurrentDictionary<string, StrongBox> _clients = new(StringComparer.Ordinal);
    private readonly long _interval = perSecond > 0 ? (long)(Stopwatch.Frequency / perSecond) : 0;

    /// <summary>Whether the client is within its rate at all gateways together, after <see cref="TryTake"/>.</summary>
    internal ValueTask<RateVerdict> AskOthersAsync(ClientConnection client) => shared is null ? new(RateVerdict.Within) : shared.TakeAsync(client.Thumbprint, perSecond, burst);

    /// <summary>False when the client is over its rate.</summary>
    /// <param name="client">Its pseudonym.</param>
    /// <param name="now">A timestamp in units of <see cref="Stopwatch.Frequency"/>.</param>
    internal bool TryTake(string client, long now)
    {
        if (_interval == 0)
            return true;
        if (_clients.Count >= MostClients)
            Forget(now);
        var due = _clients.GetOrAdd(client, static _ => new());
        while (true)
        {
            var expected = Volatile.Read(ref due.Arrival);
            var arrival = long.Max(expected, now);
            if (arrival - now > _interval * (burst - 1))
                return false;
            if (Interlocked.CompareExchange(ref due.Arrival, arrival + _interval, expected) == expected)
                return true;
        }
    }

    /// <summary>Clients that have been quiet have nothing to be remembered by.</summary>
    private void Forget(long now)
    {
        foreach (var (client, due) in _clients)
            if (Volatile.Read(ref due.Arrival) <= now)
                _clients.TryRemove(client, out _);
    }

    private sealed class StrongBox
    {
        internal long Arrival;
    }
}
