using System.Collections.Concurrent;
using System.Diagnostics;
using Prometheus;

namespace Bulwark.Server;

/// <summary>What the gateway counts. No client, no feature, no score is ever a label.</summary>
internal sealed class GatewayMetrics
{
    private static readonly ActivitySource Source = new(GatewayHost.TelemetryName);
    private static readonly System.Diagnostics.Metrics.Meter Meter = new(GatewayHost.TelemetryName);
    private static readonly System.Diagnostics.Metrics.Counter<long> Requests = Meter.CreateCounter<long>("bulwark.gateway.requests", "{request}", "Requests to score, by model and outcome.");
    private static readonly System.Diagnostics.Metrics.Histogram<double> Seconds = Meter.CreateHistogram<double>("bulwark.gateway.request.duration", "s", "From a request to its answer, by model.");

    private readonly ConcurrentDictionary<(string Model, string Outcome), (Counter.Child Count, Histogram.Child Seconds)> _answers = new();   // labels are looked up once, not for each request
    private readonly Counter _requests, _connections, _tokens, _inputs, _releases;
    private readonly Counter.Child _permitted, _denied;
    private readonly Counter _unwritten, _shed;
    private readonly Histogram _seconds;

    internal GatewayMetrics()
    {
        Registry = Metrics.NewCustomRegistry();
        var factory = Metrics.WithCustomRegistry(Registry);
        _requests = factory.CreateCounter("bulwark_inference_total", "Requests to score, by model and outcome.", "model", "outcome");
        _seconds = factory.CreateHistogram("bulwark_inference_duration_seconds", "From the request's first byte read to the answer, by model.", new HistogramConfiguration { LabelNames = ["model"], Buckets = Histogram.ExponentialBuckets(0.00005, 2, 18) });
        _connections = factory.CreateCounter("bulwark_connections_refused_total", "TLS connections refused for their client certificate, by reason.", "reason");
        _tokens = factory.CreateCounter("bulwark_tokens_refused_total", "Access tokens refused, by reason.", "reason");
        var policies = factory.CreateCounter("bulwark_policy_decisions_total", "Policy decisions, by effect.", "effect");
        (_permitted, _denied) = (policies.WithLabels("permit"), policies.WithLabels("deny"));
        _inputs = factory.CreateCounter("bulwark_input_rejected_total", "Rows refused by the input screen, by reason.", "reason");
        _releases = factory.CreateCounter("bulwark_key_releases_total", "Key releases, by verdict.", "verdict", "insecure");
        _unwritten = factory.CreateCounter("bulwark_log_failures_total", "Decisions that could not be written to the transparency log; each was answered 503.");
        _shed = factory.CreateCounter("bulwark_requests_shed_total", "Requests turned away because too many were under way.");
    }

    internal CollectorRegistry Registry { get; }

    internal void ConnectionRefused(CertificateVerdict verdict) => _connections.WithLabels(Word(verdict)).Inc();

    internal void TokenRefused(TokenVerdict verdict) => _tokens.WithLabels(Word(verdict)).Inc();

    internal void PolicyDecided(bool allowed) => (allowed ? _permitted : _denied).Inc();

    internal void InputRejected(string reason) => _inputs.WithLabels(reason).Inc();

    internal void KeyRelease(string verdict, bool insecure) => _releases.WithLabels(verdict, insecure ? "true" : "false").Inc();

    internal void Shed() => _shed.Inc();

    internal void LogFailed() => _unwritten.Inc();

    /// <summary>A gauge whose value is asked for at each scrape.</summary>
    internal void Gauge(string name, string help, Func<double> value)
    {
        var gauge = Metrics.WithCustomRegistry(Registry).CreateGauge(name, help);
        Registry.AddBeforeCollectCallback(() => gauge.Set(value()));
    }

    /// <summary>A span of OpenTelemetry; null unless somebody listens. It names model and outcome, never a client.</summary>
    internal static Activity? StartSpan(string action) => Source.StartActivity($"bulwark.gateway.{action}", ActivityKind.Server);

    internal void Answered(string model, string outcome, TimeSpan duration)
    {
        Requests.Add(1, new("bulwark.model", model), new("bulwark.outcome", outcome));
        Seconds.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("bulwark.model", model));
        var (count, seconds) = _answers.GetOrAdd((model, outcome), static (key, all) => (all._requests.WithLabels(key.Model, key.Outcome), all._seconds.WithLabels(key.Model)), this);
        count.Inc();
        seconds.Observe(duration.TotalSeconds);
    }

    /// <summary>An enumeration's name as a label: <c>BoundToAnotherCertificate</c> becomes <c>bound-to-another-certificate</c>.</summary>
    internal static string Word<T>(T value) where T : struct, Enum => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}
