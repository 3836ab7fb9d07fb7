using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Models;

namespace Bulwark.Worker.Leases;

/// <summary>Asks a broker for the key, with fresh evidence over its challenge.</summary>
/// <param name="model">The package that the key opens.</param>
/// <param name="renews">The release to renew; null for a first one.</param>
/// <param name="cancel">Ends the asking.</param>
internal delegate Task<(Evidence Evidence, KeyReleaseAnswer Answer)> AskForKey(Digest model, string? renews, CancellationToken cancel);

/// <summary>What stands while a lease runs.</summary>
internal sealed record Held(KeyLease Lease, WorkerModel Model, Evidence Evidence, KeyReleaseRecord Release)
{
    internal Digest Attestation { get; } = Evidence.Digest();
}

/// <summary>A model under a lease: renewed by new evidence before its end; at its end, or when it is revoked, key and model are wiped; opened again once the broker releases the key again. Thread-safe.</summary>
internal sealed class LeasedModel : IDisposable
{
    private readonly Func<Stream> _package;
    private readonly Digest? _stated;
    private readonly IReadOnlyCollection<VerificationKey> _publishers;
    private readonly HpkeKeyPair _keys;
    private readonly AskForKey _ask;
    private readonly TimeProvider _time;
    private readonly LeaseSchedule _schedule;
    private readonly ReaderWriterLockSlim _lock = new();
    private readonly CancellationTokenSource _disposed = new();
    private readonly ITimer _timer;
    private Held? _held;
    private string _why = "";
    private int _failures;
    private bool _refused;
    private int _stepping;

    private LeasedModel(Func<Stream> package, Digest? stated, IReadOnlyCollection<VerificationKey> publishers, HpkeKeyPair keys, AskForKey ask, TimeProvider time, LeaseSchedule schedule)
    {
        (_package, _stated, _publishers, _keys, _ask, _time, _schedule) = (package, stated, publishers, keys, ask, time, schedule);
        _timer = time.CreateTimer(_ => Kick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What stands, or stood last.</summary>
    internal Held Last { get; private set; } = null!;

    /// <summary>True while the lease runs.</summary>
    internal bool Runs => Volatile.Read(ref _held) is { } held && held.Lease.Left > TimeSpan.Zero;

    /// <summary>Called once at each end, after all was wiped.</summary>
    internal Action? Ended { get; set; }

    /// <summary>The step under way; done when none is.</summary>
    internal Task Settled { get; private set; } = Task.CompletedTask;

    /// <param name="package">Opens the sealed package.</param>
    /// <param name="stated">Its digest, as whoever gives it states it: the key is asked for that, and another package is refused while it is opened. Null: found by reading it once more.</param>
    /// <param name="publishers">The keys whose signature on a package is trusted.</param>
    /// <param name="keys">The key that the broker seals to.</param>
    /// <param name="ask">Asks it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="schedule">When to renew.</param>
    /// <param name="cancel">Ends the start.</param>
    /// <exception cref="KeyRefusedException">The broker kept the key.</exception>
    internal static async Task<LeasedModel> OpenAsync(
        Func<Stream> package, Digest? stated, IReadOnlyCollection<VerificationKey> publishers, HpkeKeyPair keys, AskForKey ask, TimeProvider time, LeaseSchedule schedule, CancellationToken cancel)
    {
        var leased = new LeasedModel(package, stated, publishers, keys, ask, time, schedule);
        try
        {
            await leased.OpenAsync(cancel);
            leased.Arm();
            return leased;
        }
        catch
        {
            leased.Dispose();
            throw;
        }
    }

    /// <summary>Lends what stands; whoever holds it keeps the end waiting, so not for long.</summary>
    /// <exception cref="LeaseEndedException">The lease is over.</exception>
    internal Loan Borrow()
    {
        _lock.EnterReadLock();
        if (_held is { } held && held.Lease.Left > TimeSpan.Zero)
            return new(this, held);
        _lock.ExitReadLock();
        End("it ran out");
        throw new LeaseEndedException(_why);
    }

    public void Dispose()
    {
        _disposed.Cancel();
        _timer.Dispose();
        Wipe("The worker was stopped.");
        Last?.Lease.Dispose();
    }

    private void Kick()
    {
        if (Interlocked.Exchange(ref _stepping, 1) == 0)
            Settled = StepAsync();
    }

    private async Task StepAsync()
    {
        try
        {
            if (Runs)
                await RenewAsync(_held!, _disposed.Token);
            else
            {
                End("it ran out");
                await OpenAsync(_disposed.Token);
            }

            (_failures, _refused) = (0, false);
        }
        catch (Exception) when (_disposed.IsCancellationRequested)
        {
            return;
        }
        catch (Exception failure)   // whatever it was: the lease runs out, and the worker asks again
        {
            _failures++;
            _refused = failure is KeyRefusedException;
            if (failure is KeyRefusedException { Answer.Record.FailedLegs: var failed } && failed.Contains("not-revoked"))
                End("it was revoked");
        }
        finally
        {
            Volatile.Write(ref _stepping, 0);
        }

        Arm();
    }

    /// <summary>A broker that knows no such lease, as after the loss of its store, is asked for a first one.</summary>
    private async Task RenewAsync(Held held, CancellationToken cancel)
    {
        var asked = _time.GetTimestamp();
        var (evidence, answer) = await _ask(held.Model.Package, held.Lease.ReleaseId, cancel);
        if (answer.Key is null && answer.Record.FailedLegs is ["lease"])
        {
            asked = _time.GetTimestamp();
            (evidence, answer) = await _ask(held.Model.Package, null, cancel);
        }

        if (answer.Key is null)
            throw new KeyRefusedException(answer);
        held.Lease.Renew(answer.Key, _keys, evidence, asked);
        Stand(new(held.Lease, held.Model, evidence, answer.Record), instead: held);
    }

    private async Task OpenAsync(CancellationToken cancel)
    {
        await using var bytes = _package();
        var package = await SealedModel.RequireAsync(bytes, _publishers, Last?.Model.Package ?? _stated, cancel);
        var asked = _time.GetTimestamp();
        var (evidence, answer) = await _ask(package.Digest, null, cancel);
        if (answer.Key is null)
            throw new KeyRefusedException(answer);
        var lease = new KeyLease(answer.Key, _keys, evidence, _time, asked);
        try
        {
            var model = await lease.With(key => ReadAsync(package, key, cancel));
            Last?.Lease.Dispose();
            Stand(new(lease, model, evidence, answer.Record), instead: null);
        }
        catch
        {
            lease.Dispose();
            throw;
        }

        lease.Over.UnsafeRegister(_ => End("it ran out"), null);
    }

    private static async Task<WorkerModel> ReadAsync(VerifiedPackage package, SecretBytes key, CancellationToken cancel)
    {
        using var opened = await package.OpenAsync(key, cancel);
        var screen = opened.Contains(ModelFolder.ScreenName) ? opened.File(ModelFolder.ScreenName).ToArray() : null;
        var hardening = opened.Contains(OutputHardening.FileName) ? opened.File(OutputHardening.FileName).ToArray() : null;
        return WorkerModel.Open(opened.Manifest.Name, opened.Manifest.Version, opened.PackageDigest, opened.File(ModelFolder.OnnxName).Span, screen, opened.Weights, hardening);
    }

    /// <summary>Takes the place of what stood; of nothing, when that was wiped meanwhile.</summary>
    private void Stand(Held held, Held? instead)
    {
        _lock.EnterWriteLock();
        try
        {
            if (ReferenceEquals(_held, instead) && !_disposed.IsCancellationRequested)
                (_held, Last) = (held, held);
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    private void End(string why)
    {
        if (!Wipe($"The lease of the model's key ended {_time.GetUtcNow():u}: {why}. The worker wiped key and model; it asks the key broker again by itself, with new evidence."))
            return;
        Ended?.Invoke();
        Arm();
    }

    /// <summary>Waits for those who score, then leaves nothing.</summary>
    private bool Wipe(string why)
    {
        Held? held;
        _lock.EnterWriteLock();
        try
        {
            (held, _held) = (_held, null);
            if (held is not null)
                _why = why;
        }
        finally
        {
            _lock.ExitWriteLock();
        }

        held?.Lease.End();
        held?.Model.Dispose();
        return held is not null;
    }

    private void Arm()
    {
        var left = Volatile.Read(ref _held)?.Lease.Left ?? TimeSpan.Zero;
        var wait = left == TimeSpan.Zero ? _schedule.Recovery(_failures, _refused) : _failures == 0 ? _schedule.Renewal(left) : _schedule.Retry(left);
        try
        {
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The worker is being stopped.
        }
    }

    /// <summary>What stands, for as long as it is not disposed of.</summary>
    internal readonly ref struct Loan(LeasedModel of, Held held) : IDisposable
    {
        internal Held Held => held;

        public void Dispose() => of._lock.ExitReadLock();
    }
}
