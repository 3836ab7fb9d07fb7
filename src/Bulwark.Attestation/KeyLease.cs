using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>A worker's hold on a released key: it ends by itself, and then the key is wiped and <see cref="Over"/> is cancelled. Thread-safe.</summary>
/// <remarks>
/// The end counts by the calendar and, for the seconds that the broker sealed, by a clock that only goes forward, from before the key was asked for; whichever comes first. Whoever turns the
/// machine's calendar back, before the lease began or later, lengthens nothing. No lease is longer than a day.
/// </remarks>
public sealed class KeyLease : IDisposable
{
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _over = new();
    private readonly ITimer _timer;
    private SecretBytes? _key;
    private long _began;
    private TimeSpan _length;

    /// <param name="released">What the broker sealed.</param>
    /// <param name="keys">The pair whose public half the evidence bound.</param>
    /// <param name="evidence">The evidence that was shown for it.</param>
    /// <param name="time">The worker's clock.</param>
    /// <param name="asked">Its timestamp (<see cref="TimeProvider.GetTimestamp"/>) from before the key was asked for.</param>
    /// <exception cref="CryptographicException">It was sealed to another key, for another nonce or model, was changed, or has ended already.</exception>
    public KeyLease(ReleasedKey released, HpkeKeyPair keys, Evidence evidence, TimeProvider time, long asked)
    {
        ArgumentNullException.ThrowIfNull(released);
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _key = released.Open(keys, evidence);
        ReleaseId = "";
        _timer = time.CreateTimer(_ => EndWhenDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Extend(released, asked);
        if (!Arm())
        {
            Dispose();
            throw new CryptographicException("The lease of this key has ended already.");
        }
    }

    /// <summary>The release that the lease stands on.</summary>
    public string ReleaseId { get; private set; }

    /// <summary>Until when the key may be used.</summary>
    public DateTimeOffset Ends { get; private set; }

    /// <summary>How long it may still be used; zero at its end.</summary>
    public TimeSpan Left
    {
        get
        {
            lock (_lock)
            {
                if (_key is null)
                    return TimeSpan.Zero;
                var (calendar, clock) = (Ends - _time.GetUtcNow(), _length - _time.GetElapsedTime(_began));
                var left = calendar < clock ? calendar : clock;
                return left > TimeSpan.Zero ? left : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Cancelled at the lease's end, after the key was wiped: stop serving.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Lends the key to <paramref name="use"/>.</summary>
    /// <exception cref="CryptographicException">The lease has ended.</exception>
    public T With<T>(Func<SecretBytes, T> use)
    {
        ArgumentNullException.ThrowIfNull(use);
        EndWhenDue();
        lock (_lock)
            return use(_key ?? throw new CryptographicException("The lease of this key has ended."));
    }

    /// <summary>Goes on with a renewed lease. Only a broker that knows the key could have sealed the same one again.</summary>
    /// <param name="released">What the broker sealed.</param>
    /// <param name="keys">The pair whose public half the evidence bound.</param>
    /// <param name="evidence">The evidence that was shown for it.</param>
    /// <param name="asked">The clock's timestamp from before the renewal was asked for.</param>
    /// <exception cref="CryptographicException">It holds another key, cannot be opened, or the old lease has ended.</exception>
    public void Renew(ReleasedKey released, HpkeKeyPair keys, Evidence evidence, long asked)
    {
        ArgumentNullException.ThrowIfNull(released);
        using var again = released.Open(keys, evidence);
        EndWhenDue();
        lock (_lock)
        {
            if (_key is null || !CryptographicOperations.FixedTimeEquals(_key.Span, again.Span))
                throw new CryptographicException(_key is null ? "The lease of this key has ended." : "The renewed lease holds another key.");
            if (released.LeaseEnds > Ends)
                Extend(released, asked);
        }

        Arm();
    }

    /// <summary>Ends the lease now: the key is wiped.</summary>
    public void End()
    {
        lock (_lock)
        {
            if (_key is null)
                return;
            _key.Dispose();
            _key = null;
        }

        _over.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        End();
        _over.Dispose();
    }

    private void Extend(ReleasedKey released, long asked)
    {
        (ReleaseId, Ends, _began) = (released.ReleaseId, released.LeaseEnds, asked);
        var (calendar, granted) = (Ends - _time.GetUtcNow() + _time.GetElapsedTime(asked), TimeSpan.FromSeconds(released.LeaseSeconds));
        _length = TimeSpan.FromTicks(Math.Min(s_longest.Ticks, Math.Min(calendar.Ticks, granted.Ticks)));
    }

    private bool Arm()
    {
        var left = Left;
        if (left == TimeSpan.Zero)
            return false;
        _timer.Change(left, Timeout.InfiniteTimeSpan);
        return true;
    }

    private void EndWhenDue()
    {
        if (Left == TimeSpan.Zero)
            End();
        else
            Arm();
    }
}
