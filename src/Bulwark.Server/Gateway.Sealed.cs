using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Server;

/// <content>Sealed requests: the gateway knows who asks and for which model, and carries the rest. The query observer sees how many rows they could hold, not which.</content>
internal sealed partial class Gateway
{
    /// <summary>Carries: <c>POST v2/models/{model}[/versions/{version}]/sealed</c>.</summary>
    internal Task InferSealedAsync(HttpContext http) => ServeAsync(http, AnswerSealedAsync);

    /// <summary>Evidence over the caller's nonce and the proof of the key's release: <c>GET v2/models/{model}/attestation?nonce=HEX</c>.</summary>
    internal async Task AttestAsync(HttpContext http, GatewayRecords records)
    {
        var decision = Begin("inspect");
        var reply = await EvidenceAsync(http, decision, records);
        await reply.WriteAsync(http);
    }

    private async Task<Reply> EvidenceAsync(HttpContext http, GatewayDecision decision, GatewayRecords records)
    {
        var (refused, model) = await AuthorizeAsync(http, decision, (http.Request.RouteValues["model"] as string)!, http.Request.RouteValues["version"] as string);
        if (refused is { } unauthorized)
            return await RefuseAsync(unauthorized, decision);
        if (!TryReadNonce(http.Request.Query["nonce"], out var nonce))
            return await RefuseAsync(Refusal.Malformed($"\"nonce\" must be {2 * Evidence.NonceSizeInBytes} hexadecimal digits."), decision);
        if (model is not LocalModel local)
            return await RefuseAsync(NoWorker, decision);
        try
        {
            var evidence = await local.Worker.AttestAsync(nonce, http.RequestAborted);
            return await records.ProveReleaseAsync() is not { } release ? await RefuseAsync(NoWorker, decision)
                : await GiveAsync(new(StatusCodes.Status200OK, "attested", new WorkerAttestation { Evidence = evidence, Release = release, ObliviousKeys = local.Worker.Facts.ObliviousKeys.ToArray() }.ToJson()), decision);
        }
        catch (IOException failure)
        {
            return await RefuseAsync(LocalModel.Why(failure), decision);
        }
    }

    private async Task<Reply> AnswerSealedAsync(HttpContext http, GatewayDecision decision)
    {
        var (name, version) = (http.Request.RouteValues["model"] as string, http.Request.RouteValues["version"] as string);
        var (refused, model) = await AuthorizeAsync(http, decision, name!, version);
        if (refused is { } unauthorized)
            return await RefuseAsync(unauthorized, decision);
        if (http.Request.ContentType != SealedChannel.MediaType)
            return await RefuseAsync(new(StatusCodes.Status415UnsupportedMediaType, "unsupported", $"A sealed request is {SealedChannel.MediaType}."), decision);
        return await CarryAsync(http, decision, model, new(http.Request.Method, http.Request.Path.ToUriComponent(), name!), ObliviousProtocol.None, default);
    }

    /// <summary>Takes the body to the worker, unread, and brings the sealed answer back.</summary>
    private async Task<Reply> CarryAsync(HttpContext http, GatewayDecision decision, IServedModel? model, SealedRoute route, ObliviousProtocol protocol, ReadOnlyMemory<byte> encapsulated)
    {
        if (Unmonitored(decision) is { } unmonitored)
            return await RefuseAsync(unmonitored, decision);
        var (message, unread) = await RequestBody.ReadAllAsync(http, options);
        if (unread is { } unreadable)
            return await RefuseAsync(unreadable, decision);
        if (model is not LocalModel local)
            return await RefuseAsync(NoWorker, decision);
        Worker.SealedAnswer answer;
        try
        {
            answer = await local.Worker.AnswerAsync(new Worker.SealedAsk(route, message, decision.Policy, options.MaximumRows) { Protocol = protocol, Encapsulated = encapsulated }, http.RequestAborted);
        }
        catch (IOException failure)
        {
            return await RefuseAsync(LocalModel.Why(failure), decision);
        }

        if (answer.Message.IsEmpty)   // the worker could not open it: the gateway says so in the clear
            return await RefuseUnopenedAsync(protocol, answer, decision);
        // The rows are sealed: a request is charged as many as its bytes could hold, at two bytes a value.
        var rows = (int)Math.Clamp(message.Length / (2L * local.Worker.Facts.Model.Width), 1, options.MaximumRows);
        var seen = await options.Observer.ObserveAsync(new(decision.Client!, model.Signature.Name, default, rows, default, decision.Time));
        if (seen is not ObservedAnswer.Give)
            return await RefuseAsync(seen is ObservedAnswer.Unavailable ? Unwatched : Probing, decision);
        return await RecordSealedAsync(answer, decision, protocol);
    }

    private async Task<Reply> RecordSealedAsync(Worker.SealedAnswer answer, GatewayDecision decision, ObliviousProtocol protocol)
    {
        (decision.Outcome, decision.Reason, decision.Status) = (answer.Outcome, answer.Reason, answer.Status);
        if (await audit.RecordAsync(decision, answer.Envelope) is not { } place || await ProveAsync(place) is not { } proof)
            return Reply.Of(Unrecorded);
        // Always 200: whether the rows were taken is inside. The receipt's salt is inside too; here it is zeros.
        var receipt = new PredictionReceipt(answer.Envelope, new byte[PredictionReceipt.SaltBytes], proof).ToBytes();
        return protocol is ObliviousProtocol.None
            ? new(StatusCodes.Status200OK, answer.Outcome, answer.Message, receipt) { MediaType = SealedChannel.MediaType } : ReplyOf(protocol, answer, receipt);
    }

    /// <summary>Sealed rows pass the query monitor by: where it acts on what it sees, a client must not choose that.</summary>
    private Refusal? Unmonitored(GatewayDecision decision) => options.SealedUnmonitored || decision.Model is not { } model || !options.Observer.MustSeeRows(model) ? null
        : new(StatusCodes.Status403Forbidden, "sealed-not-monitored", "This model's queries are watched here, and sealed ones cannot be; ask in the clear.");

    private static Refusal NoWorker => new(StatusCodes.Status404NotFound, "not-attested", "This model has no attested worker here; only those that this gateway opened itself take sealed requests.");

    private static bool TryReadNonce(string? text, out byte[] nonce)
    {
        nonce = [];
        if (text is not { Length: 2 * Evidence.NonceSizeInBytes } || !text.All(char.IsAsciiHexDigit))
            return false;
        nonce = Convert.FromHexString(text);
        return true;
    }
}
