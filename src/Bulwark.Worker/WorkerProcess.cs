using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Worker.Processes;

namespace Bulwark.Worker;

/// <summary>A worker in a process of its own that has shut itself in. It holds the model and the keys; this side holds sockets to it. Thread-safe.</summary>
/// <remarks>Its device and its broker are on this side: it asks for them over the socket, because it can reach nothing else. When this side goes, it ends.</remarks>
public sealed class WorkerProcess : IScoringWorker
{
    private static readonly TimeSpan s_longestStart = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly IEvidenceSource _source;
    private readonly ConcurrentBag<WorkerWire> _idle;
    private readonly SemaphoreSlim _free;

    private WorkerProcess(Process process, IEvidenceSource source, IReadOnlyCollection<WorkerWire> wires, WorkerFacts facts)
    {
        (_process, _source, _idle, _free, Facts) = (process, source, [.. wires], new(wires.Count, wires.Count), facts);
    }

    /// <inheritdoc/>
    public WorkerFacts Facts { get; }

    /// <summary>The process's number.</summary>
    public int ProcessId => _process.Id;

    /// <inheritdoc/>
    public bool IsReady => !_process.HasExited;

    /// <summary>Starts the program that lies beside this one, and gives it the package once it has shut itself in.</summary>
    /// <param name="package">The sealed package, read forward from where it stands to its end: the worker verifies what it got.</param>
    /// <param name="publishers">The keys whose signature on a package is trusted.</param>
    /// <param name="source">Where evidence comes from.</param>
    /// <param name="broker">Who may release the package's key.</param>
    /// <param name="cancel">Ends the start.</param>
    /// <exception cref="KeyRefusedException">The broker kept the key.</exception>
    /// <exception cref="CryptographicException">The package was changed, or no trusted publisher signed it.</exception>
    /// <exception cref="InvalidDataException">The package holds no model that can be served.</exception>
    /// <exception cref="IOException">The program is not there, does not start, or ends.</exception>
    public static Task<WorkerProcess> StartAsync(Stream package, IReadOnlyCollection<VerificationKey> publishers, IEvidenceSource source, IKeyBroker broker, CancellationToken cancel) =>
        StartAsync(package, publishers, source, broker, Path.Combine(AppContext.BaseDirectory, "worker", "Bulwark.Worker"), cancel);

    /// <summary>With the published program at <paramref name="published"/>.</summary>
    internal static async Task<WorkerProcess> StartAsync(
        Stream package, IReadOnlyCollection<VerificationKey> publishers, IEvidenceSource source, IKeyBroker broker, string published, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(source);
        var folder = Directory.CreateTempSubdirectory("bulwark-worker-");   // of this user only
        var wires = new List<WorkerWire>();
        Process? process = null;
        try
        {
            var path = Path.Combine(folder.FullName, "s");
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            var connections = Math.Max(2, Environment.ProcessorCount);
            listener.Listen(connections);
            process = Launch(published, path, connections);
            while (wires.Count < connections)
                wires.Add(new(await AcceptAsync(listener, process, cancel)));
            var facts = await Task.Run(() => Converse(wires[0], package, publishers, source, broker, cancel), cancel);
            return new(process, source, wires, facts);
        }
        catch
        {
            wires.ForEach(wire => wire.Dispose());
            if (process is not null)
                End(process);
            throw;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

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
    public ValueTask<Evidence> AttestAsync(byte[] nonce, CancellationToken cancel) => IsReady
        ? _source.CollectAsync(new() { Nonce = nonce }, Facts.Evidence.Keys, Facts.Evidence.Model, cancel)
        : throw new IOException("The worker's process has ended.");

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        foreach (var wire in _idle)
            wire.Dispose();
        End(_process);
        _free.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<List<byte[]>> AskAsync(WorkerMessage kind, int expected, CancellationToken cancel, params ReadOnlyMemory<byte>[] fields)
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
                (WorkerMessage.Failed, [var why]) => throw new IOException($"The worker failed: {WorkerWire.Text(why)}"),
                _ => throw new IOException("The worker's process has ended."),
            };
        }
        finally
        {
            _idle.Add(wire!);
            _free.Release();
        }
    }

    /// <summary>The worker published in its folder <c>worker</c>; else the one that was built beside this program, on this program's runtime.</summary>
    private static Process Launch(string published, string path, int connections)
    {
        var folder = AppContext.BaseDirectory;
        var runtime = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));
        string[] arguments = ["serve", path, $"{connections}"];
        var start = new ProcessStartInfo(published, arguments);
        if (!File.Exists(published))
        {
            var (entry, program) = (Path.Combine(folder, Assembly.GetEntryAssembly()?.GetName().Name ?? ""), Path.Combine(folder, "Bulwark.Worker.dll"));
            if (!File.Exists(program) || !File.Exists(entry + ".runtimeconfig.json"))
                throw new IOException($"The worker's program is neither {published} nor {program}.");
            start = new(Path.Combine(runtime, "dotnet"), ["exec", "--runtimeconfig", entry + ".runtimeconfig.json", "--depsfile", entry + ".deps.json", program, .. arguments]);
        }

        start.RedirectStandardInput = true;
        start.Environment.Remove(Sandboxing.Sandbox.Variable);   // the program sets it for itself: taken from outside it would skip the sandbox
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_ROOT"] = runtime;
        return Process.Start(start) ?? throw new IOException($"{start.FileName} does not start.");
    }

    private static async Task<Socket> AcceptAsync(Socket listener, Process process, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var ended = process.WaitForExitAsync(limit.Token);
        var accepted = listener.AcceptAsync(limit.Token).AsTask();
        var first = await Task.WhenAny(accepted, ended, Task.Delay(s_longestStart, limit.Token));
        if (first == accepted)
        {
            await limit.CancelAsync();
            return await accepted;
        }

        await limit.CancelAsync();
        cancel.ThrowIfCancellationRequested();
        throw new IOException(first == ended ? $"The worker's process ended with {process.ExitCode} before it was ready." : "The worker's process did not connect.");
    }

    private static async Task<WorkerFacts> Converse(WorkerWire wire, Stream package, IReadOnlyCollection<VerificationKey> publishers, IEvidenceSource source, IKeyBroker broker, CancellationToken cancel)
    {
        wire.Send(WorkerMessage.Start, WorkerWire.Number(package.Length - package.Position), WorkerWire.Text(string.Join('\n', publishers)));
        var piece = new byte[WorkerWire.PieceBytes];
        while (await package.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancel) is > 0 and var read)
            wire.Send(WorkerMessage.Package, piece.AsMemory(0, read));
        while (wire.Receive() is var (kind, fields))
        {
            switch (kind)
            {
                case WorkerMessage.AskChallenge:
                    wire.Send(WorkerMessage.Reply, JsonSerializer.SerializeToUtf8Bytes(await broker.ChallengeAsync(await source.IntroduceAsync(cancel), cancel), AttestationJson.Default.EvidenceChallenge));
                    break;
                case WorkerMessage.AskEvidence when fields.Count == 4:
                    var challenge = JsonSerializer.Deserialize(fields[0], AttestationJson.Default.EvidenceChallenge)!;
                    var keys = new EvidenceKeys { Hpke = fields[1], Receipt = VerificationKey.Parse(WorkerWire.Text(fields[2])) };
                    wire.Send(WorkerMessage.Reply, (await source.CollectAsync(challenge, keys, new Digest(fields[3]), cancel)).ToJson());
                    break;
                case WorkerMessage.AskRelease when fields.Count == 1:
                    var answer = await broker.ReleaseAsync(Evidence.FromJson(fields[0]), null, cancel);
                    wire.Send(WorkerMessage.Reply, JsonSerializer.SerializeToUtf8Bytes(answer, AttestationJson.Default.KeyReleaseAnswer));
                    break;
                case WorkerMessage.Ready when fields.Count == 9:
                    return new(new(WorkerWire.Text(fields[0]), WorkerWire.Text(fields[1]), new Digest(fields[2]), WorkerWire.Number(fields[3]), WorkerWire.Number(fields[4])),
                        Evidence.FromJson(fields[5]), JsonSerializer.Deserialize(fields[6], AttestationJson.Default.KeyReleaseRecord)!, WorkerWire.Text(fields[7])) { ObliviousKeys = fields[8] };
                case WorkerMessage.Failed when fields.Count == 3:
                    throw Failure(fields);
                default:
                    throw new IOException("The worker's process sends nothing that is known.");
            }
        }

        throw new IOException("The worker's process ended during its start.");
    }

    private static Exception Failure(List<byte[]> fields) => WorkerWire.Text(fields[0]) switch
    {
        nameof(KeyRefusedException) => new KeyRefusedException(JsonSerializer.Deserialize(fields[2], AttestationJson.Default.KeyReleaseAnswer)!),
        nameof(InvalidDataException) => new InvalidDataException(WorkerWire.Text(fields[1])),
        var name when name.Contains("Crypto", StringComparison.Ordinal) || name.Contains("Tag", StringComparison.Ordinal) => new CryptographicException(WorkerWire.Text(fields[1])),
        _ => new IOException($"The worker could not start: {WorkerWire.Text(fields[1])}"),
    };

    private static void End(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }

        process.Dispose();
    }
}
