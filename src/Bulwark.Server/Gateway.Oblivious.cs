using Bulwark.Cryptography;

namespace Bulwark.Server;

/// <content>Other people's protocols for sealed requests, carried to the worker: EHBP on the ordinary path, Oblivious HTTP on its own.</content>
internal sealed partial class Gateway
{
    private const string KeyHeader = "Ehbp-Encapsulated-Key", NonceHeader = "Ehbp-Response-Nonce", KeyConfigurationProblem = "urn:ietf:params:ehbp:error:key-config";

    /// <summary>True for a request whose body is sealed by EHBP.</summary>
    private static bool IsEhbp(HttpContext http) => http.Request.Headers.ContainsKey(KeyHeader);

    /// <summary>The worker's key for these protocols: <c>GET .well-known/hpke-keys</c> (EHBP) and <c>GET .well-known/ohttp-gateway</c> (RFC 9540).</summary>
    internal async Task ObliviousKeysAsync(HttpContext http)
    {
        var decision = Begin("inspect");
        var local = models.All.OfType<LocalModel>().FirstOrDefault();
        var reply = local is null ? await RefuseAsync(NoWorker, decision)
            : (await AuthorizeAsync(http, decision, local.Signature.Name, null)).Refusal is { } unauthorized ? await RefuseAsync(unauthorized, decision)
            : await GiveAsync(new(StatusCodes.Status200OK, "keys", Lineage.Dsse.Peek(local.Worker.Facts.ObliviousKeys) is var (_, keys) ? keys : default) { MediaType = Attestation.WorkerAttestation.ObliviousKeysType }, decision);
        await reply.WriteAsync(http);
    }

    /// <summary>Carries: <c>POST v2/models/{model}[/versions/{version}]/ohttp</c>. What is sealed is a request to <c>…/infer</c>.</summary>
    internal Task InferObliviousAsync(HttpContext http) => ServeAsync(http, AnswerObliviousAsync);

    private async Task<Reply> AnswerObliviousAsync(HttpContext http, GatewayDecision decision)
    {
        var (name, version) = (http.Request.RouteValues["model"] as string, http.Request.RouteValues["version"] as string);
        var (refused, model) = await AuthorizeAsync(http, decision, name!, version);
        if (refused is { } unauthorized)
            return await RefuseAsync(unauthorized, decision);
        var protocol = http.Request.ContentType switch
        {
            "message/ohttp-req" => ObliviousProtocol.ObliviousHttp,
            "message/ohttp-chunked-req" => ObliviousProtocol.ChunkedObliviousHttp,
            _ => ObliviousProtocol.None,
        };
        if (protocol is ObliviousProtocol.None)
            return await RefuseAsync(new(StatusCodes.Status415UnsupportedMediaType, "unsupported", "An oblivious request is message/ohttp-req or message/ohttp-chunked-req."), decision);
        var path = http.Request.Path.ToUriComponent();
        return await CarryAsync(http, decision, model, new("POST", path[..^"ohttp".Length] + "infer", name!), protocol, default);
    }

    /// <summary>A request to <c>…/infer</c> whose body is sealed by EHBP; the client has been let in.</summary>
    private async Task<Reply> AnswerEhbpAsync(HttpContext http, GatewayDecision decision, IServedModel? model)
    {
        if (http.Request.Headers[KeyHeader] is not [{ Length: 2 * X25519PublicKey.SizeInBytes } text] || !text.All(char.IsAsciiHexDigit))
            return await RefuseAsync(Refusal.Malformed($"{KeyHeader} must be {2 * X25519PublicKey.SizeInBytes} hexadecimal digits."), decision);
        var route = new SealedRoute(http.Request.Method, http.Request.Path.ToUriComponent(), (http.Request.RouteValues["model"] as string)!);
        return await CarryAsync(http, decision, model, route, ObliviousProtocol.Ehbp, Convert.FromHexString(text));
    }

    /// <summary>EHBP asks for a problem document where the key is not the worker's.</summary>
    private async Task<Reply> RefuseUnopenedAsync(ObliviousProtocol protocol, Worker.SealedAnswer answer, GatewayDecision decision)
    {
        var refusal = await RecordAsync(new(answer.Status, answer.Reason, "The worker does not open this request."), decision);
        return protocol is ObliviousProtocol.Ehbp && refusal.Status == StatusCodes.Status422UnprocessableEntity
            ? new(refusal.Status, refusal.Reason, Reply.Json(writer =>
            {
                writer.WriteString("type", KeyConfigurationProblem);
                writer.WriteString("title", refusal.Message);
                writer.WriteString("error", refusal.Text);
            }))
            { MediaType = "application/problem+json" }
            : Reply.Of(refusal);
    }

    private static Reply ReplyOf(ObliviousProtocol protocol, Worker.SealedAnswer answer, byte[] receipt) => protocol switch
    {
        ObliviousProtocol.Ehbp => new(answer.Status, answer.Outcome, answer.Message, receipt) { ExtraHeader = (NonceHeader, Convert.ToHexStringLower(answer.Nonce.Span)) },
        ObliviousProtocol.ObliviousHttp => new(StatusCodes.Status200OK, answer.Outcome, answer.Message, receipt) { MediaType = "message/ohttp-res" },
        _ => new(StatusCodes.Status200OK, answer.Outcome, answer.Message, receipt) { MediaType = "message/ohttp-chunked-res" },
    };
}
