using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Client;

/// <summary>
/// Scores rows on an attested worker. Before the first request it fetches the worker's evidence and verifies it here: pinned roots, policy, the log's proof of the key release.
/// Then every request is sealed to the attested key, in one round trip, and every answer is opened, checked against its receipt and the log, and only then given out. Thread-safe.
/// </summary>
/// <example><code>
/// using var client = new BulwarkClient(options);
/// var scores = await client.ScoreAsync(row);
/// </code></example>
public sealed partial class BulwarkClient : IDisposable
{
    private readonly BulwarkClientOptions _options;
    private readonly GatewayConnection _connection;
    private readonly SealedRoute _route;
    private readonly SemaphoreSlim _attesting = new(1, 1);
    private volatile AttestedSession? _session;

    /// <summary>Makes a client; sends nothing.</summary>
    /// <exception cref="ArgumentException">The options have faults; the message lists them all.</exception>
    public BulwarkClient(BulwarkClientOptions options) : this(options, null)
    {
    }

    internal BulwarkClient(BulwarkClientOptions options, HttpMessageHandler? handler)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = options.Faults().ToList();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));
        _options = options;
        _connection = new(options, handler);
        _route = new("POST", $"/v2/models/{Uri.EscapeDataString(options.Model)}/sealed", options.Model);
    }

    /// <summary>The evidence that the present session stands on; null before the first request.</summary>
    public Evidence? Evidence => _session?.Evidence;

    /// <summary>What it came to, leg by leg; null before the first request.</summary>
    public EvidenceAppraisal? Appraisal => _session?.Appraisal;

    /// <summary>Scores one row.</summary>
    /// <param name="row">The model's features; NaN for a missing value.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <returns>The row's score, one value a class.</returns>
    /// <exception cref="BulwarkClientException">There is no verified prediction; it says why.</exception>
    public async Task<IReadOnlyList<float>> ScoreAsync(ReadOnlyMemory<float> row, CancellationToken cancel = default) => (await PredictAsync(row, 1, cancel)).Scores;

    /// <summary>Scores rows and gives the receipt with the scores.</summary>
    /// <param name="rows">Shape (<paramref name="rowCount"/>, features), row-major; NaN for a missing value.</param>
    /// <param name="rowCount">How many rows, at least 1.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="BulwarkClientException">There is no verified prediction; it says why.</exception>
    public async Task<SealedPrediction> PredictAsync(ReadOnlyMemory<float> rows, int rowCount, CancellationToken cancel = default)
    {
        if (rowCount < 1 || rows.Length == 0 || rows.Length % rowCount != 0)
            throw new ArgumentException($"{rows.Length} values do not make {rowCount} rows.", nameof(rows));
        var body = InferenceBody.Write(rows.Span, rowCount);
        var session = await SessionAsync(null, cancel);
        if (_options.Protocol is not ObliviousProtocol.None)
            return await PredictObliviousAsync(session, body, rowCount, cancel);
        var (call, answer) = await SendAsync(session, body, cancel);
        if (IsAboutKey(answer))
        {
            session = await SessionAsync(session, cancel);   // the worker was started anew: attest it again, once
            (call, answer) = await SendAsync(session, body, cancel);
            if (IsAboutKey(answer))
                throw new BulwarkClientException(ClientFailure.KeyChanged, "The worker's key is not the one that was attested, and attesting again did not help: whoever stands between exchanges evidence or requests.");
        }

        return Open(session, call, answer, body, rowCount);
    }

    /// <summary>Fetches and verifies evidence now; a request does it by itself.</summary>
    /// <exception cref="BulwarkClientException">The evidence or the proof of release is refused.</exception>
    public async Task<EvidenceAppraisal> AttestAsync(CancellationToken cancel = default) => (await SessionAsync(_session, cancel)).Appraisal;

    /// <inheritdoc/>
    public void Dispose()
    {
        _session?.Dispose();
        _connection.Dispose();
        _attesting.Dispose();
    }

    private async Task<(SealedCall Call, GatewayAnswer Answer)> SendAsync(AttestedSession session, byte[] body, CancellationToken cancel)
    {
        var call = session.Seal(_route, body);
        return (call, await _connection.SendSealedAsync(_route.Path, call.Message, cancel));
    }

    /// <summary>The verified session; a new one when there is none, it is <paramref name="spent"/>, or its evidence is older than the policy lets it be.</summary>
    private async Task<AttestedSession> SessionAsync(AttestedSession? spent, CancellationToken cancel)
    {
        if (_session is { IsStale: false } present && !ReferenceEquals(present, spent))
            return present;
        await _attesting.WaitAsync(cancel);
        try
        {
            if (_session is { IsStale: false } meanwhile && !ReferenceEquals(meanwhile, spent))
                return meanwhile;
            var nonce = AttestedSession.NewNonce();
            var answer = await _connection.AttestAsync(_options.Model, nonce, cancel);
            if (answer.Status != 200)
                throw new BulwarkClientException(Refusal(answer), $"The gateway refused to show evidence ({answer.Status}): {InferenceBody.Error(answer.Body)}");
            return _session = AttestedSession.Verify(_options, answer.Body, nonce);   // the one before is left to requests that are under way
        }
        finally
        {
            _attesting.Release();
        }
    }

    private SealedPrediction Open(AttestedSession session, SealedCall call, GatewayAnswer answer, byte[] body, int rowCount)
    {
        if (answer.MediaType != SealedChannel.MediaType)
        {
            throw answer.Status is >= 200 and < 300
                ? new BulwarkClientException(ClientFailure.AnswerRefused, "The answer is not sealed: whoever gave it is not the attested worker.")
                : new BulwarkClientException(Refusal(answer), $"The gateway refused ({answer.Status}): {InferenceBody.Error(answer.Body)}");
        }

        SealedContent content;
        try
        {
            content = SealedContent.Parse(call.Open(answer.Body));
        }
        catch (SealedRequestException failure)
        {
            throw new BulwarkClientException(ClientFailure.AnswerRefused, failure.Message, failure);
        }

        return Prediction(session, answer, content, body, rowCount);
    }

    private SealedPrediction Prediction(AttestedSession session, GatewayAnswer answer, SealedContent content, byte[] body, int rowCount)
    {
        if (content.Status != 200)
            throw new BulwarkClientException(ClientFailure.InputRejected, $"The worker does not take these rows: {InferenceBody.Error(content.Body)}");
        var receipt = Receipt(session, answer, content, body);
        try
        {
            var (scores, classes) = InferenceBody.Read(content.Body, rowCount);
            return new(scores, classes, session.Appraisal.Insecure, body, content.Body, receipt);
        }
        catch (JsonException failure)
        {
            throw new BulwarkClientException(ClientFailure.AnswerRefused, $"The worker's answer cannot be read: {failure.Message}", failure);
        }
    }

    /// <summary>The gateway adds the place in the log, the sealed answer the salt: neither alone is a receipt.</summary>
    private PredictionReceipt Receipt(AttestedSession session, GatewayAnswer answer, SealedContent content, byte[] body)
    {
        PredictionReceipt receipt;
        try
        {
            receipt = PredictionReceipt.Parse(Convert.FromBase64String(answer.Receipt ?? "")) with { Salt = content.Salt };
        }
        catch (Exception failure) when (failure is FormatException or InvalidDataException)
        {
            throw new BulwarkClientException(ClientFailure.ReceiptRefused, $"The answer has no receipt that can be read: {failure.Message}", failure);
        }

        var report = receipt.Verify(_options.Log, [session.Evidence.Keys.Receipt], body, content.Body, session.Evidence.Model);
        return report.Trusted ? receipt
            : throw new BulwarkClientException(ClientFailure.ReceiptRefused, $"The receipt does not prove the answer: {string.Join("; ", report.Links.Where(link => !link.Holds).Select(link => $"{link.Name}: {link.Detail}"))}");
    }

    /// <summary>What the gateway says in the clear is no proof; a lease that it says is over is at least no answer.</summary>
    private static ClientFailure Refusal(GatewayAnswer answer) =>
        answer.Status == 503 && InferenceBody.Error(answer.Body).StartsWith("lease-ended", StringComparison.Ordinal) ? ClientFailure.LeaseEnded : ClientFailure.Refused;

    private static bool IsAboutKey(GatewayAnswer answer) =>
        answer.MediaType != SealedChannel.MediaType && InferenceBody.Error(answer.Body).StartsWith("sealed-unknown-key", StringComparison.Ordinal);
}
