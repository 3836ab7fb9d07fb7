using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Monitoring;

namespace Bulwark.Worker;

/// <summary>The part inside the trusted execution environment: attest, open the model in memory, screen, score, sign. Thread-safe.</summary>
/// <remarks>The model's plain bytes never touch a disk. The keys are made at each start and die with the worker; the evidence binds them.</remarks>
public sealed partial class ScoringWorker : IScoringWorker, IDisposable
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Signer _signer;
    private readonly SealedEndpoint _endpoint;
    private readonly IEvidenceSource _source;
    private readonly TimeProvider _time;
    private readonly Digest _attestation;

    private ScoringWorker(WorkerModel model, Signer signer, HpkeKeyPair hpke, IEvidenceSource source, Evidence evidence, KeyReleaseAnswer release, TimeProvider time)
    {
        Model = model;
        Evidence = evidence;
        Release = release.Record;
        _signer = signer;
        _source = source;
        _endpoint = new(hpke, evidence.ChannelBinding(), time);
        _time = time;
        _attestation = evidence.Digest();
    }

    /// <summary>The model that was opened.</summary>
    public WorkerModel Model { get; }

    /// <summary>The evidence on which its key was released.</summary>
    public Evidence Evidence { get; }

    /// <summary>The broker's decision.</summary>
    public KeyReleaseRecord Release { get; }

    /// <summary>The key that verifies this worker's receipts; the evidence binds it.</summary>
    public VerificationKey ReceiptKey => _signer.PublicKey;

    /// <summary>True unless real hardware vouched for this worker; every receipt says so.</summary>
    public bool Insecure => Release.Insecure;

    /// <summary>Starts a worker: fresh keys, challenge, evidence, key release, package opened in memory.</summary>
    /// <param name="package">The sealed package: seekable, from where it stands to its end. It is closed.</param>
    /// <param name="publishers">The keys whose signature on a package is trusted.</param>
    /// <param name="source">Where evidence comes from.</param>
    /// <param name="broker">Who may release the package's key.</param>
    /// <param name="time">The clock that dates receipts.</param>
    /// <param name="cancel">Ends the start.</param>
    /// <exception cref="KeyRefusedException">The broker kept the key.</exception>
    /// <exception cref="CryptographicException">The package was changed, or no trusted publisher signed it.</exception>
    /// <exception cref="InvalidDataException">The package holds no model that can be served.</exception>
    public static Task<ScoringWorker> StartAsync(
        Stream package, IReadOnlyCollection<VerificationKey> publishers, IEvidenceSource source, IKeyBroker broker, TimeProvider time, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(broker);
        return StartAsync(package, publishers, source, broker.ChallengeAsync, (evidence, ending) => broker.ReleaseAsync(evidence, null, ending), time, cancel);
    }

    internal static async Task<ScoringWorker> StartAsync(
        Stream package, IReadOnlyCollection<VerificationKey> publishers, IEvidenceSource source,
        Func<EvidenceIntroduction, CancellationToken, ValueTask<EvidenceChallenge>> challenge, Func<Evidence, CancellationToken, ValueTask<KeyReleaseAnswer>> ask,
        TimeProvider time, CancellationToken cancel)
    {
        var verified = await SealedModel.RequireAsync(package, publishers, cancel);
        var signer = Signer.Generate();
        var hpke = HpkeKeyPair.Generate();
        try
        {
            var keys = new EvidenceKeys { Hpke = hpke.PublicKey.ToArray(), Receipt = signer.PublicKey };
            var evidence = await source.CollectAsync(await challenge(await source.IntroduceAsync(cancel), cancel), keys, verified.Verification.PackageDigest, cancel);
            var release = await ask(evidence, cancel);
            if (release.Key is null)
                throw new KeyRefusedException(release);
            using var dataKey = release.Key.Open(hpke, evidence);
            return new(await OpenAsync(verified, dataKey, cancel), signer, hpke, source, evidence, release, time);
        }
        catch
        {
            hpke.Dispose();
            signer.Dispose();
            throw;
        }
    }

    /// <summary>Answers one request: screens its rows, scores them when all pass, and signs what became of it.</summary>
    public WorkerAnswer Answer(WorkerRequest request) => Answer(request, null);

    private WorkerAnswer Answer(WorkerRequest request, byte[]? salt)
    {
        ArgumentNullException.ThrowIfNull(request);
        var scores = new float[request.RowCount * Model.Classes];
        var (verdict, row) = Model.Score(request.Rows.Span, request.RowCount, scores);
        var headBytes = -1;
        var body = verdict.IsAccepted
            ? ScoreAnswer.Write(request.Form, Model.Name, Model.Version, request.Id, scores, request.RowCount, Insecure, out headBytes)
            : Refused(verdict, row);
        if (!request.Sign)
            return new(verdict, row, body, default, default) { HeadBytes = headBytes, Scores = scores };
        salt ??= PredictionReceipt.NewSalt();
        var facts = Signed(salt, request.Body.Span, body, request.Policy, verdict.Reason, verdict.IsAccepted ? "scored" : "refused");
        return new(verdict, row, body, PredictionReceipt.Sign(facts, _signer), salt) { HeadBytes = headBytes, Scores = scores };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _signer.Dispose();
        _endpoint.Dispose();
        _oblivious.Dispose();
        Model.Dispose();
    }

    /// <summary>Which row and which feature, and why; never the value.</summary>
    private byte[] Refused(ScreenVerdict verdict, int row)
    {
        var where = verdict.Field >= 0 ? $"row {row}, feature {Model.Screen.Fields[verdict.Field].Name}" : $"row {row}";
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Relaxed);
        writer.WriteStartObject();
        writer.WriteString("error", $"{verdict.Reason}: {where}");
        ScoreAnswer.WriteParameters(writer, Insecure);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static async Task<WorkerModel> OpenAsync(VerifiedPackage package, SecretBytes dataKey, CancellationToken cancel)
    {
        using var opened = await package.OpenAsync(dataKey, cancel);
        var screen = opened.Contains(ModelFolder.ScreenName) ? opened.File(ModelFolder.ScreenName).ToArray() : null;
        var hardening = opened.Contains(OutputHardening.FileName) ? opened.File(OutputHardening.FileName).ToArray() : null;
        return WorkerModel.Open(opened.Manifest.Name, opened.Manifest.Version, opened.PackageDigest, opened.File(ModelFolder.OnnxName).Span, screen, opened.Weights, hardening);
    }
}
