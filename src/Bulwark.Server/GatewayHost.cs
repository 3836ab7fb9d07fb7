using System.Net;
using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Worker;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Prometheus;

namespace Bulwark.Server;

/// <summary>A running gateway with its worker in the same process. Dispose of it to stop; what the options hold stays the caller's.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    /// <summary>The response header that carries the receipt: base64 of a receipt file. The body is what the receipt's response digest is of.</summary>
    public const string ReceiptHeader = "Bulwark-Receipt";

    private readonly WebApplication _app;
    private readonly WebApplication? _metrics;
    private readonly ScoringWorker _worker;

    private GatewayHost(WebApplication app, WebApplication? metrics, ScoringWorker worker)
    {
        _app = app;
        _metrics = metrics;
        _worker = worker;
        BaseAddress = Address(app);
        MetricsAddress = metrics is null ? null : new Uri(Address(metrics), "metrics");
    }

    /// <summary>Where clients connect, such as <c>https://localhost:8443/</c>.</summary>
    public Uri BaseAddress { get; }

    /// <summary>Where Prometheus scrapes, on loopback; null when there are no metrics.</summary>
    public Uri? MetricsAddress { get; }

    /// <summary>The worker, for its receipt key and its evidence.</summary>
    public ScoringWorker Worker => _worker;

    /// <summary>Attests the worker, opens the model, and listens. Nothing listens unless the model is open.</summary>
    /// <exception cref="ArgumentException">The options have faults; the message lists them all.</exception>
    /// <exception cref="KeyRefusedException">The evidence did not pass the policy.</exception>
    /// <exception cref="CryptographicException">The package was changed or is not of a trusted publisher.</exception>
    public static async Task<GatewayHost> StartAsync(GatewayOptions options, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = options.Faults().ToList();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));

        var metrics = new GatewayMetrics();
        var logging = LoggerFactory.Create(builder => options.Logging?.Invoke(builder));
        var logger = logging.CreateLogger<GatewayHost>();
        var log = new DecisionLog(options, metrics, logger);
        var policy = new GatewayPolicy(options.Policy);
        var tokens = new VerifiedTokens(new AccessTokenReader(options.AccessTokens, options.Time), options.Time);
        var worker = await StartWorkerAsync(options, log, cancel);
        var clients = new ClientCertificateValidator(options.ClientRoots, options.Time);
        WebApplication? app = null, scrape = null;
        try
        {
            log.Model = worker.Model.Package;
            var signature = new ModelSignature(worker.Model.Name, worker.Model.Version, worker.Model.Width, worker.Model.Classes, options.MaximumRows);
            app = Listen(options, clients, metrics, logging);
            Map(app, new Gateway(worker, signature, tokens, policy, log, metrics, options, logger), signature);
            logger.ModelOpened(signature.Name, signature.Version, worker.Model.Package);
            if (worker.Insecure)
                logger.Simulated();
            scrape = options.MetricsPort is { } port ? Scrape(port, metrics) : null;
            await app.StartAsync(cancel);
            if (scrape is not null)
                await scrape.StartAsync(cancel);
            return new(app, scrape, worker);
        }
        catch
        {
            await DisposeAllAsync(app, scrape, worker);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => DisposeAllAsync(_app, _metrics, _worker);

    /// <summary>The broker's part and the worker's part of starting, in one process: challenge, evidence, decision, key, model.</summary>
    private static async Task<ScoringWorker> StartWorkerAsync(GatewayOptions options, DecisionLog log, CancellationToken cancel)
    {
        var package = await File.ReadAllBytesAsync(options.PackagePath, cancel);
        var digest = Digest.Of(package);
        using var stream = new MemoryStream(package, writable: false);
        if (await SealedModel.VerifyAsync(stream, options.Publishers, cancel) is { IsTrusted: false } refused)
            throw new CryptographicException($"The model package is refused ({refused.Verdict}): {refused.Reason}");
        await log.AppendPoliciesAsync(cancel);
        var broker = new KeyBroker(options.EvidencePolicy, async (asked, ending) => asked == digest ? await DataKeyAsync(package, options, ending) : null, log.AppendAsync, options.Time);
        return await ScoringWorker.StartAsync(package, options.Publishers, options.EvidenceSource, broker, options.Time, cancel);
    }

    private static async ValueTask<SecretBytes> DataKeyAsync(byte[] package, GatewayOptions options, CancellationToken cancel)
    {
        using var stream = new MemoryStream(package, writable: false);
        return (await SealedModel.UnwrapDataKeyAsync(stream, options.PackageKeys ?? options.Keys, options.Publishers, cancel)).DataKey;
    }

    private static WebApplication Listen(GatewayOptions options, ClientCertificateValidator clients, GatewayMetrics metrics, ILoggerFactory logging)
    {
        // The empty builder reads no settings file and no environment: only these options decide what listens.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(logging);   // disposed with the app
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel((_, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaximumBodyBytes;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.MaxConcurrentConnections = 2000;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 16;
            var tls = new GatewayTls(options.ServerCertificate, options.ClientRoots, clients, metrics, logging.CreateLogger<GatewayHost>());
            kestrel.Listen(options.ListenOnAnyAddress ? IPAddress.Any : IPAddress.Loopback, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(new TlsHandshakeCallbackOptions { HandshakeTimeout = TimeSpan.FromSeconds(30), OnConnection = _ => ValueTask.FromResult(tls.Options()) });
            });
        });
        return builder.Build();
    }

    private static void Map(WebApplication app, Gateway gateway, ModelSignature model)
    {
        app.MapGet("/v2", http => GatewayMetadata.Server().WriteAsync(http));
        app.MapGet("/v2/health/live", http => GatewayMetadata.Live().WriteAsync(http));
        app.MapGet("/v2/health/ready", http => GatewayMetadata.Ready().WriteAsync(http));
        foreach (var path in (string[])["/v2/models/{model}", "/v2/models/{model}/versions/{version}"])
        {
            app.MapGet(path, http => gateway.InspectAsync(http, () => GatewayMetadata.Model(model)));
            app.MapGet(path + "/ready", http => gateway.InspectAsync(http, () => GatewayMetadata.ModelReady(model)));
            app.MapPost(path + "/infer", gateway.InferAsync);
        }

        app.MapFallback(http => Reply.Of(new Refusal(StatusCodes.Status404NotFound, "unknown-path", "The Open Inference Protocol V2 has no such path.")).WriteAsync(http));
    }

    private static WebApplication Scrape(int port, GatewayMetrics metrics)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        app.MapMetrics("/metrics", metrics.Registry);
        return app;
    }

    private static Uri Address(WebApplication app)
    {
        var bound = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return new($"{bound.Scheme}://localhost:{bound.Port}/");
    }

    private static async ValueTask DisposeAllAsync(WebApplication? app, WebApplication? scrape, ScoringWorker worker)
    {
        if (scrape is not null)
            await scrape.DisposeAsync();
        if (app is not null)
            await app.DisposeAsync();
        worker.Dispose();
    }
}
