using System.Net;
using Bulwark.Models;
using Bulwark.Server;
using Bulwark.Worker;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ModelSignature = Bulwark.Server.ModelSignature;

namespace Bulwark.Benchmarks.Gateway;

/// <summary>The limit: the same server, handshake, parser, model and writer over mutual TLS, and nothing between: no token, policy, screen, monitor or audit. Or without TLS, behind a proxy that does it.</summary>
internal sealed class BareServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly OnnxScorer _scorer;

    private BareServer(WebApplication app, OnnxScorer scorer) => (_app, _scorer) = (app, scorer);

    internal int Port => GatewayListener.Address(_app).Port;

    internal static async Task<BareServer> StartAsync(GatewayStage stage, bool isPlain = false)
    {
        var options = stage.Options(64, ReceiptMode.Asked);
        var trust = new ClientTrust(options.ClientRoots, [], null, TimeProvider.System);
        var tls = new GatewayTls(options.ServerCertificate, trust, new GatewayMetrics(), NullLogger.Instance);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = isPlain ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            if (!isPlain)
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls.Options()) });
        }));
        var app = builder.Build();
        var scorer = new OnnxScorer(stage.Onnx);
        var model = ModelSignature.OfRows("bench", "1", GatewayStage.Features, 1, 1024);
        app.MapPost("/v2/models/bench/infer", http => AnswerAsync(http, model, scorer, options));
        await app.StartAsync();
        return new(app, scorer);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _scorer.Dispose();
    }

    private static async Task AnswerAsync(HttpContext http, ModelSignature model, OnnxScorer scorer, GatewayOptions options)
    {
        var (body, _) = await RequestBody.ReadAllAsync(http, options);
        var request = InferenceRequest.Read(body.Span, model, out _)!;
        var scores = new float[request.RowCount];
        scorer.Score(request.Inputs[0].ToFloats(), request.RowCount, scores);
        var answer = ScoreAnswer.Write(AnswerForm.Json, model.Name, model.Version, request.Id, scores, request.RowCount, insecure: true, out _);
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = answer.Length;
        await http.Response.Body.WriteAsync(answer);
    }
}
