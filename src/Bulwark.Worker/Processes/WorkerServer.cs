using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Worker.Sandboxing;

namespace Bulwark.Worker.Processes;

/// <summary>The worker's own process: connects to the gateway's socket, shuts itself in, and only then takes the package, asks for its key, and answers.</summary>
internal static class WorkerServer
{
    /// <summary>The exit code of a worker whose lease is over: its memory goes with it.</summary>
    internal const int LeaseOver = 3;

    /// <summary>Runs until the gateway goes, or the lease of the model's key is over.</summary>
    /// <param name="path">The gateway's socket.</param>
    /// <param name="connections">How many conversations: the first is this worker's own with the gateway, the others bring requests.</param>
    /// <param name="required">False to go on without a wall that is missing.</param>
    /// <param name="without">Walls to leave out as if the kernel had none; for tests.</param>
    /// <returns>The exit code.</returns>
    internal static async Task<int> RunAsync(string path, int connections, bool required, string without)
    {
        var first = Sandbox.Enter(without);
        var wires = new List<WorkerWire>();
        for (var i = 0; i < connections; i++)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            wires.Add(new(socket));
        }

        Warm();
        var walls = Sandbox.Close(first, without);
        var control = wires[0];
        control.Send(WorkerMessage.Walls, WorkerWire.Text(walls.Text), WorkerWire.Text(string.Join(", ", walls.Missing)));
        if (required && walls.Missing.Count > 0)
            return 1;   // the gateway reads what is missing, and gives nothing
        ScoringWorker worker;
        try
        {
            worker = await StartAsync(control);
        }
        catch (Exception failure) when (failure is CryptographicException or InvalidDataException or IOException or InvalidOperationException)
        {
            Explain(control, failure);
            return 1;
        }

        using (worker)
        {
            worker.Leased.Ended = () => Environment.Exit(LeaseOver);   // key and model are wiped; what native libraries held goes with the process
            var facts = worker.Facts;
            var model = facts.Model;
            control.Send(WorkerMessage.Ready, WorkerWire.Text(model.Name), WorkerWire.Text(model.Version), WorkerWire.Hash(model.Package), WorkerWire.Number(model.Width), WorkerWire.Number(model.Classes), facts.ObliviousKeys);
            var threads = wires.Skip(1).Select(wire => new Thread(() => Serve(wire, worker)) { IsBackground = true }).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
        }

        return 0;
    }

    private static void Explain(WorkerWire control, Exception failure)
    {
        try
        {
            control.Send(WorkerMessage.Failed, WorkerWire.Text(failure.GetType().Name), WorkerWire.Text(failure.Message),
                failure is KeyRefusedException refused ? refused.Answer.ToJson() : default(ReadOnlyMemory<byte>));
        }
        catch (IOException)
        {
            // The gateway has gone: nobody wants to know.
        }
    }

    /// <summary>What loads late is loaded before the doors close.</summary>
    private static void Warm()
    {
        using var keys = HpkeKeyPair.Generate();
        using var signer = Signer.Generate();
        _ = signer.Sign("warm"u8);
        var (enc, ciphertext) = Hpke.Seal(keys.PublicKey, [], [], "warm"u8);
        _ = Hpke.Open(keys, enc, [], [], ciphertext);
    }

    private static async Task<ScoringWorker> StartAsync(WorkerWire control)
    {
        if (control.Receive() is not (WorkerMessage.Start, { Count: 3 } fields))
            throw new IOException("The gateway did not say what to open.");
        var publishers = WorkerWire.Text(fields[1]).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(VerificationKey.Parse).ToList();
        var gateway = new GatewaySide(control);
        var package = Receive(control, WorkerWire.LongNumber(fields[0]));   // opening it closes it
        Digest? stated = fields[2].Length == 0 ? null : new Digest(fields[2]);
        return await ScoringWorker.StartAsync(() => package, stated, publishers, gateway, gateway.ChallengeAsync, gateway.ReleaseAsync, TimeProvider.System, Random.Shared.NextDouble, CancellationToken.None);
    }

    private static Stream Receive(WorkerWire control, long bytes)
    {
        var package = PackageMemory.Create(bytes);
        while (package.Position < bytes)
        {
            if (control.Receive() is not (WorkerMessage.Package, [{ Length: > 0 } piece]) || piece.Length > bytes - package.Position)
                throw new IOException("The gateway broke off while it gave the package.");
            package.Write(piece);
        }

        package.Position = 0;
        return package;
    }

    private static void Serve(WorkerWire wire, ScoringWorker worker)
    {
        try
        {
            while (wire.Receive() is var (kind, fields))
            {
                try
                {
                    Answer(wire, worker, kind, fields);
                }
                catch (LeaseEndedException ended)
                {
                    wire.Send(WorkerMessage.LeaseEnded, WorkerWire.Text(ended.Message));
                }
                catch (Exception failure) when (failure is not IOException)
                {
                    wire.Send(WorkerMessage.Failed, WorkerWire.Text(failure.GetType().Name));   // the kind only: a message might hold what was sealed
                }
            }
        }
        catch (IOException)
        {
            // The gateway is gone; so is this worker, with its keys.
        }
    }

    private static void Answer(WorkerWire wire, ScoringWorker worker, WorkerMessage kind, List<byte[]> fields)
    {
        switch (kind)
        {
            case WorkerMessage.Score when fields.Count == 7:
                var answer = worker.Answer(new WorkerRequest(fields[0], WorkerWire.Floats(fields[1]), WorkerWire.Number(fields[2]), fields[3].Length == 0 ? null : WorkerWire.Text(fields[3])[1..], new Digest(fields[4]))
                {
                    Form = (AnswerForm)WorkerWire.Number(fields[5]),
                    Sign = WorkerWire.Number(fields[6]) == 1,
                });
                wire.Send(WorkerMessage.Reply, WorkerWire.Verdict(answer.Verdict), WorkerWire.Number(answer.Row), answer.Body, answer.Envelope, answer.Salt, WorkerWire.Number(answer.HeadBytes), WorkerWire.Floats(answer.Scores));
                break;
            case WorkerMessage.Sealed when fields.Count == 8:
                var sealedAnswer = worker.Answer(new SealedAsk(new(WorkerWire.Text(fields[0]), WorkerWire.Text(fields[1]), WorkerWire.Text(fields[2])), fields[3], new Digest(fields[4]), WorkerWire.Number(fields[5]))
                {
                    Protocol = (ObliviousProtocol)WorkerWire.Number(fields[6]),
                    Encapsulated = fields[7],
                });
                wire.Send(WorkerMessage.Reply, WorkerWire.Number(sealedAnswer.Status), WorkerWire.Text(sealedAnswer.Outcome), WorkerWire.Text(sealedAnswer.Reason), sealedAnswer.Message, sealedAnswer.Envelope, sealedAnswer.Nonce);
                break;
            default:
                throw new IOException("The gateway sends no question that this worker knows.");
        }
    }

    /// <summary>The gateway's device and broker, asked over the socket: this process can reach neither.</summary>
    private sealed class GatewaySide(WorkerWire wire) : IEvidenceSource
    {
        public string Kind => "";

        public ValueTask<Evidence> CollectAsync(EvidenceChallenge challenge, EvidenceKeys keys, Digest model, CancellationToken cancel) => ValueTask.FromResult(Evidence.FromJson(
            Ask(WorkerMessage.AskEvidence, JsonSerializer.SerializeToUtf8Bytes(challenge, AttestationJson.Default.EvidenceChallenge), keys.Hpke, WorkerWire.Text(keys.Receipt.ToString()), WorkerWire.Hash(model))));

        internal ValueTask<EvidenceChallenge> ChallengeAsync(EvidenceIntroduction introduction, CancellationToken cancel) => ValueTask.FromResult(
            JsonSerializer.Deserialize(Ask(WorkerMessage.AskChallenge, WorkerWire.Text(introduction.Renews ?? "")), AttestationJson.Default.EvidenceChallenge) ?? throw new InvalidDataException("There is no challenge."));

        internal ValueTask<KeyReleaseAnswer> ReleaseAsync(Evidence evidence, string? renews, CancellationToken cancel) => ValueTask.FromResult(
            JsonSerializer.Deserialize(Ask(WorkerMessage.AskRelease, evidence.ToJson(), WorkerWire.Text(renews ?? "")), AttestationJson.Default.KeyReleaseAnswer) ?? throw new InvalidDataException("There is no answer."));

        /// <summary>One question at a time: whoever renews is alone with this conversation.</summary>
        private byte[] Ask(WorkerMessage kind, params ReadOnlySpan<ReadOnlyMemory<byte>> fields)
        {
            wire.Send(kind, fields);
            return wire.Receive() switch
            {
                (WorkerMessage.Reply, [var reply]) => reply,
                (WorkerMessage.Failed, [var why]) => throw new InvalidDataException(WorkerWire.Text(why)),
                _ => throw new IOException("The gateway went away."),
            };
        }
    }
}
