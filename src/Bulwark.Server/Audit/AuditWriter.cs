using System.Security.Cryptography;
using System.Threading.Channels;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Server;

/// <summary>Takes decisions from every request and commits them in groups: while one group is being made durable, the next one gathers.</summary>
/// <remarks>
/// The queue is bounded: when it is full, or the log refuses, the request is answered 503 and nothing of it has happened. A decision is answered only
/// when it is durable. A group costs a signature, two writes and a flush, however small: so where many requests are under way, it waits for them, four
/// milliseconds at most. Thread-safe.
/// </remarks>
internal sealed class AuditWriter : IAsyncDisposable
{
    /// <summary>An entry of the log has at most 65,535 bytes, and the envelope's base64 takes a third more than the statement.</summary>
    private const int LargestGroupBytes = 44_000;

    /// <summary>So many requests that are under way and not yet decided are worth waiting for.</summary>
    private const int Crowd = 4;

    /// <summary>So many fill a group.</summary>
    private const int MostGathered = 64;

    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(1);

    private readonly Channel<Waiting> _queue;
    private readonly TransparencyLog _log;
    private readonly Signer _signer;
    private readonly AuditTrail? _trail;
    private readonly Func<string, Digest?> _packageOf;
    private readonly Action<Exception> _failed;
    private readonly Func<int> _underWay;
    private readonly string _gateway = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
    private readonly Task _loop;
    private Digest? _previous;
    private long _next;

    /// <param name="log">Where groups go.</param>
    /// <param name="signer">Signs them.</param>
    /// <param name="trail">The private lines; null without.</param>
    /// <param name="capacity">Decisions that may wait.</param>
    /// <param name="packageOf">The digest of a served model by its name.</param>
    /// <param name="failed">Told when a group could not be written.</param>
    /// <param name="underWay">How many requests are under way, those included that wait here; null where nobody knows.</param>
    internal AuditWriter(TransparencyLog log, Signer signer, AuditTrail? trail, int capacity, Func<string, Digest?> packageOf, Action<Exception> failed, Func<int>? underWay = null)
    {
        (_log, _signer, _trail, _packageOf, _failed, _underWay) = (log, signer, trail, packageOf, failed, underWay ?? (() => 0));
        _queue = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Decisions that wait to be written.</summary>
    internal int Backlog => _queue.Reader.Count;

    /// <summary>Records a decision, and a worker's envelope before it where there is one.</summary>
    /// <returns>Where the envelope, or else the group, stands in the log; null when nothing was recorded.</returns>
    internal Task<LogEntryReceipt?> RecordAsync(GatewayDecision decision, ReadOnlyMemory<byte>? envelope = null)
    {
        var waiting = new Waiting(decision, envelope);
        if (_queue.Writer.TryWrite(waiting))
            return waiting.Task;
        _failed(new IOException("The queue of decisions is full: the log does not keep up."));
        return Task.FromResult<LogEntryReceipt?>(null);
    }

    /// <summary>Writes what waits, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        _trail?.Dispose();
    }

    private async Task RunAsync()
    {
        var group = new List<Waiting>();
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            for (var pause = 0; pause < 4 && _underWay() - _queue.Reader.Count >= Crowd && _queue.Reader.Count < MostGathered; pause++)
                await Task.Delay(Gathering).ConfigureAwait(false);
            // One policy a group: the group says once which policy decided
            for (var bytes = 0; _queue.Reader.TryPeek(out var next) && (group.Count == 0 || (bytes + next.Bytes <= LargestGroupBytes && next.Decision.Policy == group[0].Decision.Policy)); bytes += next.Bytes)
            {
                _queue.Reader.TryRead(out _);
                group.Add(next);
            }

            await CommitAsync(group).ConfigureAwait(false);
            group.Clear();
        }
    }

    private async Task CommitAsync(List<Waiting> group)
    {
        try
        {
            var decisions = group.ConvertAll(waiting => waiting.Decision);
            var payload = DecisionGroup.Payload(Claim(decisions), Subjects(decisions));
            List<ReadOnlyMemory<byte>> entries = [.. group.Where(waiting => waiting.Envelope is not null).Select(waiting => waiting.Envelope!.Value), DecisionGroup.Sign(payload, _signer)];
            var places = await _log.AppendManyAsync(entries).ConfigureAwait(false);
            _previous = Digest.Of(payload);
            _next += group.Count;
            var place = 0;
            foreach (var waiting in group)
                waiting.TrySetResult(waiting.Envelope is null ? places[^1] : places[place++]);
        }
        catch (Exception failure)   // whatever keeps a decision from the disk has the same answer: closed
        {
            foreach (var waiting in group)
                waiting.TrySetResult(null);
            _failed(failure);
        }
    }

    private RequestsJudged Claim(List<GatewayDecision> decisions) => new()
    {
        Gateway = _gateway,
        First = _next,
        Previous = _previous,
        Policy = decisions[0].Policy,
        Trail = _trail?.Write(decisions, _gateway, _next),
        Decisions = decisions.ConvertAll(one => new JudgedRequest
        {
            Action = one.Action, Time = one.Time, Outcome = one.Outcome, Reason = one.Reason, Status = one.Status, Client = one.Client, Model = one.Model, Policies = one.Policies,
        }),
    };

    private List<Subject> Subjects(List<GatewayDecision> decisions)
    {
        List<Subject> subjects = [new("access policy", decisions[0].Policy)];
        foreach (var decision in decisions)
            if (decision.Model is { } name && !subjects.Exists(subject => subject.Name == name) && _packageOf(name) is { } package)
                subjects.Add(new(name, package));
        return subjects;
    }

    private sealed class Waiting(GatewayDecision decision, ReadOnlyMemory<byte>? envelope) : TaskCompletionSource<LogEntryReceipt?>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        internal GatewayDecision Decision => decision;

        internal ReadOnlyMemory<byte>? Envelope => envelope;

        /// <summary>At most what the decision takes in the statement, its share of a subject included.</summary>
        internal int Bytes { get; } = 400 + (12 * (decision.Model?.Length ?? 0)) + (6 * (decision.Reason.Length + decision.Outcome.Length)) + decision.Policies.Sum(policy => 3 + (6 * policy.Length));
    }
}
