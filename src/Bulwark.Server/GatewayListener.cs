using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Prometheus;

namespace Bulwark.Server;

/// <summary>What a gateway listens on: clients over TLS, and two ports without it for the machine's own eyes.</summary>
internal static class GatewayListener
{
    internal static WebApplication Listen(GatewayOptions options, GatewayTls tls, ConnectionMemory memory, ILoggerFactory logging)
    {
        // The empty builder reads no settings file and no environment: only these options decide what listens.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(logging);   // disposed with the app
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel((_, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            var limits = kestrel.Limits;
            limits.MaxRequestBodySize = options.MaximumBodyBytes + RequestBody.MostDrainedBytes;   // RequestBody stops at the first, and throws away up to the second
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            limits.MaxRequestHeadersTotalSize = 32 * 1024;
            limits.MaxRequestHeaderCount = 64;
            limits.MaxRequestLineSize = 4 * 1024;
            limits.MaxConcurrentConnections = options.MaximumConnections;
            limits.MinRequestBodyDataRate = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
            limits.MinResponseDataRate = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
            limits.Http2.MaxStreamsPerConnection = 100;
            limits.Http2.MaxRequestHeaderFieldSize = 16 * 1024;
            limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
            limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
            kestrel.Listen(options.ListenOnAnyAddress ? IPAddress.Any : IPAddress.Loopback, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.Use(memory.Count);
                listen.UseHttps(new TlsHandshakeCallbackOptions { HandshakeTimeout = TimeSpan.FromSeconds(15), OnConnection = _ => ValueTask.FromResult(tls.Options()) });
            });
        });
        return builder.Build();
    }

    /// <summary>Prometheus, on loopback only.</summary>
    internal static WebApplication Scrape(int port, GatewayMetrics metrics)
    {
        var app = Plain(port, anyAddress: false);
        app.MapMetrics("/metrics", metrics.Registry);
        return app;
    }

    /// <summary>Health for an orchestrator, which has no certificate: three words, nothing of any model.</summary>
    internal static WebApplication Health(int port, bool anyAddress, GatewayParts parts)
    {
        var app = Plain(port, anyAddress);
        app.MapGet("/live", http => GatewayMetadata.Live().WriteAsync(http));
        app.MapGet("/ready", http => GatewayMetadata.Ready(parts.IsReady, parts.Sandbox).WriteAsync(http));
        return app;
    }

    internal static Uri Address(WebApplication app)
    {
        var bound = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return new($"{bound.Scheme}://localhost:{bound.Port}/");
    }

    private static WebApplication Plain(int port, bool anyAddress)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 1024;
            kestrel.Limits.MaxConcurrentConnections = 256;
            kestrel.Listen(anyAddress ? IPAddress.Any : IPAddress.Loopback, port);
        });
        return builder.Build();
    }
}
