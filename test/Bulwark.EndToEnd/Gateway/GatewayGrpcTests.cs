using System.Runtime.InteropServices;
using Bulwark.Lineage;
using Bulwark.Server;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Inference;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A client generated from the official proto.</summary>
public sealed class GatewayGrpcTests : IAsyncLifetime
{
    private GatewayWorld _world = null!;
    private GatewayHost _host = null!;
    private HttpClient _http = null!;
    private GRPCInferenceService.GRPCInferenceServiceClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await GatewayWorld.CreateAsync();
        _host = await _world.StartAsync();
        _http = _world.Payments(_host);
        _client = new(GrpcChannel.ForAddress(_host.BaseAddress, new GrpcChannelOptions { HttpClient = _http }));
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_host is not null)
            await _host.DisposeAsync();
        _world?.Dispose();
    }

    [Fact]
    public async Task Health_and_metadata_are_answered()
    {
        Assert.True((await _client.ServerLiveAsync(new(), cancellationToken: GatewayWorld.Cancel)).Live);
        Assert.True((await _client.ServerReadyAsync(new(), cancellationToken: GatewayWorld.Cancel)).Ready);
        Assert.Contains("binary_tensor_data", (await _client.ServerMetadataAsync(new(), cancellationToken: GatewayWorld.Cancel)).Extensions);
        Assert.True((await _client.ModelReadyAsync(new() { Name = "fraud", Version = "1" }, cancellationToken: GatewayWorld.Cancel)).Ready);
        var model = await _client.ModelMetadataAsync(new() { Name = "fraud" }, cancellationToken: GatewayWorld.Cancel);
        Assert.Equal("FP32", model.Inputs[0].Datatype);
        Assert.Equal([-1L, 3L], model.Inputs[0].Shape);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Scores_come_with_a_receipt_about_the_very_bytes(bool raw)
    {
        var request = Request(raw, GatewayWorld.GoodRow);
        using var call = _client.ModelInferAsync(request, cancellationToken: GatewayWorld.Cancel);
        var answer = await call.ResponseAsync;
        Assert.Equal(("fraud", "7", "score"), (answer.ModelName, answer.Id, answer.Outputs[0].Name));
        var score = raw ? MemoryMarshal.Read<float>(answer.RawOutputContents[0].Span) : answer.Outputs[0].Contents.Fp32Contents[0];
        Assert.InRange(score, 0, 1);
        var receipt = PredictionReceipt.Parse(Convert.FromBase64String((await call.ResponseHeadersAsync).GetValue("bulwark-receipt")!));
        Assert.True(receipt.Verify(_world.Keys.PublicKey("log"), [_host.Worker.ReceiptKey], request.ToByteArray(), answer.ToByteArray(), _world.Package).Trusted);
    }

    [Fact]
    public async Task Refusals_have_the_status_of_their_kind()
    {
        Assert.Equal(StatusCode.InvalidArgument, await StatusOf(Request(raw: false, [1001, 30, 1])));
        Assert.Equal(StatusCode.InvalidArgument, await StatusOf(Request(raw: true, [1, 2])));
        Assert.Equal(StatusCode.PermissionDenied, await StatusOf(new ModelInferRequest { ModelName = "other" }));
        var unknown = Request(raw: true, GatewayWorld.GoodRow);
        unknown.ModelVersion = "2";
        Assert.Equal(StatusCode.NotFound, await StatusOf(unknown));
        using var http = _world.Client(_host, _world.Identity.LoadClient("payments"), token: null);
        var stranger = new GRPCInferenceService.GRPCInferenceServiceClient(GrpcChannel.ForAddress(_host.BaseAddress, new GrpcChannelOptions { HttpClient = http }));
        Assert.Equal(StatusCode.Unauthenticated, await StatusOf(Request(raw: true, GatewayWorld.GoodRow), stranger));
        Assert.Contains("\"reason\":\"token-missing\"", _world.Entry(_world.LogSize - 1), StringComparison.Ordinal);
    }

    private async Task<StatusCode> StatusOf(ModelInferRequest request, GRPCInferenceService.GRPCInferenceServiceClient? client = null) =>
        (await Assert.ThrowsAsync<RpcException>(async () => await (client ?? _client).ModelInferAsync(request, cancellationToken: GatewayWorld.Cancel))).StatusCode;

    private static ModelInferRequest Request(bool raw, float[] row)
    {
        var request = new ModelInferRequest { ModelName = "fraud", Id = "7" };
        var input = new ModelInferRequest.Types.InferInputTensor { Name = "features", Datatype = "FP32", Shape = { 1, 3 } };
        request.Inputs.Add(input);
        if (raw)
            request.RawInputContents.Add(ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(row)));
        else
            input.Contents = new InferTensorContents { Fp32Contents = { row } };
        return request;
    }
}
