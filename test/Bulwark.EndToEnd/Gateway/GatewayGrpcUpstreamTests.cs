using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using Bulwark.Monitoring;
using Bulwark.Server;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Inference;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A model behind a gRPC server: the same doors, the same screen, the same honesty as over REST.</summary>
public sealed class GatewayGrpcUpstreamTests : GatewayTest
{
    private const string Everything = """permit (principal == Client::"payments", action, resource);""";

    [Fact]
    public async Task Every_data_type_goes_through_raw()
    {
        var kinds = GatewayUpstreamTests.RawValues.Select(row => row.Data).ToList();
        var upstreams = await Task.WhenAll(kinds.Select(kind => FakeGrpcUpstream.StartAsync(kind.Item1, [-1])));
        var options = kinds.Zip(upstreams, (kind, upstream) => new UpstreamOptions { Name = kind.Item1, UpstreamModel = "echo", Address = upstream.Address, Protocol = UpstreamProtocol.Grpc });
        await using var host = await World.StartAsync(World.Options with { Upstreams = [.. options], Policy = Everything });
        using var http = World.Payments(host);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(GrpcChannel.ForAddress(host.BaseAddress, new GrpcChannelOptions { HttpClient = http }));
        foreach (var ((datatype, hex), upstream) in kinds.Zip(upstreams))
        {
            var request = new ModelInferRequest
            {
                ModelName = datatype,
                Id = "7",
                RawInputContents = { ByteString.CopyFrom(Convert.FromHexString(hex)) },
                Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "in", Datatype = datatype, Shape = { 2 } } },
            };
            var answer = await client.ModelInferAsync(request, new Metadata { { "x-secret", "of the client's" } }, cancellationToken: GatewayWorld.Cancel);
            Assert.Equal(hex, Convert.ToHexString(answer.RawOutputContents[0].Span));
            Assert.Equal((datatype, "3", "7", datatype), (answer.ModelName, answer.ModelVersion, answer.Id, answer.Outputs[0].Datatype));
            Assert.DoesNotContain(upstream.LastHeaders!, header => header.Key is "x-secret" or "authorization");
            Assert.Equal(("echo", "3", "out"), (upstream.LastRequest!.ModelName, upstream.LastRequest.ModelVersion, upstream.LastRequest.Outputs.Single().Name));
            await upstream.DisposeAsync();
        }
    }

    [Fact]
    public async Task Typed_answers_are_read_and_clients_of_rest_are_answered()
    {
        await using var upstream = await FakeGrpcUpstream.StartAsync("INT32", [-1], raw => new InferTensorContents { IntContents = { MemoryMarshal.Cast<byte, int>(raw.Span).ToArray() } });
        await using var host = await StartAsync(upstream);
        using var client = World.Payments(host);
        using var response = await GatewayWorld.InferAsync(client, Body("INT32", "[-5,2147483647]"), "echo");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var output = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(GatewayWorld.Cancel)).RootElement.GetProperty("outputs")[0];
        Assert.Equal([-5, 2147483647], output.GetProperty("data").EnumerateArray().Select(one => one.GetInt32()));
        Assert.Contains("\"model\":\"echo\"", World.Entry(World.LogSize - 1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_way_there_is_mutual_tls_to_the_configured_authority_alone()
    {
        await using var upstream = await FakeGrpcUpstream.StartAsync("FP32", [-1], certificate: World.Identity.LoadServer());
        using var shown = World.Identity.LoadClient("analyst");
        await using (var host = await StartAsync(upstream, options => options with { Roots = [World.Identity.LoadAuthority()], Certificate = shown }))
        {
            using var client = World.Payments(host);
            using var response = await GatewayWorld.InferAsync(client, Body("FP32", "[1,2]"), "echo");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(shown.Thumbprint, upstream.Shown?.Thumbprint);
        }

        var other = DevelopmentIdentity.Create(World.PathOf("other"));
        await Assert.ThrowsAsync<InvalidDataException>(() => StartAsync(upstream, options => options with { Roots = [other.LoadAuthority()], Certificate = shown }));
        Assert.Equal(1, upstream.Requests);
    }

    [Fact]
    public async Task A_request_that_the_contract_refuses_never_reaches_the_server()
    {
        await using var upstream = await FakeGrpcUpstream.StartAsync("FP32", [-1, 2]);
        var screen = InputScreen.OfContract([new() { Name = "a", Kind = ScreenFieldKind.Numeric, Minimum = 0, Maximum = 1 }, new() { Name = "b", Kind = ScreenFieldKind.Binary }]);
        await using var host = await StartAsync(upstream, options => options with { Screen = screen });
        using var client = World.Payments(host);
        using var wide = await GatewayWorld.InferAsync(client, """{"inputs":[{"name":"in","shape":[1,2],"datatype":"FP32","data":[2,1]}]}""", "echo");
        Assert.Equal("out-of-bounds: row 0, feature a", await GatewayWorld.ErrorAsync(wide));
        Assert.Equal(0, upstream.Requests);
    }

    [Fact]
    public async Task A_server_that_misbehaves_is_an_honest_503()
    {
        await using var upstream = await FakeGrpcUpstream.StartAsync("INT64", [-1]);
        await using var host = await StartAsync(upstream, options => options with { Timeout = TimeSpan.FromSeconds(60), MaximumAnswerBytes = 4096 });
        using var client = World.Payments(host);
        foreach (var how in (string[])["status", "no-tensor", "other-tensor", "other-type", "other-shape", "short", "both-contents", "twice", "other-id", "huge"])
        {
            upstream.Bends = (answer, _) =>
            {
                Bend(answer, how);
                return Task.FromResult(answer);
            };
            await IsUnavailableAsync(client);
            upstream.Bends = null;
            using var again = await GatewayWorld.InferAsync(client, Body("INT64", "[1,2]"), "echo");
            Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        }
    }

    [Fact]
    public async Task A_server_that_does_not_answer_in_time_is_an_honest_503()
    {
        await using var upstream = await FakeGrpcUpstream.StartAsync("INT64", [-1]);
        await using var host = await StartAsync(upstream, options => options with { Timeout = TimeSpan.FromSeconds(1) });
        using var client = World.Payments(host);
        upstream.Bends = async (answer, call) =>
        {
            await Task.Delay(Timeout.Infinite, call.CancellationToken);
            return answer;
        };
        await IsUnavailableAsync(client);
    }

    [Fact]
    public async Task A_server_that_dies_is_503_and_one_that_is_not_there_keeps_the_gateway_from_starting()
    {
        var upstream = await FakeGrpcUpstream.StartAsync("INT64", [-1]);
        await using var host = await StartAsync(upstream);
        using var client = World.Payments(host);
        await upstream.DisposeAsync();
        using var response = await GatewayWorld.InferAsync(client, Body("INT64", "[1,2]"), "echo");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        using var ready = await client.GetAsync(new Uri("v2/models/echo/ready", UriKind.Relative), GatewayWorld.Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        await Assert.ThrowsAsync<InvalidDataException>(() => StartAsync(upstream));
    }

    [Fact]
    public async Task A_model_or_version_that_the_server_has_not_keeps_the_gateway_from_starting()
    {
        await using var upstream = await FakeGrpcUpstream.StartAsync("INT64", [-1]);
        await Assert.ThrowsAsync<InvalidDataException>(() => StartAsync(upstream, options => options with { UpstreamModel = "other" }));
        await Assert.ThrowsAsync<InvalidDataException>(() => StartAsync(upstream, options => options with { UpstreamVersion = "9" }));
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(upstream, options => options with { Address = new Uri("https://triton.internal/path/") }));
        Assert.Contains("path", fault.Message, StringComparison.Ordinal);
    }

    private Task<GatewayHost> StartAsync(FakeGrpcUpstream upstream, Func<UpstreamOptions, UpstreamOptions>? bend = null)
    {
        var options = new UpstreamOptions { Name = "echo", Address = upstream.Address, Protocol = UpstreamProtocol.Grpc };
        return World.StartAsync(World.Options with { Upstreams = [bend is null ? options : bend(options)], Policy = Everything });
    }

    private async Task IsUnavailableAsync(HttpClient client)
    {
        using var response = await GatewayWorld.InferAsync(client, Body("INT64", "[1,2]"), "echo");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.StartsWith("upstream-unavailable:", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"upstream-unavailable\"", World.Entry(World.LogSize - 1), StringComparison.Ordinal);
    }

    private static void Bend(ModelInferResponse answer, string how)
    {
        switch (how)
        {
            case "status": throw new RpcException(new Status(StatusCode.Internal, "it held 123.456"));
            case "no-tensor": answer.Outputs.Clear(); break;
            case "other-tensor": answer.Outputs[0].Name = "in"; break;
            case "other-type": answer.Outputs[0].Datatype = "FP64"; break;
            case "other-shape": answer.Outputs[0].Shape.Add(1); break;
            case "short": answer.RawOutputContents[0] = ByteString.CopyFrom(1, 2, 3); break;
            case "both-contents": answer.Outputs[0].Contents = new InferTensorContents { Int64Contents = { 1, 2 } }; break;
            case "twice": answer.Outputs.Add(answer.Outputs[0].Clone()); answer.RawOutputContents.Add(answer.RawOutputContents[0]); break;
            case "other-id": answer.Id = "b"; break;
            default: answer.Parameters["pad"] = new InferParameter { StringParam = new string(' ', 100_000) }; break;
        }
    }

    private static string Body(string datatype, string data) => $$"""{"id":"a","inputs":[{"name":"in","shape":[2],"datatype":"{{datatype}}","data":{{data}}}]}""";
}
