using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>A worker's hold on a released key: it ends by itself, and then the key is wiped and <see cref="Over"/> is cancelled. Thread-safe.</summary>
public sealed class KeyLease : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _over = new();
    private readonly ITimer _timer;
    private SecretBytes? _key;

    /// <param name="released">What the broker sealed.</param>
    /// <param name="keys">The pair whose public half the evidence bound.</param>
    /// <param name="evidence">The evidence that was shown for it.</param>
    /// <param name="time">The worker's clock.</param>
    /// <exception cref="CryptographicException">It was sealed to another key, for another nonce or model, was changed, or has ended already.</exception>
    public KeyLease(ReleasedKey released, HpkeKeyPair keys, Evidence evidence, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(released);
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _key = released.Open(keys, evidence);
        (ReleaseId, Ends) = (released.ReleaseId, released.LeaseEnds);
        _timer = time.CreateTimer(_ => EndWhenDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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
    /// <exception cref="CryptographicException">It holds another key, cannot be opened, or the old lease has ended.</exception>
    public void Renew(ReleasedKey released, HpkeKeyPair keys, Evidence evidence)
    {
        ArgumentNullException.ThrowIfNull(released);
        using var again = released.Open(keys, evidence);
        EndWhenDue();
        lock (_lock)
        {
            if (_key is null || !CryptographicOperations.FixedTimeEquals(_key.Span, again.Span))
                throw new CryptographicException(_key is null ? "The lease of this key has ended." : "The renewed lease holds another key.");
            if (released.LeaseEnds > Ends)
                (ReleaseId, Ends) = (released.ReleaseId, released.LeaseEnds);
        }

        Arm();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        End();
        _over.Dispose();
    }

    private bool Arm()
    {
        var left = Ends - _time.GetUtcNow();
        if (left <= TimeSpan.Zero)
            return false;
        _timer.Change(left < TimeSpan.FromDays(1) ? left : TimeSpan.FromDays(1), Timeout.InfiniteTimeSpan);
        return true;
    }

    private void EndWhenDue()
    {
        if (_time.GetUtcNow() < Ends)
            Arm();
        else
            End();
    }

    private void End()
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
}
