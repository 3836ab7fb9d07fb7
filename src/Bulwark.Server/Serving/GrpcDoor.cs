using System.Diagnostics;
using Bulwark.Worker;
using Google.Protobuf;
using Inference;

namespace Bulwark.Server;

/// <summary>The protocol over gRPC: <c>inference.GRPCInferenceService</c>, all six calls, through the same doors as REST.</summary>
internal sealed class GrpcDoor(Gateway gateway, Func<bool> isReady, GatewayLoad load, GatewayMetrics metrics, GatewayOptions options)
{
    private const string Path = "/inference.GRPCInferenceService/";

    internal void Map(WebApplication app)
    {
        Map<ServerLiveRequest>(app, "ServerLive", ServerLiveRequest.Parser, (_, _) => Task.FromResult<GrpcAnswer>(new(new ServerLiveResponse { Live = true })));
        Map<ServerReadyRequest>(app, "ServerReady", ServerReadyRequest.Parser, (_, _) => Task.FromResult<GrpcAnswer>(new(new ServerReadyResponse { Ready = isReady() })));
        Map<ServerMetadataRequest>(app, "ServerMetadata", ServerMetadataRequest.Parser, (_, _) =>
            Task.FromResult<GrpcAnswer>(new(new ServerMetadataResponse { Name = GatewayMetadata.ServerName, Version = GatewayMetadata.ServerVersion, Extensions = { GatewayMetadata.Extensions } })));
        Map(app, "ModelReady", ModelReadyRequest.Parser, (http, asked) => InspectAsync(http, asked.Name, asked.Version, model => new ModelReadyResponse { Ready = model.IsReady }));
        Map(app, "ModelMetadata", ModelMetadataRequest.Parser, (http, asked) => InspectAsync(http, asked.Name, asked.Version, model => Metadata(model.Signature)));
        Map(app, "ModelInfer", ModelInferRequest.Parser, InferAsync);
    }

    private void Map<TRequest>(WebApplication app, string call, MessageParser<TRequest> parser, Func<HttpContext, TRequest, Task<GrpcAnswer>> answer) where TRequest : class, IMessage<TRequest> =>
        app.MapPost(Path + call, http => AnswerAsync(http, call == "ModelInfer", body => parser.ParseFrom(body.Span), answer));

    private async Task AnswerAsync<TRequest>(HttpContext http, bool isInference, Func<ReadOnlyMemory<byte>, TRequest> parse, Func<HttpContext, TRequest, Task<GrpcAnswer>> answer)
    {
        if (!GrpcFrame.IsGrpc(http.Request) || !HttpProtocol.IsHttp2(http.Request.Protocol))
        {
            await Reply.Of(new Refusal(StatusCodes.Status415UnsupportedMediaType, "unsupported", "gRPC needs HTTP/2 and application/grpc.")).WriteAsync(http);
            return;
        }

        if (!load.TryEnter())
        {
            metrics.Shed();
            await GrpcFrame.WriteAsync(http, new Refusal(StatusCodes.Status503ServiceUnavailable, "overloaded", "The gateway has as many requests under way as it may; try again later."), default, null);
            return;
        }

        try
        {
            var began = Stopwatch.GetTimestamp();
            var given = await ReadAsync(http, isInference, parse) is var (request, refusal) && refusal is { } why ? new GrpcAnswer(why) : await answer(http, request!);
            if (isInference)
                metrics.Answered(given.Model ?? "none", given.Refusal is { } refused ? refused.Reason : "scored", Stopwatch.GetElapsedTime(began));
            await GrpcFrame.WriteAsync(http, given.Refusal, given.Message, given.Receipt);
        }
        finally
        {
            load.Leave();
        }
    }

    /// <summary>A body that cannot be read is recorded as a refusal, whoever sent it.</summary>
    private async Task<(TRequest? Request, Refusal? Refusal)> ReadAsync<TRequest>(HttpContext http, bool isInference, Func<ReadOnlyMemory<byte>, TRequest> parse)
    {
        var (body, unread) = await RequestBody.ReadAllAsync(http, options);
        if (unread is null && GrpcFrame.TryRead(body, out var message, out var unframed))
        {
            try
            {
                http.Items[nameof(GrpcDoor)] = message;
                return (parse(message), null);
            }
            catch (InvalidProtocolBufferException)
            {
                unread = Refusal.Malformed("The message is none of the protocol's.");
            }
        }
        else
        {
            unread ??= GrpcFrame.TryRead(body, out _, out unframed) ? null : unframed;
        }

        var decision = gateway.Begin(isInference ? "infer" : "inspect");
        await gateway.RecognizeAsync(http, decision);
        return (default, await gateway.RecordAsync(unread!.Value, decision));
    }

    private async Task<GrpcAnswer> InspectAsync(HttpContext http, string name, string version, Func<IServedModel, IMessage> answer)
    {
        var decision = gateway.Begin("inspect");
        var (refused, model) = await gateway.AuthorizeAsync(http, decision, name, version);
        if (refused is { } refusal)
            return new(await gateway.RecordAsync(refusal, decision));
        return await gateway.RecordGivenAsync(decision) is { } unrecorded ? new(unrecorded) : new(answer(model!));
    }

    private async Task<GrpcAnswer> InferAsync(HttpContext http, ModelInferRequest message)
    {
        var decision = gateway.Begin("infer");
        var (refused, model) = await gateway.AuthorizeAsync(http, decision, message.ModelName, message.ModelVersion);
        if (refused is { } unauthorized)
            return new(await gateway.RecordAsync(unauthorized, decision)) { Model = decision.Model };
        if (InferenceMessages.Read(message, model!.Signature, out var malformed) is not { } request)
            return new(await gateway.RecordAsync(malformed, decision)) { Model = decision.Model };
        var form = request.AsksForBytes ? AnswerForm.RawMessage : AnswerForm.Message;
        var (refusal, answer, receipt) = await gateway.ScoreAsync(http, decision, model, request, (ReadOnlyMemory<byte>)http.Items[nameof(GrpcDoor)]!, form);
        if (refusal is { } why)
            return new(decision.Outcome == "refused" && decision.Status == 0 ? await gateway.RecordAsync(why, decision) : why) { Model = decision.Model };
        return answer!.IsScored
            ? new(answer.Body, receipt) { Model = decision.Model }
            : new(new Refusal(answer.Status, answer.Reason, ErrorOf(answer))) { Model = decision.Model, Receipt = receipt };
    }

    /// <summary>The sentence of a refusal's JSON, without its leading word.</summary>
    private static string ErrorOf(ServedAnswer answer)
    {
        using var json = System.Text.Json.JsonDocument.Parse(answer.Body);
        var text = json.RootElement.GetProperty("error").GetString()!;
        var colon = text.IndexOf(": ", StringComparison.Ordinal);
        return colon < 0 ? text : text[(colon + 2)..];
    }

    private static ModelMetadataResponse Metadata(ModelSignature model) => new()
    {
        Name = model.Name,
        Versions = { model.Version },
        Platform = model.Platform,
        Inputs = { model.Inputs.Select(Tensor) },
        Outputs = { model.Outputs.Select(Tensor) },
    };

    private static ModelMetadataResponse.Types.TensorMetadata Tensor(TensorSpec spec) => new() { Name = spec.Name, Datatype = spec.Type.Word(), Shape = { spec.Shape } };

    /// <summary>What a call gives: a message or a refusal.</summary>
    private readonly record struct GrpcAnswer
    {
        internal GrpcAnswer(IMessage message) => Message = message.ToByteArray();

        internal GrpcAnswer(ReadOnlyMemory<byte> message, byte[]? receipt) => (Message, Receipt) = (message, receipt);

        internal GrpcAnswer(Refusal refusal) => Refusal = refusal;

        internal ReadOnlyMemory<byte> Message { get; }

        internal Refusal? Refusal { get; }

        internal byte[]? Receipt { get; init; }

        internal string? Model { get; init; }
    }
}
