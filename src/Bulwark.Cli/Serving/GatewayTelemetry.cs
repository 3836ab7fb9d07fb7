using Bulwark.Server;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Bulwark.Cli.Serving;

/// <summary>Sends the gateway's traces and metrics to a collector. They name models and outcomes; never a client, a feature, a score or a token.</summary>
internal sealed class GatewayTelemetry : IDisposable
{
    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;

    internal GatewayTelemetry(Uri collector)
    {
        var resource = ResourceBuilder.CreateDefault().AddService("bulwark-gateway");
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(GatewayHost.TelemetryName).AddOtlpExporter(options => options.Endpoint = collector).Build();
        _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource)
            .AddMeter(GatewayHost.TelemetryName, "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddOtlpExporter(options => options.Endpoint = collector).Build();
    }

    public void Dispose()
    {
        _traces.Dispose();
        _metrics.Dispose();
    }
}
