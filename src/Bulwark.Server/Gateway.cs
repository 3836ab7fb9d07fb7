using System.Diagnostics;
using Bulwark.Lineage;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>The way of one request: who is it, may they, is it what the model takes, score, record, answer. Anything else is refused under its own name.</summary>
internal sealed partial class Gateway(ServedModels models, Doorkeeper door, PolicyHolder policies, AuditWriter audit, GatewayLoad load, GatewayMetrics metrics, GatewayOptions options, ILogger logger)
{
    /// <summary>The answer when a decision cannot be recorded.</summary>
    private static readonly Refusal Unrecorded = new(StatusCodes.Status503ServiceUnavailable, "log-unavailable", "The decision could not be recorded, so there is none; try again later.");
    private static readonly Refusal Overloaded = new(StatusCodes.Status503ServiceUnavailable, "overloaded", "The gateway has as many requests under way as it may; try again later.");

    /// <summary>The answer when the query monitor cannot be asked.</summary>
    private static readonly Refusal Unwatched = new(StatusCodes.Status503ServiceUnavailable, "monitor-unavailable", "Queries cannot be watched now, so none is answered; try again later.");

    /// <summary>The answer to what looks like probing.</summary>
    private static readonly Refusal Probing = new(StatusCodes.Status429TooManyRequests, "probing", "This client's queries look like probing; the answer is withheld.");

    /// <summary>Scores: <c>POST v2/models/{model}[/versions/{version}]/infer</c>.</summary>
    internal Task InferAsync(HttpContext http) => ServeAsync(http, AnswerAsync);

    private async Task ServeAsync(HttpContext http, Func<HttpContext, GatewayDecision, Task<Reply>> answer)
    {
        if (!load.TryEnter())
        {
            await ShedAsync(http);
            return;
        }

        var stay = load.Enter();
        try
        {
            var began = Stopwatch.GetTimestamp();
            var decision = new GatewayDecision("infer", options.Time.GetUtcNow()) { Policy = policies.Current.Version };
            using var span = GatewayMetrics.StartSpan("infer");
            var reply = await answer(http, decision);
            metrics.Answered(decision.Model ?? "none", reply.Outcome, Stopwatch.GetElapsedTime(began));
            span?.SetTag("bulwark.model", decision.Model).SetTag("bulwark.outcome", reply.Outcome);
            await reply.WriteAsync(http, stay);
        }
        finally
        {
            stay.Leave();
        }
    }

    /// <summary>Answers a client that may inspect a model.</summary>
    internal async Task InspectAsync(HttpContext http, Func<IServedModel, Reply> answer)
    {
        var decision = Begin("inspect");
        var (name, version) = (http.Request.RouteValues["model"] as string, http.Request.RouteValues["version"] as string);
        var (refusal, model) = await AuthorizeAsync(http, decision, name!, version);
        var reply = refusal is { } why ? await RefuseAsync(why, decision) : await GiveAsync(answer(model!), decision);
        await reply.WriteAsync(http);
    }

    /// <summary>A decision that begins now, under the policy in force.</summary>
    internal GatewayDecision Begin(string action) => new(action, options.Time.GetUtcNow()) { Policy = policies.Current.Version };

    /// <summary>Notes who sent a request that is refused for another reason.</summary>
    internal async ValueTask RecognizeAsync(HttpContext http, GatewayDecision decision) => _ = await door.RecognizeAsync(http, decision);

    /// <summary>Who is it and may they; the model when they may.</summary>
    internal async ValueTask<(Refusal? Refusal, IServedModel? Model)> AuthorizeAsync(HttpContext http, GatewayDecision decision, string name, string? version)
    {
        var (stranger, connection, token) = await door.RecognizeAsync(http, decision);
        if (stranger is not null)
            return (stranger, null);
        var model = models.Find(name);
        return (door.Allow(http, decision, connection!, token!, name, version, model), model);
    }

    /// <summary>Parsed, allowed: screens, scores, records.</summary>
    internal async Task<(Refusal? Refusal, ServedAnswer? Answer, byte[]? Receipt)> ScoreAsync(
        HttpContext http, GatewayDecision decision, IServedModel model, InferenceRequest request, ReadOnlyMemory<byte> body, AnswerForm form)
    {
        var wantsReceipt = options.Receipts is ReceiptMode.Always || http.Request.Headers.ContainsKey(GatewayHost.ReceiptHeader);
        var asked = new AnswerAsked(body, form, wantsReceipt, decision.Policy);
        var began = Stopwatch.GetTimestamp();
        var answer = await model.AnswerAsync(request, asked, http.RequestAborted);
        models.Count(model, request.RowCount, answer, Stopwatch.GetElapsedTime(began));
        if (answer.IsScored)
        {
            var query = new ObservedQuery(decision.Client!, model.Signature.Name, RowsOf(request), request.RowCount, answer.Scores, decision.Time) { Thumbprint = decision.Thumbprint };
            var seen = await options.Observer.ObserveAsync(query);
            if (seen is ObservedAnswer.DecisionOnly && DecisionOnly.Of(answer, model, request, form) is { } blunt)
                answer = blunt;
            else if (seen is ObservedAnswer.Repeat && DecisionOnly.With(options.Observer.Repeated(query).ToArray(), "repeated", answer, model, request, form) is { } repeated)
                answer = repeated;
            else if (seen is not ObservedAnswer.Give)
                return (seen is ObservedAnswer.Unavailable ? Unwatched : Probing, null, null);
        }

        (decision.Outcome, decision.Reason, decision.Status) = (answer.Outcome, answer.Reason, answer.Status);
        if (await audit.RecordAsync(decision, answer.Signed?.Envelope) is not { } place)
            return (Unrecorded, null, null);
        if (answer.Status == StatusCodes.Status422UnprocessableEntity)
            metrics.InputRejected(answer.Reason);
        if (answer.Signed is not { } signed)
            return (null, answer, null);
        return await ProveAsync(place) is { } proof ? (null, answer, new PredictionReceipt(signed.Envelope, signed.Salt, proof).ToBytes()) : (Unrecorded, null, null);
    }

    /// <summary>Records a refusal; the answer is the refusal, or that it could not be recorded.</summary>
    internal async Task<Refusal> RecordAsync(Refusal refusal, GatewayDecision decision)
    {
        logger.RequestRefused(refusal.Status, refusal.Reason);
        (decision.Outcome, decision.Reason, decision.Status) = ("refused", refusal.Reason, refusal.Status);
        return await audit.RecordAsync(decision) is null ? Unrecorded : refusal;
    }

    /// <summary>Records that something was given; null when that could not be recorded, so that it must not be.</summary>
    internal async Task<Refusal?> RecordGivenAsync(GatewayDecision decision)
    {
        (decision.Outcome, decision.Reason, decision.Status) = ("given", "allowed", StatusCodes.Status200OK);
        return await audit.RecordAsync(decision) is null ? Unrecorded : null;
    }

    private async Task<Reply> AnswerAsync(HttpContext http, GatewayDecision decision)
    {
        var (name, version) = (http.Request.RouteValues["model"] as string, http.Request.RouteValues["version"] as string);
        var (refused, model) = await AuthorizeAsync(http, decision, name!, version);
        if (refused is { } unauthorized)
            return await RefuseAsync(unauthorized, decision);
        if (IsEhbp(http))
            return await AnswerEhbpAsync(http, decision, model);
        var (body, headBytes, unread) = await RequestBody.ReadAsync(http, options);
        if (unread is { } unreadable)
            return await RefuseAsync(unreadable, decision);
        if (InferenceRequest.Read(body.Span, headBytes, model!.Signature, out var malformed) is not { } request)
            return await RefuseAsync(malformed, decision);
        var form = request.AsksForBytes ? AnswerForm.Binary : AnswerForm.Json;
        var (refusal, answer, receipt) = await ScoreAsync(http, decision, model, request, body, form);
        return refusal is { } why ? why == Unrecorded ? Reply.Of(why) : await RefuseAsync(why, decision) : Reply.Of(answer!, receipt);
    }

    private async Task<Reply> RefuseAsync(Refusal refusal, GatewayDecision decision) => Reply.Of(await RecordAsync(refusal, decision));

    private async Task<Reply> GiveAsync(Reply reply, GatewayDecision decision) => await RecordGivenAsync(decision) is { } unrecorded ? Reply.Of(unrecorded) : reply;

    /// <summary>A proof reads tiles while the tree grows, and a partial tile goes when a fuller one takes its place: then it is asked for again, under the newer checkpoint.</summary>
    private async Task<TlogProof?> ProveAsync(LogEntryReceipt place)
    {
        const int Attempts = 5;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await options.Log.ProofForAsync(place.Index);
            }
            catch (Exception) when (attempt < Attempts)
            {
                // the next checkpoint names tiles that are there
            }
            catch (Exception failure)   // recorded, but not provable: no receipt, so no answer
            {
                metrics.LogFailed();
                logger.LogFailed(failure);
                return null;
            }
        }
    }

    private async Task ShedAsync(HttpContext http)
    {
        metrics.Shed();
        http.Response.Headers.RetryAfter = "1";
        await (GrpcFrame.IsGrpc(http.Request) ? GrpcFrame.WriteAsync(http, Overloaded, default, null) : Reply.Of(Overloaded).WriteAsync(http));
    }

    private static ReadOnlyMemory<float> RowsOf(InferenceRequest request) =>
        request.Inputs[0].Type is TensorType.Fp32 or TensorType.Fp64 ? request.Inputs[0].ToFloats() : default;
}
