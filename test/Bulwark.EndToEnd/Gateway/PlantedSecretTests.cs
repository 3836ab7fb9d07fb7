using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Bulwark.Server;
using Microsoft.Extensions.Logging;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>Values that nothing else holds are sent as features, tokens and keys; then everything that the gateway wrote or told is searched for them.</summary>
public sealed class PlantedSecretTests
{
    [Fact]
    public async Task No_feature_token_or_key_is_in_anything_that_is_written_and_traces_name_model_and_outcome()
    {
        using var world = await GatewayWorld.CreateAsync();
        using var told = new Told();
        var token = world.Identity.LoadToken("payments");
        var forged = token[..^6] + "AAAAAA";
        await using (var host = await world.StartAsync(world.Options with { TrailDirectory = world.PathOf("trail"), Logging = logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(told) }))
        {
            using var client = world.Payments(host);
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, GatewayWorld.Body([123.4567f, 31, 1])));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, await StatusAsync(client, GatewayWorld.Body([4321.765f, 31, 1])));
            Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(client, """{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":["planted-text",1,2]}]}"""));
            Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(client, """{"planted-member":1}"""));
            using var stranger = world.Client(host, world.Identity.LoadClient("payments"), forged);
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(stranger, "{}"));
            told.Add(await GatewayWorld.MetricsAsync(host));
        }

        var written = string.Join('\n', told.Lines) + string.Join('\n', Directory.EnumerateFiles(world.LogDirectory, "*", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(world.PathOf("trail"))).SelectMany(file => Forms(File.ReadAllBytes(file))));
        string[] secrets =
        [
            "123.4567", "4321.765", "planted-text", "planted-member", token.Split('.')[1], token.Split('.')[2], forged.Split('.')[2],
            .. File.ReadLines(Path.Combine(world.Identity.Folder, "server.key")).Where(line => line.Length > 40), .. File.ReadLines(world.PathOf("keyring.key")).Where(line => line.Length > 20),
        ];
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, written, StringComparison.Ordinal));
        Assert.Contains("wrong-type", written, StringComparison.Ordinal);   // the search does see what is written
        Assert.Contains("bulwark.gateway.infer bulwark.model=fraud bulwark.outcome=scored", told.Lines);
        Assert.Contains("bulwark.gateway.requests bulwark.model=fraud bulwark.outcome=scored", told.Lines);
        Assert.Contains("bulwark.gateway.request.duration bulwark.model=fraud", told.Lines);
    }

    /// <summary>A file's bytes as text, and what its base64 holds: entries of the log are statements in base64.</summary>
    private static IEnumerable<string> Forms(byte[] bytes)
    {
        var text = Encoding.Latin1.GetString(bytes);
        yield return text;
        foreach (var part in text.Split('"').Where(part => part.Length > 100))
        {
            var decoded = new byte[part.Length];
            if (Convert.TryFromBase64String(part, decoded, out var length))
                yield return Encoding.Latin1.GetString(decoded, 0, length);
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string body)
    {
        using var response = await GatewayWorld.InferAsync(client, body);
        return response.StatusCode;
    }

    /// <summary>Hears everything: log lines at every level with their exceptions, spans and measurements with their tags.</summary>
    private sealed class Told : ILoggerProvider, ILogger
    {
        private readonly ActivityListener _spans;
        private readonly MeterListener _meters = new();

        internal Told()
        {
            _spans = new()
            {
                ShouldListenTo = source => source.Name == GatewayHost.TelemetryName,
                Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span => Add($"{span.OperationName} {string.Join(' ', span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))}"),
            };
            ActivitySource.AddActivityListener(_spans);
            _meters.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == GatewayHost.TelemetryName)
                    listener.EnableMeasurementEvents(instrument);
            };
            _meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Measured(instrument, tags));
            _meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Measured(instrument, tags));
            _meters.Start();
        }

        internal ConcurrentQueue<string> Lines { get; } = new();

        internal void Add(string line) => Lines.Enqueue(line);

        private void Measured(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var line = instrument.Name;
            foreach (var tag in tags)
                line += $" {tag.Key}={tag.Value}";
            Add(line);
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull
        {
            Add($"{state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Add($"{logLevel} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
            _spans.Dispose();
            _meters.Dispose();
        }
    }
}
