using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>The protocol over REST: raw tensors, statistics, the document that describes it, and what strangers try.</summary>
public sealed class GatewayProtocolTests : IAsyncLifetime
{
    private GatewayWorld _world = null!;
    private GatewayHost _host = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await GatewayWorld.CreateAsync();
        _host = await _world.StartAsync();
        _client = _world.Payments(_host);
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_host is not null)
            await _host.DisposeAsync();
        _world?.Dispose();
    }

    [Fact]
    public async Task Raw_tensors_go_both_ways_and_the_receipt_is_about_them()
    {
        var (body, head) = Raw(GatewayWorld.GoodRow);
        using var response = await SendAsync(body, head);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType!.MediaType);
        var bytes = await response.Content.ReadAsByteArrayAsync(GatewayWorld.Cancel);
        var answerHead = int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single(), System.Globalization.CultureInfo.InvariantCulture);
        var output = JsonDocument.Parse(bytes.AsMemory(0, answerHead)).RootElement.GetProperty("outputs")[0];
        Assert.Equal(bytes.Length - answerHead, output.GetProperty("parameters").GetProperty("binary_data_size").GetInt32());
        Assert.InRange(MemoryMarshal.Read<float>(bytes.AsSpan(answerHead)), 0, 1);
        var receipt = PredictionReceipt.Parse(Convert.FromBase64String(response.Headers.GetValues(GatewayHost.ReceiptHeader).Single()));
        Assert.True(receipt.Verify(_world.Keys.PublicKey("log"), [_host.Worker.ReceiptKey], body, bytes, _world.Package).Trusted);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("999999")]
    [InlineData("99999999999999999999")]
    [InlineData("0")]
    [InlineData("x")]
    public async Task A_length_of_the_head_that_lies_is_refused(string length)
    {
        var (body, _) = Raw(GatewayWorld.GoodRow);
        using var response = await SendAsync(body, length);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.StartsWith("malformed:", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_answer_is_as_the_served_document_says()
    {
        using var document = JsonDocument.Parse(await _client.GetByteArrayAsync(new Uri("v2/openapi.json", UriKind.Relative), GatewayWorld.Cancel));
        var judge = new SchemaJudge(document.RootElement);
        const string Model = "/v2/models/{model}", Version = "/v2/models/{model}/versions/{version}";
        foreach (var path in (string[])["v2", "v2/health/live", "v2/health/ready", "v2/openapi.json"])
            await Judge(judge, "/" + path, "get", _client.GetAsync(new Uri(path, UriKind.Relative), GatewayWorld.Cancel));
        foreach (var (path, template) in ((string, string)[])[("fraud", Model), ("fraud/versions/1", Version), ("fraud/versions/2", Version), ("other", Model)])
            foreach (var what in (string[])["", "/ready", "/stats"])
                await Judge(judge, template + what, "get", _client.GetAsync(new Uri($"v2/models/{path}{what}", UriKind.Relative), GatewayWorld.Cancel));
        foreach (var body in (string[])[GatewayWorld.Body(GatewayWorld.GoodRow), GatewayWorld.Body([5555, 30, 1]), GatewayWorld.Body([1, 2]), "{", new string(' ', 20_000), GatewayWorld.Body([.. Enumerable.Repeat(GatewayWorld.GoodRow, 65)])])
            await Judge(judge, Model + "/infer", "post", GatewayWorld.InferAsync(_client, body));
        var (raw, head) = Raw(GatewayWorld.GoodRow);
        await Judge(judge, Model + "/infer", "post", SendAsync(raw, head));
        await Judge(judge, Model + "/infer", "post", SendAsync(raw, null));
        using var stranger = _world.Client(_host, _world.Identity.LoadClient("payments"), token: null);
        await Judge(judge, Model + "/infer", "post", GatewayWorld.InferAsync(stranger, "{}"));
        using var analyst = _world.Client(_host, _world.Identity.LoadClient("analyst"), _world.Identity.LoadToken("analyst"));
        await Judge(judge, Model + "/infer", "post", GatewayWorld.InferAsync(analyst, "{}"));
    }

    [Fact]
    public async Task Statistics_count_what_was_scored_and_what_was_refused()
    {
        for (var i = 0; i < 3; i++)
            (await GatewayWorld.InferAsync(_client, GatewayWorld.Body(GatewayWorld.GoodRow, GatewayWorld.GoodRow))).Dispose();
        (await GatewayWorld.InferAsync(_client, GatewayWorld.Body([5555, 30, 1]))).Dispose();
        var stats = JsonDocument.Parse(await _client.GetByteArrayAsync(new Uri("v2/models/fraud/stats", UriKind.Relative), GatewayWorld.Cancel)).RootElement.GetProperty("model_stats")[0];
        Assert.Equal((6, 3), (stats.GetProperty("inference_count").GetInt64(), stats.GetProperty("execution_count").GetInt64()));
        Assert.Equal(1, stats.GetProperty("inference_stats").GetProperty("fail").GetProperty("count").GetInt64());
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("identity")]
    public async Task A_compressed_bomb_is_not_opened(string coding)
    {
        using var content = new ByteArrayContent(new byte[64]) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        content.Headers.ContentEncoding.Add(coding);
        using var response = await _client.PostAsync(new Uri("v2/models/fraud/infer", UriKind.Relative), content, GatewayWorld.Cancel);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task What_strangers_send_is_never_a_fault_of_ours_and_the_gateway_goes_on()
    {
        string[] bodies =
        [
            new string('[', 15_000), "{\"inputs\":" + new string('{', 5000), """{"inputs":[{"name":"features","shape":[9223372036854775807,3],"datatype":"FP32","data":[]}]}""",
            """{"inputs":[{"name":"features","shape":[64,3],"datatype":"FP32","data":[1]}]}""", "\0", "\u00ff\u00fe", """{"inputs":[{"name":"features\u0000","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}""",
        ];
        foreach (var body in bodies)
        {
            using var response = await GatewayWorld.InferAsync(_client, body);
            Assert.InRange((int)response.StatusCode, 400, 499);
        }

        using (var wide = new HttpRequestMessage(HttpMethod.Get, "v2/models/fraud"))
        {
            wide.Headers.TryAddWithoutValidation("X-Wide", new string('a', 40_000));
            using var response = await _client.SendAsync(wide, GatewayWorld.Cancel);
            Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, response.StatusCode);
        }

        await ResetAsync("POST /v2/models/fraud/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf");
        await ResetAsync("GET /v2 HTTP/1.1\r\nHost: loc");
        using var good = await GatewayWorld.InferAsync(_client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
    }

    [Fact]
    public async Task A_client_over_its_rate_is_told_so_and_another_is_not()
    {
        await using var host = await _world.StartAsync(_world.Options with { RequestsPerSecond = 0.001, RequestBurst = 2 });
        using var payments = _world.Payments(host);
        for (var i = 0; i < 2; i++)
            (await GatewayWorld.InferAsync(payments, GatewayWorld.Body(GatewayWorld.GoodRow))).EnsureSuccessStatusCode().Dispose();
        using var third = await GatewayWorld.InferAsync(payments, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.TooManyRequests, third.StatusCode);
        using var analyst = _world.Client(host, _world.Identity.LoadClient("analyst"), _world.Identity.LoadToken("analyst"));
        using var other = await analyst.GetAsync(new Uri("v2/models/fraud", UriKind.Relative), GatewayWorld.Cancel);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    /// <summary>A client with a sound certificate that says half a sentence and resets the connection.</summary>
    private async Task ResetAsync(string words)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        await socket.ConnectAsync(IPAddress.Loopback, _host.BaseAddress.Port, GatewayWorld.Cancel);
        await using var stream = new SslStream(new NetworkStream(socket));
        var options = TlsPolicy.Client([_world.Identity.LoadAuthority()], _world.Identity.LoadClient("payments"));
        options.TargetHost = "localhost";
        await stream.AuthenticateAsClientAsync(options, GatewayWorld.Cancel);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(words), GatewayWorld.Cancel);
        socket.Close();
    }

    private Task<HttpResponseMessage> SendAsync(byte[] body, string? head)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/fraud/infer") { Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } } };
        if (head is not null)
            request.Headers.TryAddWithoutValidation("Inference-Header-Content-Length", head);
        return _client.SendAsync(request, GatewayWorld.Cancel);
    }

    private static (byte[] Body, string Head) Raw(float[] row)
    {
        var head = Encoding.UTF8.GetBytes("""{"id":"b","parameters":{"binary_data_output":true},"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","parameters":{"binary_data_size":12}}]}""");
        return ([.. head, .. MemoryMarshal.AsBytes<float>(row)], $"{head.Length}");
    }

    private static async Task Judge(SchemaJudge judge, string path, string method, Task<HttpResponseMessage> answer)
    {
        using var response = await answer;
        var body = await response.Content.ReadAsByteArrayAsync(GatewayWorld.Cancel);
        Assert.Null(judge.Fault(path, method, (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, body));
    }
}
