using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Server;

/// <summary>Takes decisions from every request and commits them in groups: while one group is being made durable, the next one gathers.</summary>
/// <remarks>
/// The queue is bounded: when it is full, or the log refuses, the request is answered 503 and nothing of it has happened. A decision is answered only
/// when it is durable. One thread writes, and blocks for the disk instead of a thread that serves. Whoever waited for a group goes on in as many pieces of
/// work as there are processors, not one each. Thread-safe.
/// </remarks>
internal sealed class AuditWriter : IAsyncDisposable
{
    /// <summary>An entry of the log has at most 65,535 bytes, and the envelope's base64 takes a third more than the statement.</summary>
    private const int LargestGroupBytes = 44_000;

    private readonly AuditQueue _queue;
    private readonly TransparencyLog _log;
    private readonly Signer _signer;
    private readonly AuditTrail? _trail;
    private readonly Func<string, Digest?> _packageOf;
    private readonly Action<Exception> _failed;
    private readonly string _gateway = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Digest? _previous;
    private long _next;

    /// <param name="log">Where groups go.</param>
    /// <param name="signer">Signs them.</param>
    /// <param name="trail">The private lines; null without.</param>
    /// <param name="capacity">Decisions that may wait.</param>
    /// <param name="packageOf">The digest of a served model by its name.</param>
    /// <param name="failed">Told when a group could not be written.</param>
    internal AuditWriter(TransparencyLog log, Signer signer, AuditTrail? trail, int capacity, Func<string, Digest?> packageOf, Action<Exception> failed)
    {
        (_log, _signer, _trail, _packageOf, _failed, _queue) = (log, signer, trail, packageOf, failed, new(capacity));
        new Thread(Run) { IsBackground = true, Name = "audit" }.Start();
    }

    /// <summary>Decisions that wait to be written.</summary>
    internal int Backlog => _queue.Count;

    /// <summary>Records a decision, and a worker's envelope before it where there is one. To be awaited once, at once.</summary>
    /// <returns>Where the envelope, or else the group, stands in the log; null when nothing was recorded.</returns>
    internal ValueTask<LogEntryReceipt?> RecordAsync(GatewayDecision decision, ReadOnlyMemory<byte>? envelope = null)
    {
        var waiting = new WaitingDecision(decision, envelope);
        if (_queue.TryAdd(waiting))
            return waiting.Place;
        Report(new IOException("The queue of decisions is full: the log does not keep up."));
        return default;
    }

    /// <summary>Writes what waits, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await _ended.Task.ConfigureAwait(false);
        _trail?.Dispose();
    }

    private void Run()
    {
        try
        {
            for (var group = new List<WaitingDecision>(); _queue.Take(group, LargestGroupBytes); group = [])
            {
                Commit(group);
                Tell(group);
            }
        }
        finally
        {
            _ended.SetResult();
        }
    }

    /// <summary>Lets those go on who waited: not on this thread, which has the next group to write.</summary>
    private static void Tell(List<WaitingDecision> group)
    {
        var pieces = Math.Min(Environment.ProcessorCount, group.Count);
        for (var piece = 0; piece < pieces; piece++)
            ThreadPool.UnsafeQueueUserWorkItem(new Piece(group, piece * group.Count / pieces, (piece + 1) * group.Count / pieces), preferLocal: false);
    }

    private void Commit(List<WaitingDecision> group)
    {
        try
        {
            var payload = DecisionGroup.Payload(Claim(group), Subjects(group));
            List<ReadOnlyMemory<byte>> entries = [.. group.Where(waiting => waiting.Envelope is not null).Select(waiting => waiting.Envelope!.Value), DecisionGroup.Sign(payload, _signer)];
            var places = _log.AppendManyAsync(entries).GetAwaiter().GetResult();
            _previous = Digest.Of(payload);
            _next += group.Count;
            var place = 0;
            foreach (var waiting in group)
                waiting.Settle(waiting.Envelope is null ? places[^1] : places[place++]);
        }
        catch (Exception failure)   // whatever keeps a decision from the disk has the same answer: closed
        {
            foreach (var waiting in group)
                waiting.Settle(null);
            Report(failure);
        }
    }

    /// <summary>Whoever is told must not end the writing by failing, too: who waits is answered in any case.</summary>
    private void Report(Exception failure)
    {
        try
        {
            _failed(failure);
        }
        catch (Exception)
        {
            // The decision is refused already; only its report is lost.
        }
    }

    private RequestsJudged Claim(List<WaitingDecision> group)
    {
        var decisions = group.ConvertAll(waiting => waiting.Decision);
        return new()
        {
            Gateway = _gateway,
            First = _next,
            Previous = _previous,
            Policy = decisions[0].Policy,
            Trail = _trail?.Write(decisions, _gateway, _next),
            Decisions = decisions.ConvertAll(one => new JudgedRequest
            {
                Action = one.Action,
                Time = one.Time,
                Outcome = one.Outcome,
                Reason = one.Reason,
                Status = one.Status,
                Client = one.Client,
                Model = one.Model,
                Policies = one.Policies,
            }),
        };
    }

    private List<Subject> Subjects(List<WaitingDecision> group)
    {
        List<Subject> subjects = [new("access policy", group[0].Decision.Policy)];
        foreach (var waiting in group)
            if (waiting.Decision.Model is { } name && !subjects.Exists(subject => subject.Name == name) && _packageOf(name) is { } package)
                subjects.Add(new(name, package));
        return subjects;
    }

    /// <summary>A part of those who waited for a group, one behind the other.</summary>
    private sealed class Piece(List<WaitingDecision> group, int first, int end) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            for (var i = first; i < end; i++)
                group[i].Tell();
        }
    }
}
