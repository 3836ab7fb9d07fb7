using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Bulwark.Monitoring;
using Bulwark.Server;
using Microsoft.AspNetCore.Http;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>Another server's model behind the same doors.</summary>
public sealed class GatewayUpstreamTests : GatewayTest
{
    [Theory]
    [InlineData("INT64", false, "[1,-2]")]
    [InlineData("INT64", true, "[1,-2]")]
    [InlineData("FP64", true, "[0.5,1E-300]")]
    [InlineData("BOOL", true, "[true,false]")]
    [InlineData("BYTES", false, "[\"a\\u00e9\",\"\"]")]
    [InlineData("BYTES", true, "[\"a\\u00e9\",\"\"]")]
    public async Task What_the_server_answers_comes_back_in_the_form_asked_for(string datatype, bool isBinary, string data)
    {
        await using var upstream = await FakeUpstream.StartAsync(datatype, [-1], isBinary);
        await using var host = await StartAsync(upstream);
        using var client = World.Payments(host);
        client.DefaultRequestHeaders.Add("X-Secret", "of the client's");
        using var response = await GatewayWorld.InferAsync(client, Body(datatype, data), "echo");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(GatewayWorld.Cancel)).RootElement;
        Assert.Equal(JsonDocument.Parse(data).RootElement.EnumerateArray().Select(one => one.ToString()), answer.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(one => one.ToString()));
        Assert.Equal(("echo", "a"), (answer.GetProperty("model_name").GetString(), answer.GetProperty("id").GetString()));
        Assert.False(upstream.LastHeaders!.ContainsKey("Authorization"));
        Assert.False(upstream.LastHeaders.ContainsKey("X-Secret"));
        Assert.Contains("\"model\":\"echo\"", World.Entry(World.LogSize - 1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_the_contract_refuses_never_reaches_the_server()
    {
        await using var upstream = await FakeUpstream.StartAsync("FP32", [-1, 2], isBinary: true);
        var screen = InputScreen.OfContract([new() { Name = "a", Kind = ScreenFieldKind.Numeric, Minimum = 0, Maximum = 1 }, new() { Name = "b", Kind = ScreenFieldKind.Binary }]);
        await using var host = await StartAsync(upstream, options => options with { Screen = screen });
        using var client = World.Payments(host);
        Task<HttpResponseMessage> Ask(string data) => GatewayWorld.InferAsync(client, $$"""{"inputs":[{"name":"in","shape":[1,2],"datatype":"FP32","data":{{data}}}]}""", "echo");
        using var good = await Ask("[0.5,1]");
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        using var wide = await Ask("[2,1]");
        Assert.Equal("out-of-bounds: row 0, feature a", await GatewayWorld.ErrorAsync(wide));
        using var unfinite = await Ask("[1e39,1]");
        Assert.StartsWith("not-finite:", await GatewayWorld.ErrorAsync(unfinite), StringComparison.Ordinal);
        using var typed = await Ask("[null,1]");
        Assert.StartsWith("wrong-type:", await GatewayWorld.ErrorAsync(typed), StringComparison.Ordinal);
        Assert.Equal(1, upstream.Requests);
    }

    [Theory]
    [InlineData("500")]
    [InlineData("garbage")]
    [InlineData("other-shape")]
    [InlineData("other-tensor")]
    [InlineData("redirect")]
    [InlineData("cut")]
    [InlineData("huge")]
    [InlineData("slow")]
    public async Task A_server_that_misbehaves_is_an_honest_503(string how)
    {
        await using var upstream = await FakeUpstream.StartAsync("INT64", [-1], isBinary: false);
        await using var host = await StartAsync(upstream, options => options with { Timeout = TimeSpan.FromSeconds(how == "slow" ? 0.5 : 20), MaximumAnswerBytes = 4096 });
        using var client = World.Payments(host);
        upstream.Misbehaves = http => how switch
        {
            "500" => Status(http, 500),
            "redirect" => Redirect(http),
            "cut" => Cut(http),
            "huge" => http.Response.WriteAsync(new string(' ', 100_000)),
            "slow" => Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default),
            "other-shape" => http.Response.WriteAsync("""{"model_name":"echo","outputs":[{"name":"out","datatype":"INT64","shape":[1,1],"data":[1]}]}"""),
            "other-tensor" => http.Response.WriteAsync("""{"model_name":"echo","outputs":[{"name":"in","datatype":"INT64","shape":[1],"data":[1]}]}"""),
            _ => http.Response.WriteAsync("not json"),
        };
        using var response = await GatewayWorld.InferAsync(client, Body("INT64", "[1,2]"), "echo");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.StartsWith("upstream-unavailable:", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"upstream-unavailable\"", World.Entry(World.LogSize - 1), StringComparison.Ordinal);
        upstream.Misbehaves = null;
        await Eventually.IsSoAsync(async () =>   // half a second can be too short for an honest server on a busy machine, too
        {
            using var again = await GatewayWorld.InferAsync(client, Body("INT64", "[1,2]"), "echo");
            return again.StatusCode == HttpStatusCode.OK;
        });
    }

    [Fact]
    public async Task A_server_that_dies_is_503_and_not_ready_and_the_other_models_go_on()
    {
        var upstream = await FakeUpstream.StartAsync("INT64", [-1], isBinary: false);
        await using var host = await StartAsync(upstream);
        using var client = World.Payments(host);
        await upstream.DisposeAsync();
        using var response = await GatewayWorld.InferAsync(client, Body("INT64", "[1,2]"), "echo");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        using var ready = await client.GetAsync(new Uri("v2/models/echo/ready", UriKind.Relative), GatewayWorld.Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        using var local = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.OK, local.StatusCode);
    }

    [Fact]
    public async Task Without_a_server_the_gateway_does_not_start()
    {
        var upstream = await FakeUpstream.StartAsync("INT64", [-1], isBinary: false);
        await upstream.DisposeAsync();
        await Assert.ThrowsAsync<InvalidDataException>(() => StartAsync(upstream));
    }

    public static TheoryData<string, string> RawValues => new()   // two values of each type, as bytes
    {
        { "BOOL", "0100" }, { "UINT8", "00FF" }, { "UINT16", "0000FFFF" }, { "UINT32", "01000000FFFFFFFF" }, { "UINT64", "0100000000000000FFFFFFFFFFFFFFFF" },
        { "INT8", "7F80" }, { "INT16", "FF7F0080" }, { "INT32", "FFFFFF7F00000080" }, { "INT64", "FFFFFFFFFFFFFF7F0000000000000080" },
        { "FP16", "003CFF7B" }, { "BF16", "803F7F7F" }, { "FP32", "0000803F01000000" }, { "FP64", "000000000000F03F0100000000000000" }, { "BYTES", "0300000061C3A900000000" },
    };

    [Theory]
    [MemberData(nameof(RawValues))]
    public async Task Every_data_type_goes_through_as_raw_bytes(string datatype, string hex)
    {
        await using var upstream = await FakeUpstream.StartAsync(datatype, [-1], isBinary: true);
        await using var host = await StartAsync(upstream);
        using var client = World.Payments(host);
        var raw = Convert.FromHexString(hex);
        var head = Encoding.UTF8.GetBytes($$$"""{"parameters":{"binary_data_output":true},"inputs":[{"name":"in","shape":[2],"datatype":"{{{datatype}}}","parameters":{"binary_data_size":{{{raw.Length}}}}}]}""");
        using var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/echo/infer") { Content = new ByteArrayContent([.. head, .. raw]) };
        request.Headers.Add("Inference-Header-Content-Length", $"{head.Length}");
        using var response = await client.SendAsync(request, GatewayWorld.Cancel);
        var answer = await response.Content.ReadAsByteArrayAsync(GatewayWorld.Cancel);
        Assert.True(response.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(answer));
        var length = int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single(), CultureInfo.InvariantCulture);
        Assert.Equal(raw, answer[length..]);
        Assert.Equal(datatype, JsonDocument.Parse(answer.AsMemory(0, length)).RootElement.GetProperty("outputs")[0].GetProperty("datatype").GetString());
    }

    private Task<GatewayHost> StartAsync(FakeUpstream upstream, Func<UpstreamOptions, UpstreamOptions>? bend = null)
    {
        var options = new UpstreamOptions { Name = "echo", Address = upstream.Address };
        return World.StartAsync(World.Options with { Upstreams = [bend is null ? options : bend(options)], Policy = """permit (principal == Client::"payments", action, resource);""" });
    }

    private static string Body(string datatype, string data) => $$"""{"id":"a","inputs":[{"name":"in","shape":[2],"datatype":"{{datatype}}","data":{{data}}}]}""";

    private static Task Status(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static Task Redirect(HttpContext http)
    {
        http.Response.Redirect("http://127.0.0.1:1/");
        return Task.CompletedTask;
    }

    private static async Task Cut(HttpContext http)
    {
        http.Response.ContentLength = 1000;
        await http.Response.Body.WriteAsync("{\"model"u8.ToArray());
        await http.Response.Body.FlushAsync();
        http.Abort();
    }
}
