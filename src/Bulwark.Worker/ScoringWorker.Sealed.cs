using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Worker.Leases;

namespace Bulwark.Worker;

/// <content>Sealed requests: only the worker reads them and their answers.</content>
public sealed partial class ScoringWorker
{
    private const int Ok = 200, BadRequest = 400, Unprocessable = 422;

    private readonly WorkerModelFacts _model;

    /// <inheritdoc/>
    public WorkerFacts Facts => new(_model, Evidence, Release, "") { ObliviousKeys = _obliviousKeys };

    /// <inheritdoc/>
    public bool IsReady => _leased.Runs;

    /// <inheritdoc/>
    public ValueTask<WorkerAnswer> AnswerAsync(WorkerRequest request, CancellationToken cancel) => ValueTask.FromResult(Answer(request));

    /// <inheritdoc/>
    public ValueTask<SealedAnswer> AnswerAsync(SealedAsk ask, CancellationToken cancel) => ValueTask.FromResult(Answer(ask));

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<Evidence> AttestAsync(byte[] nonce, CancellationToken cancel)
    {
        using (_leased.Borrow())
            return _source.CollectAsync(new() { Nonce = nonce }, Evidence.Keys, Evidence.Model, cancel);
    }

    /// <summary>Opens, screens, scores, signs and seals.</summary>
    /// <exception cref="LeaseEndedException">The lease of the model's key is over; nothing of the request was opened.</exception>
    public SealedAnswer Answer(SealedAsk ask)
    {
        ArgumentNullException.ThrowIfNull(ask);
        using var loan = _leased.Borrow();
        if (ask.Route.Model != _model.Name)
            return new(BadRequest, "refused", "wrong-model", default, default);
        if (ask.Protocol is not ObliviousProtocol.None)
            return AnswerOblivious(ask, loan.Held);
        SealedArrival arrival;
        try
        {
            arrival = _endpoint.Open(ask.Route, ask.Message.Span);
        }
        catch (SealedRequestException refused)
        {
            return new(refused.Refusal is SealedRefusal.UnknownKey ? Unprocessable : BadRequest, "refused", refused.Name, default, default);
        }

        var (request, rows, fault) = SealedInference.Read(arrival.Body.Span, _model.Width, ask.MaximumRows);
        var answer = request is null
            ? Malformed(loan.Held, arrival.Body, fault, ask.Policy)
            : Answer(new WorkerRequest(arrival.Body, rows, rows.Length / _model.Width, request.Id, ask.Policy), loan.Held, null);
        var (status, outcome, reason) = request is null ? (BadRequest, "refused", "malformed") : answer.Verdict.IsAccepted ? (Ok, "scored", answer.Verdict.Reason) : (Unprocessable, "screened", answer.Verdict.Reason);
        return new(status, outcome, reason, arrival.Seal(new SealedContent(status, answer.Salt, answer.Body).ToBytes()), answer.Envelope);
    }

    private WorkerAnswer Malformed(Held held, ReadOnlyMemory<byte> request, string fault, Digest policy, byte[]? salt = null)
    {
        var body = System.Text.Encoding.UTF8.GetBytes($$"""{"error":"malformed: {{fault.Replace("\"", "'", StringComparison.Ordinal)}}"}""");
        salt ??= PredictionReceipt.NewSalt();
        return new(default, -1, body, PredictionReceipt.Sign(Signed(held, salt, request.Span, body, policy, "malformed", "refused"), _signer), salt);
    }

    private PredictionFacts Signed(Held held, byte[] salt, ReadOnlySpan<byte> request, ReadOnlySpan<byte> response, Digest policy, string screen, string outcome) => new()
    {
        RequestDigest = PredictionReceipt.RequestDigest(salt, request),
        ResponseDigest = PredictionReceipt.ResponseDigest(salt, response),
        ModelDigest = _model.Package,
        PolicyVersion = policy,
        AttestationDigest = held.Attestation,
        ScreenVerdict = screen,
        Outcome = outcome,
        Time = _time.GetUtcNow(),
        Insecure = held.Release.Insecure,
    };
}
