using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Cryptography;

namespace Bulwark.Worker.Processes;

/// <summary>What a worker's process is started with.</summary>
/// <param name="Package">Opens the sealed package, to be read forward from where it stands to its end: the worker verifies what it got.</param>
/// <param name="Publishers">The keys whose signature on a package is trusted.</param>
/// <param name="Source">Where evidence comes from.</param>
/// <param name="Broker">Who may release the package's key.</param>
/// <param name="InsecureSandbox">True to go on without a wall that is missing.</param>
internal sealed record WorkerStart(Func<Stream> Package, IReadOnlyCollection<VerificationKey> Publishers, IEvidenceSource Source, IKeyBroker Broker, bool InsecureSandbox)
{
    /// <summary>A wall to leave out as if the kernel had none; for tests.</summary>
    internal string Without { get; init; } = "";

    /// <summary>The package's digest, where it is known: the worker asks the key for that one, and refuses another while it opens it. Null: the worker reads it once more to find it.</summary>
    internal Digest? Stated { get; init; }

    /// <summary>The only model that the process may ask a key for and serve; null for the first process, which settles it.</summary>
    internal WorkerModelFacts? Pinned { get; init; }

    /// <summary>The published program.</summary>
    internal string Program { get; init; } = Path.Combine(AppContext.BaseDirectory, "worker", "Bulwark.Worker");
}

/// <summary>The worker lives, and could not answer one question.</summary>
internal sealed class WorkerFaultException(string message) : IOException(message);

/// <summary>One life of a worker's process, from its start to its end. Thread-safe.</summary>
internal sealed class WorkerRun : IDisposable
{
    private readonly Process _process;
    private readonly WorkerStart _start;
    private readonly WorkerWire _control;
    private readonly ConcurrentBag<WorkerWire> _idle;
    private readonly SemaphoreSlim _free;
    private (Evidence Evidence, KeyReleaseRecord Release) _released;
    private WorkerModelFacts _model = null!;
    private byte[] _obliviousKeys = [];
    private (string Text, string Missing) _walls;

    private WorkerRun(Process process, WorkerStart start, IReadOnlyList<WorkerWire> wires) =>
        (_process, _start, _control, _idle, _free, ProcessId) = (process, start, wires[0], [.. wires.Skip(1)], new(wires.Count - 1, wires.Count - 1), process.Id);

    /// <summary>What it serves, and the release that it stands on now.</summary>
    internal WorkerFacts Facts => new(_model, _released.Evidence, _released.Release, _walls.Text) { SandboxMissing = _walls.Missing, ObliviousKeys = _obliviousKeys };

    internal int ProcessId { get; }

    /// <summary>Done when the process has ended.</summary>
    internal Task Ended { get; private set; } = Task.CompletedTask;

    internal bool IsAlive => !_process.HasExited;

    /// <summary>True when it ended because the lease of its key was over.</summary>
    internal bool LeaseEnded => _process.HasExited && _process.ExitCode == WorkerServer.LeaseOver;

    /// <summary>Starts a process and gives it the package once it has shut itself in.</summary>
    internal static async Task<WorkerRun> StartAsync(WorkerStart start, CancellationToken cancel)
    {
        var connections = 1 + Math.Max(2, Environment.ProcessorCount);
        var (process, wires) = await WorkerLaunch.StartAsync(start, connections, cancel);
        var run = new WorkerRun(process, start, wires);
        try
        {
            await Task.Run(() => run.Converse(cancel), cancel);
            run.Ended = Task.Factory.StartNew(run.Attend, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            return run;
        }
        catch
        {
            run.Dispose();
            throw;
        }
    }

    /// <summary>One question and its answer.</summary>
    /// <exception cref="LeaseEndedException">The lease of the model's key is over.</exception>
    /// <exception cref="IOException">The process has ended, or fails.</exception>
    internal async ValueTask<List<byte[]>> AskAsync(WorkerMessage kind, int expected, ReadOnlyMemory<byte>[] fields, CancellationToken cancel)
    {
        await _free.WaitAsync(cancel);
        _idle.TryTake(out var wire);
        try
        {
            var answer = await Task.Run(() =>
            {
                wire!.Send(kind, fields);
                return wire.Receive();
            }, CancellationToken.None);   // a conversation that is broken off would leave its answer to the next
            return answer switch
            {
                (WorkerMessage.Reply, { } got) when got.Count == expected => got,
                (WorkerMessage.LeaseEnded, [var why]) => throw new LeaseEndedException(WorkerWire.Text(why)),
                (WorkerMessage.Failed, [var why]) => throw new WorkerFaultException($"The worker failed: {WorkerWire.Text(why)}"),
                _ => throw new IOException("The worker's process has ended."),
            };
        }
        finally
        {
            _idle.Add(wire!);
            _free.Release();
        }
    }

    public void Dispose()
    {
        WorkerLaunch.End(_process);
        _control.Dispose();
        foreach (var wire in _idle)
            wire.Dispose();
    }

    /// <summary>The start: the walls first, then the package, then what the worker asks for.</summary>
    private void Converse(CancellationToken cancel)
    {
        if (_control.Receive() is not (WorkerMessage.Walls, [var text, var missing]))
            throw new IOException("The worker's process ended before it had shut itself in.");
        _walls = (WorkerWire.Text(text), WorkerWire.Text(missing));
        if (_walls.Missing.Length > 0 && !_start.InsecureSandbox)
            throw new SandboxException(_walls.Missing);
        Give(cancel);
        while (_control.Receive() is var (kind, fields))
        {
            switch (kind)
            {
                case WorkerMessage.Ready when fields.Count == 6:
                    _model = new(WorkerWire.Text(fields[0]), WorkerWire.Text(fields[1]), new Digest(fields[2]), WorkerWire.Number(fields[3]), WorkerWire.Number(fields[4]));
                    _obliviousKeys = fields[5];
                    RequirePinned(_model.Package);
                    if (_start.Pinned is { } pinned && _model != pinned)
                        throw new InvalidDataException($"The worker opened {_model.Name} {_model.Version}; the first one opened {pinned.Name} {pinned.Version}.");
                    return;
                case WorkerMessage.Failed when fields.Count == 3:
                    throw Failure(fields);
                default:
                    AnswerAsync(kind, fields, cancel).AsTask().GetAwaiter().GetResult();
                    break;
            }
        }

        throw new IOException("The worker's process ended during its start.");
    }

    private void Give(CancellationToken cancel)
    {
        using var package = _start.Package();
        _control.Send(WorkerMessage.Start, WorkerWire.Number(package.Length - package.Position), WorkerWire.Text(string.Join('\n', _start.Publishers)),
            (_start.Pinned?.Package ?? _start.Stated) is { } stated ? WorkerWire.Hash(stated) : default);
        var piece = new byte[WorkerWire.PieceBytes];
        while (package.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false) is > 0 and var read)
        {
            cancel.ThrowIfCancellationRequested();
            _control.Send(WorkerMessage.Package, piece.AsMemory(0, read));
        }
    }

    /// <summary>After the start: the worker renews its lease through this side, until it ends.</summary>
    private void Attend()
    {
        try
        {
            while (_control.Receive() is var (kind, fields))
            {
                try
                {
                    AnswerAsync(kind, fields, CancellationToken.None).AsTask().GetAwaiter().GetResult();
                }
                catch (Exception failure) when (failure is not ObjectDisposedException)
                {
                    _control.Send(WorkerMessage.Failed, WorkerWire.Text(failure.Message));   // a broker that cannot be reached: the worker asks again
                }
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // It has ended, or this side has ended it.
        }

        try
        {
            _process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // This side has ended it.
        }
    }

    /// <summary>What clients were told is served stays what is served: another package needs another start of the gateway.</summary>
    private void RequirePinned(Digest package)
    {
        if (_start.Pinned is { } pinned && package != pinned.Package)
            throw new InvalidDataException($"The package is now {package}; the first worker opened {pinned.Package}. Put that package back, or start the gateway anew to serve another.");
    }

    private async ValueTask AnswerAsync(WorkerMessage kind, List<byte[]> fields, CancellationToken cancel)
    {
        var (source, broker) = (_start.Source, _start.Broker);
        switch (kind)
        {
            case WorkerMessage.AskChallenge when fields.Count == 1:
                var introduction = await source.IntroduceAsync(cancel) with { Renews = fields[0].Length == 0 ? null : WorkerWire.Text(fields[0]) };
                _control.Send(WorkerMessage.Reply, JsonSerializer.SerializeToUtf8Bytes(await broker.ChallengeAsync(introduction, cancel), AttestationJson.Default.EvidenceChallenge));
                break;
            case WorkerMessage.AskEvidence when fields.Count == 4:
                RequirePinned(new Digest(fields[3]));
                var challenge = JsonSerializer.Deserialize(fields[0], AttestationJson.Default.EvidenceChallenge)!;
                var keys = new EvidenceKeys { Hpke = fields[1], Receipt = VerificationKey.Parse(WorkerWire.Text(fields[2])) };
                _control.Send(WorkerMessage.Reply, (await source.CollectAsync(challenge, keys, new Digest(fields[3]), cancel)).ToJson());
                break;
            case WorkerMessage.AskRelease when fields.Count == 2:
                var evidence = Evidence.FromJson(fields[0]);
                RequirePinned(evidence.Model);
                var answer = await broker.ReleaseAsync(evidence, fields[1].Length == 0 ? null : WorkerWire.Text(fields[1]), cancel);
                if (answer.Key is not null)
                    _released = (evidence, answer.Record);
                _control.Send(WorkerMessage.Reply, JsonSerializer.SerializeToUtf8Bytes(answer, AttestationJson.Default.KeyReleaseAnswer));
                break;
            default:
                throw new IOException("The worker's process sends nothing that is known.");
        }
    }

    private static Exception Failure(List<byte[]> fields) => WorkerWire.Text(fields[0]) switch
    {
        nameof(KeyRefusedException) => new KeyRefusedException(JsonSerializer.Deserialize(fields[2], AttestationJson.Default.KeyReleaseAnswer)!),
        nameof(InvalidDataException) => new InvalidDataException(WorkerWire.Text(fields[1])),
        var name when name.Contains("Crypto", StringComparison.Ordinal) || name.Contains("Tag", StringComparison.Ordinal) => new CryptographicException(WorkerWire.Text(fields[1])),
        _ => new IOException($"The worker could not start: {WorkerWire.Text(fields[1])}"),
    };
}
