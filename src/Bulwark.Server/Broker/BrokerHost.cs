using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Models;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Prometheus;

namespace Bulwark.Server;

/// <summary>A running key broker: <c>POST attest/challenge</c>, <c>POST attest/release</c>, <c>POST attest/authority</c>, <c>GET attest/policy</c>, over TLS 1.3. Dispose of it to stop.</summary>
/// <remarks>Who a caller is decides nothing here: only evidence does. 200 is a key, 403 a refusal with every leg, 429 too many challenges, 503 a decision that could not be recorded.</remarks>
public sealed class BrokerHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly WebApplication? _metrics;

    private BrokerHost(WebApplication app, WebApplication? metrics, KeyBroker broker)
    {
        (_app, _metrics, Broker) = (app, metrics, broker);
        BaseAddress = Address(app);
        MetricsAddress = metrics is null ? null : new Uri(Address(metrics), "metrics");
    }

    /// <summary>Where workers connect.</summary>
    public Uri BaseAddress { get; }

    /// <summary>Where Prometheus scrapes, on loopback; null when there are no metrics.</summary>
    public Uri? MetricsAddress { get; }

    /// <summary>The broker itself.</summary>
    public KeyBroker Broker { get; }

    /// <summary>Checks the packages and listens.</summary>
    /// <exception cref="ArgumentException">The options have faults; the message lists them all.</exception>
    /// <exception cref="CryptographicException">A package was changed or is not of a trusted publisher.</exception>
    public static async Task<BrokerHost> StartAsync(BrokerOptions options, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = options.Faults().ToList();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));

        var logging = LoggerFactory.Create(builder => options.Logging?.Invoke(builder));
        var logger = logging.CreateLogger<BrokerHost>();
        var log = new BrokerLog(options, logger);
        var packages = await PackagesAsync(options, cancel);
        var broker = new KeyBroker(options.Policy, (model, ending) => DataKeyAsync(packages, model, options, ending), log.AppendAsync, options.Time, options.Store, options.Collateral);
        await log.AppendPolicyAsync(cancel);
        foreach (var flag in options.Policy.Flags())
            logger.PolicyFlag(flag);
        WebApplication? app = null, scrape = null;
        try
        {
            app = Listen(options, logging);
            new BrokerEndpoints(broker, log).Map(app);
            await app.StartAsync(cancel);
            if (options.MetricsPort is { } port)
            {
                scrape = Scrape(port, log);
                await scrape.StartAsync(cancel);
            }

            return new(app, scrape, broker);
        }
        catch
        {
            if (scrape is not null)
                await scrape.DisposeAsync();
            if (app is not null)
                await app.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_metrics is not null)
            await _metrics.DisposeAsync();
        await _app.DisposeAsync();
    }

    private static async Task<ConcurrentDictionary<Digest, string>> PackagesAsync(BrokerOptions options, CancellationToken cancel)
    {
        var packages = new ConcurrentDictionary<Digest, string>();
        foreach (var path in options.Packages)
        {
            await using var stream = File.OpenRead(path);
            if (await SealedModel.VerifyAsync(stream, options.Publishers, cancel) is { IsTrusted: false } refused)
                throw new CryptographicException($"The model package {path} is refused ({refused.Verdict}): {refused.Reason}");
            stream.Position = 0;
            packages[await Digest.OfAsync(stream, cancel)] = path;
        }

        return packages;
    }

    private static async ValueTask<SecretBytes?> DataKeyAsync(ConcurrentDictionary<Digest, string> packages, Digest model, BrokerOptions options, CancellationToken cancel)
    {
        if (!packages.TryGetValue(model, out var path))
            return null;
        await using var stream = File.OpenRead(path);
        return (await SealedModel.UnwrapDataKeyAsync(stream, options.Keys, options.Publishers, cancel)).DataKey;
    }

    private static WebApplication Listen(BrokerOptions options, ILoggerFactory logging)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(logging);   // disposed with the app
        var certificate = SslStreamCertificateContext.Create(options.ServerCertificate, additionalCertificates: null, offline: true);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel((_, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 1 << 20;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.MaxConcurrentConnections = 500;
            kestrel.Listen(options.ListenOnAnyAddress ? IPAddress.Any : IPAddress.Loopback, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    HandshakeTimeout = TimeSpan.FromSeconds(30),
                    OnConnection = _ =>
                    {
                        var tls = TlsPolicy.Server();
                        tls.ServerCertificateContext = certificate;
                        tls.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
                        return ValueTask.FromResult(tls);
                    },
                });
            });
        });
        return builder.Build();
    }

    private static WebApplication Scrape(int port, BrokerLog log)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        app.MapMetrics("/metrics", log.Registry);
        return app;
    }

    private static Uri Address(WebApplication app)
    {
        var bound = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return new($"{bound.Scheme}://localhost:{bound.Port}/");
    }
}
