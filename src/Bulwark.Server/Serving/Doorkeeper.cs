using Bulwark.Policy;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Bulwark.Server;

/// <summary>The two questions before every request: who is it, and may they. Each refusal has its own name.</summary>
internal sealed class Doorkeeper(
    ClientTrust trust, TokenGate tokens, PolicyHolder policies, ClientRates rates, NetworkZones zones, QueryObserver observer, Func<ReadOnlySpan<byte>, string> pseudonymOf, GatewayMetrics metrics, TimeProvider time, OcspStatuses? ocsp = null)
{
    private static readonly object ConnectionKey = new();
    private static readonly Refusal TooMany = new(StatusCodes.Status429TooManyRequests, "too-many-requests", "This client sends more requests than it may; slow down.");
    private static readonly Refusal Revoked = new(StatusCodes.Status401Unauthorized, "certificate-revoked", "The responder says that the connection's client certificate, or an authority above it, is revoked.");
    private static readonly Refusal NotKnown = new(StatusCodes.Status401Unauthorized, "certificate-revocation-unknown", "The responder does not know the connection's client certificate.");
    private static readonly Refusal ResponderAway = new(StatusCodes.Status503ServiceUnavailable, "revocation-unavailable", "Whether the connection's client certificate is revoked cannot be known now; try again later.");
    private static readonly Refusal RatesUnknown = new(StatusCodes.Status503ServiceUnavailable, "rates-unavailable", "How many requests this client sends cannot be known now; try again later.");

    /// <summary>Who sent a request; a refusal when that is not certain.</summary>
    internal ValueTask<(Refusal? Refusal, ClientConnection? Connection, AccessToken? Token)> RecognizeAsync(HttpContext http, GatewayDecision decision)
    {
        var refusal = Recognize(http, decision, out var connection, out var token);
        return refusal is null ? AskOthersAsync(http, decision, connection, token) : new((refusal, null, null));
    }

    private async ValueTask<(Refusal? Refusal, ClientConnection? Connection, AccessToken? Token)> AskOthersAsync(HttpContext http, GatewayDecision decision, ClientConnection connection, AccessToken token)
    {
        if (ocsp is not null && await RevokedAsync(connection, decision.Time) is { } revoked)
        {
            decision.Subject = null;   // a revoked certificate proves nobody
            return (revoked, null, null);
        }

        var verdict = await tokens.AskOthersAsync(http);
        if (verdict is not TokenVerdict.Accepted)
        {
            decision.Subject = null;   // a proof that came twice proves nobody
            return (Refuse(http, verdict), null, null);
        }

        return await rates.AskOthersAsync(connection) switch
        {
            RateVerdict.Within => (null, connection, token),
            RateVerdict.Above => (TooMany, null, null),
            _ => (RatesUnknown, null, null),
        };
    }

    /// <summary>Why the responder's answer refuses a connection's certificate; null when it does not.</summary>
    private async ValueTask<Refusal?> RevokedAsync(ClientConnection connection, DateTimeOffset now)
    {
        var epoch = trust.Epoch;
        if (connection.Revocation is { } known && known.TrustEpoch == epoch && now < known.Until)
            return null;
        var path = trust.PathOf(connection.Certificate);
        if (path.Count == 0)
            return ResponderAway;   // the trust changed this very moment: it is judged again at the next request
        var (verdict, until) = await ocsp!.AskAsync(path);
        if (verdict is CertificateVerdict.Trusted)
        {
            connection.Revocation = new(epoch, until);
            return null;
        }

        return verdict switch { CertificateVerdict.Revoked => Revoked, CertificateVerdict.RevocationUnknown => NotKnown, _ => ResponderAway };
    }

    /// <summary>As far as this gateway can say it alone.</summary>
    private Refusal? Recognize(HttpContext http, GatewayDecision decision, out ClientConnection connection, out AccessToken token)
    {
        (connection, token) = (null!, null!);
        if (ForwardedIdentity.IsClaimed(http.Request.Headers))
            return new(StatusCodes.Status400BadRequest, "forwarded-identity", "This gateway believes no proxy about who a client is; remove X-Client-Cert, X-Forwarded and Forwarded headers.");
        if (Connection(http) is not { } known)
            return new(StatusCodes.Status401Unauthorized, "no-certificate", "This connection showed no client certificate.");
        (decision.Client, decision.Thumbprint) = (known.Pseudonym, known.Thumbprint);
        if (known.NotAfter < decision.Time.UtcDateTime)
            return new(StatusCodes.Status401Unauthorized, "certificate-expired", "The connection's client certificate has expired since the handshake.");
        if (JudgeAgain(known) is var verdict and not CertificateVerdict.Trusted)
            return new(StatusCodes.Status401Unauthorized, "certificate-" + GatewayMetrics.Word(verdict), "The connection's client certificate is no longer trusted.");
        var accepted = tokens.Read(http, known, out var read);
        if (accepted is not TokenVerdict.Accepted)
            return Refuse(http, accepted);
        (connection, token) = (known, read!);
        decision.Subject = token.Subject;
        return rates.TryTake(known.Pseudonym, time.GetTimestamp()) ? null : TooMany;
    }

    /// <summary>Whether the client may; null when it may. <paramref name="model"/> is null when no such model is served.</summary>
    internal Refusal? Allow(HttpContext http, GatewayDecision decision, ClientConnection connection, AccessToken token, string name, string? version, IServedModel? model)
    {
        var policy = policies.Current;
        decision.Policy = policy.Version;
        decision.Model = model?.Signature.Name;
        var standing = observer.StandingOf(connection.Pseudonym);
        var facts = new RequestFacts(version, Header(http, "Bulwark-Purpose"), Header(http, "Bulwark-Data-Class"), model?.Attestation ?? "none", standing);
        var answer = policy.Decide(connection, token, decision, name, facts);
        decision.Policies = answer.Reasons;
        var allowed = answer.Decision is Decision.Allow && answer.Errors.Count == 0;
        metrics.PolicyDecided(allowed);
        if (answer.Errors.Count > 0)   // Cedar passes over a policy that errs; one that would forbid must not be passed over
            return new(StatusCodes.Status403Forbidden, "policy-error", "A policy could not be evaluated for this request; nobody is let in until it is mended.");
        if (!allowed)
            return new(StatusCodes.Status403Forbidden, "policy-denied", "No policy permits this, or one forbids it.");
        if (standing.IsExhausted)
            return new(StatusCodes.Status429TooManyRequests, "budget-exhausted", "This client's query budget is spent.");
        return model is not null && (string.IsNullOrEmpty(version) || version == model.Signature.Version) ? null
            : new(StatusCodes.Status404NotFound, "unknown-model", "This gateway serves no such model or version.");
    }

    private Refusal Refuse(HttpContext http, TokenVerdict verdict)
    {
        metrics.TokenRefused(verdict);
        if (verdict is TokenVerdict.KeysTooOld)
            return new(StatusCodes.Status503ServiceUnavailable, "token-keys-too-old", "The issuer has not given its keys for too long, so no token can be checked; try again later.");
        if (verdict is TokenVerdict.ReplaysUnknown)
            return new(StatusCodes.Status503ServiceUnavailable, "proofs-unavailable", "Whether this proof was used before cannot be known now; try again later with a new one.");
        tokens.Challenge(http, verdict);
        return new(StatusCodes.Status401Unauthorized, "token-" + GatewayMetrics.Word(verdict), "The access token is refused.");
    }

    private CertificateVerdict JudgeAgain(ClientConnection connection)
    {
        var epoch = trust.Epoch;
        if (connection.TrustEpoch == epoch)
            return CertificateVerdict.Trusted;
        var verdict = trust.JudgeAgain(connection.Certificate);
        if (verdict is CertificateVerdict.Trusted)
            connection.TrustEpoch = epoch;
        return verdict;
    }

    /// <summary>The certificate that the handshake of this very connection checked, with what was worked out of it once.</summary>
    private ClientConnection? Connection(HttpContext http)
    {
        var items = http.Features.Get<IConnectionItemsFeature>()?.Items;
        if (items is not null && items.TryGetValue(ConnectionKey, out var kept) && kept is ClientConnection known)
            return known;
        if (http.Features.Get<ITlsHandshakeFeature>() is null || http.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is not { } certificate)
            return null;
        var connection = new ClientConnection(certificate, pseudonymOf(certificate.RawDataMemory.Span), zones.Of(http.Connection.RemoteIpAddress), trust.Epoch - 1);   // judged anew: the trust may have changed since the handshake
        items?[ConnectionKey] = connection;
        return connection;
    }

    /// <summary>One short header; a longer or doubled one says nothing.</summary>
    private static string? Header(HttpContext http, string name) =>
        http.Request.Headers.TryGetValue(name, out var values) && values.Count == 1 && values[0] is { Length: > 0 and <= 128 } value ? value : null;
}
