using System.Net;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Inference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A model server over gRPC that gives each input back, on Google's server side; and, when told to, misbehaves.</summary>
internal sealed class FakeGrpcUpstream : GRPCInferenceService.GRPCInferenceServiceBase, IAsyncDisposable
{
    private readonly string _datatype;
    private readonly long[] _shape;
    private WebApplication _app = null!;
    private int _requests;

    private FakeGrpcUpstream(string datatype, long[] shape) => (_datatype, _shape) = (datatype, shape);

    internal Uri Address { get; private set; } = null!;

    /// <summary>True to answer in typed contents where the request's are raw.</summary>
    internal Func<ByteString, InferTensorContents>? Types { get; init; }

    /// <summary>What is done to an answer before it leaves.</summary>
    internal Func<ModelInferResponse, ServerCallContext, Task<ModelInferResponse>>? Bends { get; set; }

    internal int Requests => Volatile.Read(ref _requests);

    internal Metadata? LastHeaders { get; private set; }

    internal ModelInferRequest? LastRequest { get; private set; }

    /// <summary>The certificate that the gateway showed, when there is TLS.</summary>
    internal X509Certificate2? Shown { get; private set; }

    internal static async Task<FakeGrpcUpstream> StartAsync(string datatype, long[] shape, Func<ByteString, InferTensorContents>? types = null, X509Certificate2? certificate = null)
    {
        var fake = new FakeGrpcUpstream(datatype, shape) { Types = types };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc(options => options.MaxReceiveMessageSize = null);
        builder.Services.AddSingleton(fake);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (certificate is not null)
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(fake.Tls(certificate)) });
        }));
        fake._app = builder.Build();
        fake._app.MapGrpcService<FakeGrpcUpstream>();
        await fake._app.StartAsync();
        fake.Address = new Uri($"{(certificate is null ? "http" : "https")}://localhost:{new Uri(fake._app.Urls.First()).Port}/");
        return fake;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    public override Task<ModelMetadataResponse> ModelMetadata(ModelMetadataRequest request, ServerCallContext context)
    {
        if (request.Name != "echo" || request.Version is not ("" or "3"))
            throw new RpcException(new Status(StatusCode.NotFound, "no such model"));
        ModelMetadataResponse.Types.TensorMetadata Tensor(string name) => new() { Name = name, Datatype = _datatype, Shape = { _shape } };
        return Task.FromResult(new ModelMetadataResponse { Name = "echo", Versions = { "2", "3" }, Platform = "fake", Inputs = { Tensor("in") }, Outputs = { Tensor("out") } });
    }

    public override Task<ModelInferResponse> ModelInfer(ModelInferRequest request, ServerCallContext context)
    {
        Interlocked.Increment(ref _requests);
        (LastHeaders, LastRequest) = (context.RequestHeaders, request);
        var output = new ModelInferResponse.Types.InferOutputTensor { Name = "out", Datatype = request.Inputs[0].Datatype, Shape = { request.Inputs[0].Shape } };
        var answer = new ModelInferResponse { ModelName = request.ModelName, ModelVersion = request.ModelVersion, Id = request.Id, Outputs = { output } };
        if (Types is { } types)
            output.Contents = types(request.RawInputContents[0]);
        else
            answer.RawOutputContents.Add(request.RawInputContents[0]);
        return Bends is { } bend ? bend(answer, context) : Task.FromResult(answer);
    }

    private System.Net.Security.SslServerAuthenticationOptions Tls(X509Certificate2 certificate)
    {
        var options = TlsPolicy.Server();
        options.ServerCertificate = certificate;
        options.ApplicationProtocols = [System.Net.Security.SslApplicationProtocol.Http2];
        options.ClientCertificateRequired = true;
        options.RemoteCertificateValidationCallback = (_, shown, _, _) => (Shown = shown as X509Certificate2) is not null;
        return options;
    }
}
