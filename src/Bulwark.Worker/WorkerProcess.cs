using System.Diagnostics;
using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Worker.Leases;
using Bulwark.Worker.Processes;

namespace Bulwark.Worker;

/// <summary>A worker in a process of its own that has shut itself in. It holds the model and the keys; this side holds sockets to it. Thread-safe.</summary>
/// <remarks>
/// Its device and its broker are on this side: it asks for them over the socket, because it can reach nothing else. When this side goes, it ends. When it ends, by a fault or because the lease
/// of its key is over, a new one is started, with new keys and new evidence, after a wait that doubles from a second; until that one has opened the model every question is refused.
/// It must be the model that the first one opened: a process that asks for another package's key is ended before the broker hears of it.
/// </remarks>
public sealed class WorkerProcess : IScoringWorker
{
    private static readonly TimeSpan s_longestEnd = TimeSpan.FromSeconds(2), s_longLife = TimeSpan.FromMinutes(1);

    private readonly WorkerStart _start;
    private readonly LeaseSchedule _schedule;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _keeping;
    private volatile WorkerRun _run;
    private volatile string _why = "";

    private WorkerProcess(WorkerStart start, WorkerRun run, LeaseSchedule schedule)
    {
        (_start, _run, _schedule) = (start with { Pinned = run.Facts.Model }, run, schedule);
        _keeping = KeepAsync();
    }

    /// <inheritdoc/>
    public WorkerFacts Facts => _run.Facts;

    /// <summary>The process's number; of the one that ended, until a new one is ready.</summary>
    public int ProcessId => _run.ProcessId;

    /// <summary>How many processes were started after the first.</summary>
    public int Restarts { get; private set; }

    /// <inheritdoc/>
    public bool IsReady => _run.IsAlive;

    /// <summary>Starts the program that lies beside this one, and gives it the package once it has shut itself in.</summary>
    /// <param name="package">Opens the sealed package, to be read forward from where it stands to its end: the worker verifies what it got. Opened anew for each process.</param>
    /// <param name="publishers">The keys whose signature on a package is trusted.</param>
    /// <param name="source">Where evidence comes from.</param>
    /// <param name="broker">Who may release the package's key.</param>
    /// <param name="insecureSandbox">True to go on without a wall of the sandbox that this kernel does not have: for development.</param>
    /// <param name="stated">The package's digest where it is known: the worker asks for that one's key, and reads the package once, for verifying and opening. Null: it reads it once more.</param>
    /// <param name="cancel">Ends the start.</param>
    /// <exception cref="KeyRefusedException">The broker kept the key.</exception>
    /// <exception cref="SandboxException">The sandbox is not what is demanded.</exception>
    /// <exception cref="CryptographicException">The package was changed, or no trusted publisher signed it.</exception>
    /// <exception cref="InvalidDataException">The package holds no model that can be served.</exception>
    /// <exception cref="IOException">The program is not there, does not start, or ends.</exception>
    public static Task<WorkerProcess> StartAsync(
        Func<Stream> package, IReadOnlyCollection<VerificationKey> publishers, IEvidenceSource source, IKeyBroker broker, bool insecureSandbox, Digest? stated, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(source);
        return StartAsync(new(package, publishers, source, broker, insecureSandbox) { Stated = stated }, cancel);
    }

    internal static async Task<WorkerProcess> StartAsync(WorkerStart start, CancellationToken cancel) =>
        new(start, await WorkerRun.StartAsync(start, cancel), new(Random.Shared.NextDouble));

    /// <inheritdoc/>
    public async ValueTask<WorkerAnswer> AnswerAsync(WorkerRequest request, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        // An id goes behind a mark, so that none and an empty one differ.
        var fields = await AskAsync(WorkerMessage.Score, 7, cancel, request.Body, WorkerWire.Floats(request.Rows), WorkerWire.Number(request.RowCount), request.Id is null ? default : WorkerWire.Text("=" + request.Id),
            WorkerWire.Hash(request.Policy), WorkerWire.Number((int)request.Form), WorkerWire.Number(request.Sign ? 1 : 0));
        return new(WorkerWire.Verdict(fields[0]), WorkerWire.Number(fields[1]), fields[2], fields[3], fields[4]) { HeadBytes = WorkerWire.Number(fields[5]), Scores = WorkerWire.Floats(fields[6]) };
    }

    /// <inheritdoc/>
    public async ValueTask<SealedAnswer> AnswerAsync(SealedAsk ask, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(ask);
        var fields = await AskAsync(WorkerMessage.Sealed, 6, cancel, WorkerWire.Text(ask.Route.Method), WorkerWire.Text(ask.Route.Path), WorkerWire.Text(ask.Route.Model), ask.Message, WorkerWire.Hash(ask.Policy), WorkerWire.Number(ask.MaximumRows),
            WorkerWire.Number((int)ask.Protocol), ask.Encapsulated);
        return new(WorkerWire.Number(fields[0]), WorkerWire.Text(fields[1]), WorkerWire.Text(fields[2]), fields[3], fields[4]) { Nonce = fields[5] };
    }

    /// <inheritdoc/>
    public ValueTask<Evidence> AttestAsync(byte[] nonce, CancellationToken cancel)
    {
        var run = _run;
        return run.IsAlive ? _start.Source.CollectAsync(new() { Nonce = nonce }, run.Facts.Evidence.Keys, run.Facts.Evidence.Model, cancel) : throw Gone(run);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _run.Dispose();
        await _keeping;
        _stopping.Dispose();
    }

    private async ValueTask<List<byte[]>> AskAsync(WorkerMessage kind, int expected, CancellationToken cancel, params ReadOnlyMemory<byte>[] fields)
    {
        var run = _run;
        try
        {
            return await run.AskAsync(kind, expected, fields, cancel);
        }
        catch (Exception failure) when (failure is IOException and not (LeaseEndedException or WorkerFaultException) or ObjectDisposedException)
        {
            await Task.WhenAny(run.Ended, Task.Delay(s_longestEnd, CancellationToken.None));   // its exit code says why
            throw Gone(run);
        }
    }

    private IOException Gone(WorkerRun run) => run.LeaseEnded
        ? new LeaseEndedException($"The lease of the model's key is over; the worker ended with key and model, and a new one asks the key broker by itself.{_why}")
        : new IOException($"The worker's process has ended; a new one is being started.{_why}");

    /// <summary>Waits for the end of a process and starts the next, until this side is stopped.</summary>
    private async Task KeepAsync()
    {
        for (var failures = 0; ; failures++)
        {
            var began = Stopwatch.GetTimestamp();
            await _run.Ended;
            if (Stopwatch.GetElapsedTime(began) > s_longLife)
                failures = 0;
            for (var refused = false; ; failures++)
            {
                try
                {
                    await Task.Delay(_schedule.Recovery(failures, refused), _stopping.Token);
                    var next = await WorkerRun.StartAsync(_start, _stopping.Token);
                    _run.Dispose();
                    (_run, _why) = (next, "");
                    Restarts++;
                    break;
                }
                catch (Exception) when (_stopping.IsCancellationRequested)
                {
                    return;
                }
                catch (Exception failure)   // whatever it was: it is tried again, and who asks meanwhile is told
                {
                    refused = failure is KeyRefusedException;
                    _why = $" Last try: {failure.Message}";
                }
            }

            if (_stopping.IsCancellationRequested)
            {
                _run.Dispose();
                return;
            }
        }
    }
}
