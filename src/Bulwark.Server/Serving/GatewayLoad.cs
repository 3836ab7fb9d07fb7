namespace Bulwark.Server;

/// <summary>How many requests are under way, with a most. Above it new ones are turned away at once and cheaply.</summary>
internal sealed class GatewayLoad(int most)
{
    private int _underWay;
    private volatile bool _draining;

    internal int UnderWay => Volatile.Read(ref _underWay);

    internal bool IsDraining => _draining;

    internal bool TryEnter()
    {
        if (Interlocked.Increment(ref _underWay) <= most)
            return true;
        Interlocked.Decrement(ref _underWay);
        return false;
    }

    /// <summary>What lets one request leave, once however often it is asked to.</summary>
    internal Stay Enter() => new(this);

    internal void Leave() => Interlocked.Decrement(ref _underWay);

    /// <summary>From now on the gateway is not ready; requests that still come are served until it stops listening.</summary>
    internal void Drain() => _draining = true;

    /// <summary>One request's time under way.</summary>
    internal sealed class Stay(GatewayLoad load)
    {
        private int _isIn = 1;

        internal void Leave()
        {
            if (Interlocked.Exchange(ref _isIn, 0) == 1)
                load.Leave();
        }
    }
}
