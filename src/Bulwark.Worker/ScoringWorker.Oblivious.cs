using Bulwark.Cryptography;
using Bulwark.Worker.Leases;

namespace Bulwark.Worker;

/// <summary>Sealed requests of other people's protocols: EHBP and Oblivious HTTP, for clients that speak no other.</summary>
public sealed partial class ScoringWorker
{
    private readonly ObliviousEndpoint _oblivious = new();

    private SealedAnswer AnswerOblivious(SealedAsk ask, Held held)
    {
        ObliviousArrival arrival;
        try
        {
            arrival = _oblivious.Open(ask.Protocol, ask.Encapsulated.Span, ask.Message.Span);
        }
        catch (SealedRequestException refused)
        {
            return new(refused.Refusal is SealedRefusal.UnknownKey ? Unprocessable : BadRequest, "refused", refused.Name, default, default);
        }

        using (arrival)
        {
            // Oblivious HTTP seals where the request goes: it must be where the gateway let it in.
            if (ask.Protocol is not ObliviousProtocol.Ehbp && (arrival.Method != "POST" || arrival.Path != ask.Route.Path))
                return new(BadRequest, "refused", "wrong-route", default, default);
            var (request, rows, fault) = SealedInference.Read(arrival.Body.Span, _model.Width, ask.MaximumRows);
            var salt = arrival.ReceiptSalt();
            var answer = request is null
                ? Malformed(held, arrival.Body, fault, ask.Policy, salt)
                : Answer(new WorkerRequest(arrival.Body, rows, rows.Length / _model.Width, request.Id, ask.Policy), held, salt);
            var (status, outcome, reason) = request is null ? (BadRequest, "refused", "malformed") : answer.Verdict.IsAccepted ? (Ok, "scored", answer.Verdict.Reason) : (Unprocessable, "screened", answer.Verdict.Reason);
            var (message, nonce) = arrival.Seal(status, answer.Body.Span);
            return new(status, outcome, reason, message, answer.Envelope) { Nonce = nonce };
        }
    }
}
