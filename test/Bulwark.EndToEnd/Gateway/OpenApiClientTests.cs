using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A client written against the served OpenAPI document, with a judge between it and the gateway that holds every request and every answer to that document.</summary>
/// <remarks>1,000 requests; <c>BULWARK_REQUESTS=10000</c> for the long form.</remarks>
public sealed class OpenApiClientTests : IAsyncLifetime
{
    private GatewayWorld _world = null!;
    private GatewayHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await GatewayWorld.CreateAsync();
        _host = await _world.StartAsync(_world.Options with { Receipts = ReceiptMode.Asked });
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _world.Dispose();
    }

    [Fact]
    public async Task No_request_and_no_answer_breaks_the_document()
    {
        using var client = _world.Payments(_host);
        var judge = new Judge(await ServedDocument.ReadAsync(await client.GetStringAsync(new Uri("v2/openapi.json", UriKind.Relative), GatewayWorld.Cancel)), client);
        var requests = int.Parse(Environment.GetEnvironmentVariable("BULWARK_REQUESTS") ?? "1000", CultureInfo.InvariantCulture);
        var random = new Random(11);
        for (var i = 0; i < requests; i++)
            await SendAsync(judge, random);
        Assert.Empty(judge.Violations);
        Assert.Equal(requests, judge.Judged);
        Assert.True(judge.Statuses.SetEquals([200, 400, 403, 404, 422]), string.Join(", ", judge.Statuses));
    }

    [Fact]
    public async Task The_judge_sees_violations()
    {
        using var client = _world.Payments(_host);
        var document = await ServedDocument.ReadAsync(await client.GetStringAsync(new Uri("v2/openapi.json", UriKind.Relative), GatewayWorld.Cancel));
        const string Infer = "post /v2/models/{model}/infer ";
        Assert.Null(document.Fault(Infer + "request", "application/json", GatewayWorld.Body([1, 2, 3])));
        Assert.Null(document.Fault(Infer + "200", "application/json", """{"model_name":"m","outputs":[{"name":"score","shape":[1,1],"datatype":"FP32","data":[null]}]}"""));
        Assert.NotNull(document.Fault(Infer + "request", "application/json", """{"inputs":[]}"""));
        Assert.NotNull(document.Fault(Infer + "200", "application/json", """{"outputs":[]}"""));
        Assert.NotNull(document.Fault(Infer + "200", "application/json", """{"model_name":"m","outputs":[{"name":"score","shape":[1,1],"datatype":"FP31","data":[1]}]}"""));
        Assert.NotNull(document.Fault(Infer + "200", "text/plain", ""));
        Assert.NotNull(document.Fault(Infer + "500", "application/json", "{}"));
        Assert.NotNull(document.Fault("get /v2 200", "application/json", """{"name":"n","version":"1","extensions":[],"more":1}"""));
    }

    /// <summary>One request of those that the document allows, drawn at random: paths, forms of data, ids, outputs, rows that the model was not made for.</summary>
    private static Task SendAsync(Judge judge, Random random)
    {
        var model = (random.Next(12) switch { 0 => "other", 1 => "fraud/versions/2", 2 or 3 => "fraud/versions/1", _ => "fraud" });
        if (random.Next(4) == 0)
            return judge.SendAsync(new(HttpMethod.Get, new Uri(((string[])["v2", "v2/health/live", "v2/health/ready", $"v2/models/{model}", $"v2/models/{model}/ready", $"v2/models/{model}/stats"])[random.Next(6)], UriKind.Relative)), "");
        var rows = random.Next(1, 5);
        float[][] data = [.. Enumerable.Range(0, rows).Select(_ => random.Next(10) == 0 ? new float[] { 5000, 30, 1 } : [random.Next(50, 400), random.Next(25, 60), random.Next(2)])];
        var body = new Dictionary<string, object>
        {
            ["inputs"] = new[]
            {
                new Dictionary<string, object>
                {
                    ["name"] = random.Next(20) == 0 ? "unknown" : "features", ["shape"] = new[] { rows, 3 }, ["datatype"] = random.Next(20) == 0 ? "INT64" : "FP32",
                    ["data"] = random.Next(2) == 0 ? data : data.SelectMany(row => row).ToArray(),
                },
            },
        };
        if (random.Next(2) == 0)
            body["id"] = random.Next(1 << 20).ToString(CultureInfo.InvariantCulture);
        if (random.Next(4) == 0)
            body["outputs"] = new[] { new Dictionary<string, object> { ["name"] = "score" } };
        if (random.Next(4) == 0)
            body["parameters"] = new Dictionary<string, object> { ["binary_data_output"] = false };
        var text = JsonSerializer.Serialize(body);
        return judge.SendAsync(new(HttpMethod.Post, new Uri($"v2/models/{model}/infer", UriKind.Relative)) { Content = new StringContent(text, new MediaTypeHeaderValue("application/json")) }, text);
    }

    /// <summary>Stands between client and gateway.</summary>
    private sealed class Judge(ServedDocument document, HttpClient client)
    {
        internal List<string> Violations { get; } = [];
        internal HashSet<int> Statuses { get; } = [];
        internal int Judged { get; private set; }

        internal async Task SendAsync(HttpRequestMessage request, string body)
        {
            var address = "/" + request.RequestUri!.OriginalString;
            var what = $"{(request.Method == HttpMethod.Get ? "get" : "post")} {document.PathOf(address)}";
            if (request.Content is { } content && document.Fault(what + " request", content.Headers.ContentType!.MediaType, body) is { } wrong)
                Violations.Add(wrong);
            using var response = await client.SendAsync(request, GatewayWorld.Cancel);
            var answer = await response.Content.ReadAsStringAsync(GatewayWorld.Cancel);
            if (document.Fault($"{what} {(int)response.StatusCode}", response.Content.Headers.ContentType?.MediaType, answer) is { } fault)
                Violations.Add($"{address}: {fault}");
            Statuses.Add((int)response.StatusCode);
            Judged++;
            request.Dispose();
        }
    }
}
