namespace Bulwark.Lineage;

/// <summary>Keeps a log's checkpoints cosigned: asks every witness of a policy that has an address, and puts the cosignatures in place.</summary>
/// <remarks>Follows the log by itself while it lives: after each checkpoint, at most one round at a time and no more than one a second.</remarks>
public sealed class WitnessRound : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly TransparencyLog _log;
    private readonly LogPolicy _policy;
    private readonly WitnessClient[] _clients;
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly SemaphoreSlim _moved = new(0, 1);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _following;

    /// <param name="log">The log, opened to write; stays the caller's.</param>
    /// <param name="policy">Names the witnesses; those without an address are not asked.</param>
    /// <param name="http">Sends; stays the caller's.</param>
    public WitnessRound(TransparencyLog log, LogPolicy policy, HttpClient http)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(policy);
        (_log, _policy) = (log, policy);
        _clients = [.. policy.Witnesses.Where(witness => witness.Key is not null && Uri.TryCreate(witness.Url, UriKind.Absolute, out _))
            .Select(witness => new WitnessClient(http, new Uri(witness.Url!), witness.Key!))];
        log.Published += OnPublished;
        _following = Task.Run(FollowAsync);
    }

    /// <summary>What the witnesses said last.</summary>
    public IReadOnlyList<WitnessReply> LastReplies { get; private set; } = [];

    /// <summary>Asks every witness for the current checkpoint now.</summary>
    /// <returns>How the checkpoint then stands under the policy, and what each witness said.</returns>
    public async Task<(PolicyReport Report, IReadOnlyList<WitnessReply> Replies)> AskAsync(CancellationToken cancel = default)
    {
        await _one.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            var checkpoint = _log.Refresh();
            var replies = await Task.WhenAll(_clients.Select(client => client.SubmitAsync(_log, checkpoint, cancel))).ConfigureAwait(false);
            NoteKey[] keys = [.. _policy.Witnesses.Where(witness => witness.Key is not null).Select(witness => witness.Key!)];
            var note = replies.Where(reply => reply.Cosigned is not null).Aggregate(checkpoint.Note!, (all, reply) => all.Joined(reply.Cosigned!.Note!, keys));
            var cosigned = checkpoint with { Note = note };
            LastReplies = replies;
            var report = _policy.Judge(cosigned);
            if (report.Cosigned.Count > 0)
                await _log.AddCosignaturesAsync(cosigned, keys, asWitnessed: report.Verdict == LogVerdict.Verified, cancel).ConfigureAwait(false);
            return (report, replies);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Stops following.</summary>
    public async ValueTask DisposeAsync()
    {
        _log.Published -= OnPublished;
        await _end.CancelAsync().ConfigureAwait(false);
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
        _one.Dispose();
        _moved.Dispose();
    }

    private void OnPublished(Checkpoint checkpoint)
    {
        try
        {
            if (_moved.CurrentCount == 0)
                _moved.Release();
        }
        catch (Exception failure) when (failure is SemaphoreFullException or ObjectDisposedException)
        {
            // Someone else has said so already, or nobody listens any more.
        }
    }

    private async Task FollowAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            await _moved.WaitAsync(_end.Token).ConfigureAwait(false);
            try
            {
                await AskAsync(_end.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is IOException or InvalidDataException)
            {
                // The log itself says what ails it, to whoever writes to it.
            }

            await Task.Delay(Pause, _end.Token).ConfigureAwait(false);
        }
    }
}
