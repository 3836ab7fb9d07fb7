namespace Bulwark.Server;

/// <summary>Keeps a gateway's token keys those of their issuer: asks every five minutes, and at once when a token names a key that is not known.</summary>
/// <remarks>
/// A token's key that is not known is asked for at most once in 30 seconds, whoever brings it: a stranger's tokens must not become questions to the issuer.
/// The request that brought it waits for the answer. An issuer that is away leaves the keys in force until they are too old (<see cref="GatewayOptions.TokenKeysMaximumAge"/>).
/// </remarks>
internal sealed class IssuerFollower : IAsyncDisposable
{
    /// <summary>How often the issuer is asked.</summary>
    internal static readonly TimeSpan Every = TimeSpan.FromMinutes(5);

    /// <summary>How far questions for keys that are not known lie apart, and how soon a question that failed is asked again.</summary>
    internal static readonly TimeSpan Apart = TimeSpan.FromSeconds(30);

    private readonly OidcKeys _issuer;
    private readonly TokenGate _gate;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private Task<bool> _asking = Task.FromResult(true);
    private DateTimeOffset _asked;
    private Task _following = Task.CompletedTask;

    internal IssuerFollower(OidcKeys issuer, TokenGate gate, TimeProvider time, ILogger logger)
    {
        (_issuer, _gate, _time, _logger) = (issuer, gate, time, logger);
        _asked = time.GetUtcNow() - Apart;   // the keys that the gateway started with may be older than the first token
    }

    /// <summary>Begins to ask.</summary>
    internal void Start() => _following = FollowAsync();

    /// <summary>Lets a request pass, or first asks for the key that its token names.</summary>
    internal Task BeforeAsync(HttpContext http, RequestDelegate next) =>
        _gate.NamesUnknownKey(http.Request.Headers) && AskForUnknown() is { } asking ? WaitAsync(asking, http, next) : next(http);

    /// <summary>Ends the asking.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ((Task)_asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    /// <summary>The question under way, a new one where the last is long enough ago, or null.</summary>
    private Task<bool>? AskForUnknown()
    {
        lock (_lock)
        {
            if (!_asking.IsCompleted)
                return _asking;
            return _time.GetUtcNow() - _asked < Apart ? null : Begin();
        }
    }

    private Task<bool> Begin()
    {
        _asked = _time.GetUtcNow();
        return _asking = AskAsync();
    }

    private async Task FollowAsync()
    {
        for (var answered = true; !_end.IsCancellationRequested;)
        {
            await Task.Delay(answered ? Every : Apart, _time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_end.IsCancellationRequested)
                return;
            Task<bool> asking;
            lock (_lock)
                asking = _asking.IsCompleted ? Begin() : _asking;
            answered = await asking;
        }
    }

    /// <summary>True when the issuer gave a set that is sound; it is in force then.</summary>
    private async Task<bool> AskAsync()
    {
        await Task.Yield();   // never under the lock
        try
        {
            if (_gate.Renew(await _issuer.FetchAsync(_end.Token)))
                _logger.Rotated("token keys, from their issuer");
            return true;
        }
        catch (Exception fault)   // whatever an issuer sends must not end the following of it
        {
            if (!_end.IsCancellationRequested)
                _logger.TokenKeysFailed(fault.Message);
            return false;
        }
    }

    private static async Task WaitAsync(Task<bool> asking, HttpContext http, RequestDelegate next)
    {
        await ((Task)asking).WaitAsync(http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await next(http);
    }
}
