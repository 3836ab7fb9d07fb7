using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Policy;
using Bulwark.Worker;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Bulwark.Server;

/// <summary>The way of one request: who is it, may they, is it what the model takes, score, record, answer. Anything else is refused under its own name.</summary>
internal sealed class Gateway(ScoringWorker worker, ModelSignature model, VerifiedTokens tokens, GatewayPolicy policy, DecisionLog log, GatewayMetrics metrics, GatewayOptions options, ILogger logger)
{
    /// <summary>Scores rows: <c>POST v2/models/{model}[/versions/{version}]/infer</c>.</summary>
    internal async Task InferAsync(HttpContext http)
    {
        var began = Stopwatch.GetTimestamp();
        var decision = new GatewayDecision("infer", options.Time.GetUtcNow());
        var reply = await AnswerAsync(http, decision);
        metrics.Answered(model.Name, reply.Outcome, Stopwatch.GetElapsedTime(began));
        await reply.WriteAsync(http);
    }

    /// <summary>Runs <paramref name="answer"/> for a client that may inspect the model; see <c>GET v2/models/{model}</c>.</summary>
    internal async Task InspectAsync(HttpContext http, Func<Reply> answer)
    {
        var decision = new GatewayDecision("inspect", options.Time.GetUtcNow());
        var reply = Authorize(http, decision) is { } refusal ? await RefuseAsync(refusal, decision) : answer();
        await reply.WriteAsync(http);
    }

    private async Task<Reply> AnswerAsync(HttpContext http, GatewayDecision decision)
    {
        if (Authorize(http, decision) is { } unauthorized)
            return await RefuseAsync(unauthorized, decision);

        var (body, tooLarge) = await ReadBodyAsync(http);
        if (tooLarge is { } oversized)
            return await RefuseAsync(oversized, decision);

        if (InferenceRequest.Read(body.Span, model, out var malformed) is not { } request)
            return await RefuseAsync(malformed, decision);

        var answer = worker.Answer(new(body, request.Rows, request.RowCount, request.Id, policy.Version));
        if (await log.TryAppendAsync(answer, decision) is not { } receipt)
            return Reply.Of(DecisionLog.Unavailable);
        if (!answer.Verdict.IsAccepted)
            metrics.InputRejected(answer.Verdict.Reason);
        return Reply.Of(answer, receipt);
    }

    /// <summary>The client behind a request and what it may do; null when it may.</summary>
    private Refusal? Authorize(HttpContext http, GatewayDecision decision)
    {
        if (ForwardedIdentity.IsClaimed(http.Request.Headers))
            return new(StatusCodes.Status400BadRequest, "forwarded-identity", "This gateway believes no proxy about who a client is; remove X-Client-Cert, X-Forwarded and Forwarded headers.");
        if (Certificate(http) is not { } certificate)
            return new(StatusCodes.Status401Unauthorized, "no-certificate", "This connection showed no client certificate.");
        if (certificate.NotAfter.ToUniversalTime() < options.Time.GetUtcNow().UtcDateTime)
            return new(StatusCodes.Status401Unauthorized, "certificate-expired", "The connection's client certificate has expired since the handshake.");

        decision.Client = log.Pseudonym(certificate.RawDataMemory.Span);
        var authorization = http.Request.Headers.Authorization;
        var verdict = tokens.Read(authorization.Count == 1 ? authorization[0] : null, certificate.RawDataMemory.Span, out var token);
        if (verdict is not TokenVerdict.Accepted)
        {
            metrics.TokenRefused(verdict);
            return new(StatusCodes.Status401Unauthorized, "token-" + GatewayMetrics.Word(verdict), "The access token is refused.");
        }

        var (name, version) = (http.Request.RouteValues["model"] as string, http.Request.RouteValues["version"] as string);
        var answer = policy.Decide(token!, decision.Action, name!, worker.Insecure);
        decision.Policies = answer.Reasons;
        var allowed = answer.Decision is Decision.Allow && answer.Errors.Count == 0;
        metrics.PolicyDecided(allowed);
        if (answer.Errors.Count > 0)   // Cedar passes over a policy that errs; one that would forbid must not be passed over
            return new(StatusCodes.Status403Forbidden, "policy-error", "A policy could not be evaluated for this request; nobody is let in until it is mended.");
        if (!allowed)
            return new(StatusCodes.Status403Forbidden, "policy-denied", "No policy permits this, or one forbids it.");
        return name == model.Name && (version is null || version == model.Version) ? null
            : new(StatusCodes.Status404NotFound, "unknown-model", "This gateway serves no such model or version.");
    }

    private async Task<(ReadOnlyMemory<byte> Body, Refusal? Refusal)> ReadBodyAsync(HttpContext http)
    {
        if (http.Request.Headers.ContentEncoding.Count > 0)
            return (default, new(StatusCodes.Status415UnsupportedMediaType, "unsupported", "Compressed bodies are not taken."));
        if (!http.Request.HasJsonContentType())
            return (default, new(StatusCodes.Status415UnsupportedMediaType, "unsupported", "The body must be application/json."));
        var tooLarge = new Refusal(StatusCodes.Status413PayloadTooLarge, "body-too-large", $"A body may have {options.MaximumBodyBytes} bytes.");
        if (http.Request.ContentLength > options.MaximumBodyBytes)
            return (default, tooLarge);
        try
        {
            while (true)
            {
                var read = await http.Request.BodyReader.ReadAsync(http.RequestAborted);
                if (read.Buffer.Length > options.MaximumBodyBytes)
                {
                    http.Request.BodyReader.AdvanceTo(read.Buffer.End);
                    return (default, tooLarge);
                }

                if (read.IsCompleted)
                {
                    var body = read.Buffer.ToArray();
                    http.Request.BodyReader.AdvanceTo(read.Buffer.End);   // else Kestrel drops the connection after the answer
                    return (body, null);
                }

                http.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (BadHttpRequestException failure)
        {
            return (default, failure.StatusCode == StatusCodes.Status413PayloadTooLarge ? tooLarge : Refusal.Malformed("The request broke off or its framing is wrong."));
        }
    }

    private async Task<Reply> RefuseAsync(Refusal refusal, GatewayDecision decision)
    {
        logger.RequestRefused(refusal.Status, refusal.Reason);
        var recorded = await log.TryAppendAsync(refusal, decision);
        return Reply.Of(recorded ? refusal : DecisionLog.Unavailable);
    }

    /// <summary>The certificate that the handshake of this very connection checked.</summary>
    private static X509Certificate2? Certificate(HttpContext http) =>
        http.Features.Get<ITlsHandshakeFeature>() is null ? null : http.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
}
