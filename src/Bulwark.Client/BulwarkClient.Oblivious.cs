using Bulwark.Cryptography;

namespace Bulwark.Client;

/// <content>Requests under EHBP or Oblivious HTTP: to the key that the attested worker signed, each in an exchange of its own.</content>
public sealed partial class BulwarkClient
{
    private async Task<SealedPrediction> PredictObliviousAsync(AttestedSession session, byte[] body, int rowCount, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var call = Seal(session, body);
            var (path, mediaType) = _options.Protocol switch
            {
                ObliviousProtocol.Ehbp => (InferPath, "application/json"),
                ObliviousProtocol.ObliviousHttp => (ObliviousPath, "message/ohttp-req"),
                _ => (ObliviousPath, "message/ohttp-chunked-req"),
            };
            var answer = await _connection.SendObliviousAsync(path, mediaType, call, cancel);
            if (IsAboutKey(answer) && attempt == 1)
            {
                session = await SessionAsync(session, cancel);   // the worker was started anew: attest it again, once
                continue;
            }

            if (IsAboutKey(answer))
                throw new BulwarkClientException(ClientFailure.KeyChanged, "The worker's key is not the one that was attested, or requests are changed on their way.");
            return Prediction(session, answer, Open(call, answer), body, rowCount);
        }
    }

    private string InferPath => $"/v2/models/{Uri.EscapeDataString(_options.Model)}/infer";

    private string ObliviousPath => $"/v2/models/{Uri.EscapeDataString(_options.Model)}/ohttp";

    private ObliviousCall Seal(AttestedSession session, byte[] body)
    {
        try
        {
            return ObliviousCall.Seal(_options.Protocol, session.Attested.ObliviousKeyList(), _options.Gateway.Authority, InferPath, body);
        }
        catch (InvalidDataException failure)
        {
            throw new BulwarkClientException(ClientFailure.EvidenceRefused, failure.Message, failure);
        }
    }

    private SealedContent Open(ObliviousCall call, GatewayAnswer answer)
    {
        var isSealed = _options.Protocol is ObliviousProtocol.Ehbp ? answer.Nonce is not null : answer.MediaType is "message/ohttp-res" or "message/ohttp-chunked-res";
        if (!isSealed)
        {
            throw answer.Status is >= 200 and < 300
                ? new BulwarkClientException(ClientFailure.AnswerRefused, "The answer is not sealed: whoever gave it is not the attested worker.")
                : new BulwarkClientException(ClientFailure.Refused, $"The gateway refused ({answer.Status}): {InferenceBody.Error(answer.Body)}");
        }

        try
        {
            var nonce = _options.Protocol is ObliviousProtocol.Ehbp ? Convert.FromHexString(answer.Nonce!) : [];
            var (status, content) = call.Open(answer.Status, nonce, answer.Body);
            return new(status, call.ReceiptSalt(), content);
        }
        catch (Exception failure) when (failure is SealedRequestException or FormatException)
        {
            throw new BulwarkClientException(ClientFailure.AnswerRefused, failure.Message, failure);
        }
    }
}
