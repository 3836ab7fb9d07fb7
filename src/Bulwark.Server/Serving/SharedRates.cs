namespace Bulwark.Server;

/// <summary>What a client may send to all gateways together, kept in Redis: an even rate with a burst, by the store's clock.</summary>
/// <remarks>
/// Asked after this gateway's own count, so that only who would pass here reaches the store. While Redis is away each request is refused (503), or this
/// gateway's own count alone holds, as its operator chose. Source: as <see cref="ClientRates"/>, one number a client, in microseconds.
/// </remarks>
/// <param name="store">Where gateways keep together what they have seen.</param>
/// <param name="goOnAlone">True when each gateway goes on by its own count while the store is away.</param>
public sealed class SharedRates(SharedQueries store, bool goOnAlone)
{
    /// <summary>Takes one request of a client.</summary>
    /// <param name="thumbprint">SHA-256 of the client's certificate.</param>
    /// <param name="perSecond">Its rate; 0 for no limit. Above a million the store counts a million.</param>
    /// <param name="burst">Requests at once before the rate holds.</param>
    internal async ValueTask<RateVerdict> TakeAsync(byte[] thumbprint, double perSecond, int burst) => perSecond <= 0 ? RateVerdict.Within
        : await store.IsWithinRateAsync(store.NameOf(thumbprint), (long)Math.Clamp(1e6 / perSecond, 1, 1e15), burst) switch
        {
            true => RateVerdict.Within,
            false => RateVerdict.Above,
            null => goOnAlone ? RateVerdict.Within : RateVerdict.Unknown,
        };
}

/// <summary>Whether a client is within its rate.</summary>
internal enum RateVerdict
{
    /// <summary>The store cannot be asked.</summary>
    Unknown = 0,

    /// <summary>It sends too much.</summary>
    Above,

    /// <summary>It is within.</summary>
    Within,
}
