using Grpc.Core;
using Grpc.Net.Client;
using Inference;

namespace Bulwark.Server;

/// <summary>Another server's model over gRPC: raw tensors there, raw or typed ones back. No compression, no retries, no message above the limit.</summary>
internal sealed class GrpcUpstream : IUpstreamCaller
{
    private readonly UpstreamOptions _options;
    private readonly GrpcChannel _channel;
    private readonly GRPCInferenceService.GRPCInferenceServiceClient _client;
    private string _version = "";

    internal GrpcUpstream(UpstreamOptions options)
    {
        _options = options;
        _channel = GrpcChannel.ForAddress(options.Address, new GrpcChannelOptions
        {
            HttpHandler = UpstreamConnection.Handler(options),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = options.MaximumAnswerBytes,
            MaxSendMessageSize = null,
            CompressionProviders = [],
            ThrowOperationCanceledOnCancellation = true,
            DisableResolverServiceConfig = true,
        });
        _client = new(_channel);
    }

    public async Task<UpstreamFacts> DescribeAsync(CancellationToken cancel)
    {
        try
        {
            var model = await _client.ModelMetadataAsync(new() { Name = Model, Version = _options.UpstreamVersion ?? "" }, Call(cancel));
            var version = _options.UpstreamVersion ?? model.Versions.LastOrDefault();
            _version = version ?? "";
            return UpstreamFacts.Of(_options, version, model.Platform.Length == 0 ? "unknown" : model.Platform, Specs(model.Inputs), Specs(model.Outputs), isBinary: true, path: "");
        }
        catch (Exception fault) when (fault is RpcException or HttpRequestException or IOException or OperationCanceledException or FormatException)
        {
            throw new InvalidDataException($"The upstream {_options.Name} at {_options.Address} does not describe its model over gRPC: {Words(fault)}", fault);
        }
    }

    public async Task<Tensor[]> AskAsync(InferenceRequest request, ModelSignature signature, TensorSpec[] wanted, CancellationToken cancel)
    {
        ModelInferResponse answer;
        try
        {
            answer = await _client.ModelInferAsync(InferenceMessages.Request(Model, _version, request, wanted), Call(cancel));
        }
        catch (RpcException fault)
        {
            throw new IOException(Words(fault), fault);
        }

        if (answer.Id != (request.Id ?? "") && answer.Id.Length > 0)
            throw new InvalidDataException("it answered another request's id");
        return InferenceMessages.ReadAnswer(answer, wanted, signature.MaximumRows);
    }

    public void Dispose() => _channel.Dispose();

    private string Model => _options.UpstreamModel ?? _options.Name;

    /// <summary>A status without its sentence: what that server says of a request may hold its values.</summary>
    private static string Words(Exception fault) => fault is RpcException call ? $"it answered {call.StatusCode}" : fault.Message;

    private CallOptions Call(CancellationToken cancel) => new(deadline: DateTime.UtcNow + _options.Timeout, cancellationToken: cancel);

    private static List<TensorSpec> Specs(IEnumerable<ModelMetadataResponse.Types.TensorMetadata> tensors) =>
        [.. tensors.Select(tensor => UpstreamFacts.Spec(tensor.Name, tensor.Datatype, [.. tensor.Shape]))];
}
