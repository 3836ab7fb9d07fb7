using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Monitoring;
using Bulwark.Worker.Leases;

namespace Bulwark.Worker;

/// <summary>The part inside the trusted execution environment: attest, open the model in memory, screen, score, sign. Thread-safe.</summary>
/// <remarks>
/// The model's plain bytes never touch a disk. The keys are made at each start and die with the worker; the evidence binds them. The model stands under a lease: the worker renews it by new
/// evidence before its end, and at its end wipes key and model and scores nothing until the key is released again.
/// </remarks>
public sealed partial class ScoringWorker : IScoringWorker, IDisposable
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Signer _signer;
    private readonly SealedEndpoint _endpoint;
    private readonly IEvidenceSource _source;
    private readonly TimeProvider _time;
    private readonly LeasedModel _leased;
    private readonly byte[] _obliviousKeys;

    private ScoringWorker(LeasedModel leased, Signer signer, HpkeKeyPair hpke, IEvidenceSource source, TimeProvider time)
    {
        _leased = leased;
        _signer = signer;
        _source = source;
        _endpoint = new(hpke, leased.Last.Evidence.ChannelBinding(), time);
        _time = time;
        _obliviousKeys = Dsse.Sign(WorkerAttestation.ObliviousKeysType, _oblivious.KeyList, signer);
        var model = leased.Last.Model;
        _model = new(model.Name, model.Version, model.Package, model.Width, model.Classes);
    }

    /// <summary>The evidence on which the model's key was released, or renewed last.</summary>
    public Evidence Evidence => _leased.Last.Evidence;

    /// <summary>The broker's last decision that released it.</summary>
    public KeyReleaseRecord Release => _leased.Last.Release;

    /// <summary>The key that verifies this worker's receipts; the evidence binds it.</summary>
    public VerificationKey ReceiptKey => _signer.PublicKey;

    /// <summary>True unless real hardware vouched for this worker; every receipt says so.</summary>
    public bool Insecure => Release.Insecure;

    internal LeasedModel Leased => _leased;

    /// <summary>Starts a worker: fresh keys, challenge, evidence, key release, package opened in memory.</summary>
    /// <param name="package">Opens the sealed package: seekable, from where it stands to its end. Opened again after the lease of its key has ended.</param>
    /// <param name="publishers">The keys whose signature on a package is trusted.</param>
    /// <param name="source">Where evidence comes from.</param>
    /// <param name="broker">Who may release the package's key.</param>
    /// <param name="time">The clock that dates receipts.</param>
    /// <param name="cancel">Ends the start.</param>
    /// <exception cref="KeyRefusedException">The broker kept the key.</exception>
    /// <exception cref="CryptographicException">The package was changed, or no trusted publisher signed it.</exception>
    /// <exception cref="InvalidDataException">The package holds no model that can be served.</exception>
    public static Task<ScoringWorker> StartAsync(
        Func<Stream> package, IReadOnlyCollection<VerificationKey> publishers, IEvidenceSource source, IKeyBroker broker, TimeProvider time, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(broker);
        return StartAsync(package, null, publishers, source, broker.ChallengeAsync, broker.ReleaseAsync, time, Random.Shared.NextDouble, cancel);
    }

    internal static async Task<ScoringWorker> StartAsync(
        Func<Stream> package, Digest? stated, IReadOnlyCollection<VerificationKey> publishers, IEvidenceSource source,
        Func<EvidenceIntroduction, CancellationToken, ValueTask<EvidenceChallenge>> challenge, Func<Evidence, string?, CancellationToken, ValueTask<KeyReleaseAnswer>> release,
        TimeProvider time, Func<double> jitter, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(package);
        var signer = Signer.Generate();
        var hpke = HpkeKeyPair.Generate();
        try
        {
            var keys = new EvidenceKeys { Hpke = hpke.PublicKey.ToArray(), Receipt = signer.PublicKey };
            async Task<(Evidence, KeyReleaseAnswer)> Ask(Digest model, string? renews, CancellationToken ending)
            {
                var evidence = await source.CollectAsync(await challenge(await source.IntroduceAsync(ending) with { Renews = renews }, ending), keys, model, ending);
                return (evidence, await release(evidence, renews, ending));
            }

            var leased = await LeasedModel.OpenAsync(package, stated, publishers, hpke, Ask, time, new(jitter), cancel);
            return new(leased, signer, hpke, source, time);
        }
        catch
        {
            hpke.Dispose();
            signer.Dispose();
            throw;
        }
    }

    /// <summary>Answers one request: screens its rows, scores them when all pass, and signs what became of it.</summary>
    /// <exception cref="LeaseEndedException">The lease of the model's key is over.</exception>
    public WorkerAnswer Answer(WorkerRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var loan = _leased.Borrow();
        return Answer(request, loan.Held, null);
    }

    private WorkerAnswer Answer(WorkerRequest request, Held held, byte[]? salt)
    {
        var (model, insecure) = (held.Model, held.Release.Insecure);
        var scores = new float[request.RowCount * model.Classes];
        var (verdict, row) = model.Score(request.Rows.Span, request.RowCount, scores);
        var headBytes = -1;
        var body = verdict.IsAccepted
            ? ScoreAnswer.Write(request.Form, model.Name, model.Version, request.Id, scores, request.RowCount, insecure, out headBytes)
            : Refused(verdict, row, held);
        if (!request.Sign)
            return new(verdict, row, body, default, default) { HeadBytes = headBytes, Scores = scores };
        salt ??= PredictionReceipt.NewSalt();
        var facts = Signed(held, salt, request.Body.Span, body, request.Policy, verdict.Reason, verdict.IsAccepted ? "scored" : "refused");
        return new(verdict, row, body, PredictionReceipt.Sign(facts, _signer), salt) { HeadBytes = headBytes, Scores = scores };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _leased.Dispose();   // waits for those who score
        _endpoint.Dispose();
        _oblivious.Dispose();
        _signer.Dispose();
    }

    /// <summary>Which row and which feature or relation, and why; never the value.</summary>
    private static byte[] Refused(ScreenVerdict verdict, int row, Held held)
    {
        var where = held.Model.Screen.NameOf(verdict) is { Length: > 0 } name ? $"row {row}, {name}" : $"row {row}";
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Relaxed);
        writer.WriteStartObject();
        writer.WriteString("error", $"{verdict.Reason}: {where}");
        ScoreAnswer.WriteParameters(writer, held.Release.Insecure);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
