using System.Net.Http.Headers;
using System.Text;
using Bulwark.Attestation;
using Bulwark.Client;
using Bulwark.Cryptography;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>EHBP and Oblivious HTTP through a real gateway: with the client library, with a stranger's client, and on a way that tampers, replays and cuts.</summary>
public sealed class CompatibleProtocolTests : IAsyncLifetime
{
    private const string Keys = "application/ohttp-keys";
    private GatewayWorld _world = null!;
    private GatewayHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await GatewayWorld.CreateAsync();
        _host = await _world.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _world.Dispose();
    }

    public static TheoryData<ObliviousProtocol> Protocols => [ObliviousProtocol.Ehbp, ObliviousProtocol.ObliviousHttp, ObliviousProtocol.ChunkedObliviousHttp];

    [Theory, MemberData(nameof(Protocols))]
    public async Task The_client_scores_with_evidence_and_receipt_as_under_the_own_protocol(ObliviousProtocol protocol)
    {
        using var own = Client(ObliviousProtocol.None);
        using var client = Client(protocol);
        var prediction = await client.PredictAsync(GatewayWorld.GoodRow, 1, GatewayWorld.Cancel);
        Assert.Equal(await own.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel), prediction.Scores);
        Assert.True(prediction.Receipt.Verify(_world.Keys.PublicKey("log"), [client.Evidence!.Keys.Receipt], prediction.Request, prediction.Response).Trusted);
        var refused = await Assert.ThrowsAsync<BulwarkClientException>(() => client.ScoreAsync(new float[] { 1 }, GatewayWorld.Cancel));
        Assert.Equal(ClientFailure.InputRejected, refused.Failure);
    }

    [Theory, MemberData(nameof(Protocols))]
    public async Task What_is_tampered_replayed_or_cut_is_refused_by_name(ObliviousProtocol protocol)
    {
        using var http = _world.Payments(_host);
        var keys = await KeysAsync(http);
        using var call = Call(protocol, keys);
        var right = await SendAsync(http, protocol, call, call.Message.ToArray());
        Assert.Equal(200, right.Status);
        var (status, body) = call.Open(right.Status, right.Nonce, right.Body);
        Assert.Equal(200, status);
        Assert.Contains("outputs", Encoding.UTF8.GetString(body), StringComparison.Ordinal);
        Assert.Equal((400, "sealed-replayed"), Refusal(await SendAsync(http, protocol, call, call.Message.ToArray())));

        using var other = Call(protocol, keys);
        foreach (var place in new[] { 40, other.Message.Length / 2, other.Message.Length - 1 })
        {
            var changed = other.Message.ToArray();
            changed[place] ^= 1;
            Assert.Equal((422, "sealed-unknown-key"), Refusal(await SendAsync(http, protocol, other, changed)));
        }

        Assert.NotEqual(200, (await SendAsync(http, protocol, other, other.Message[..^1].ToArray())).Status);
        var answer = await SendAsync(http, protocol, other, other.Message.ToArray());
        Assert.Equal(200, answer.Status);   // what did not open did not use the request up
        Assert.Throws<SealedRequestException>(() => call.Open(answer.Status, answer.Nonce, answer.Body));   // another request's answer
        Assert.Throws<SealedRequestException>(() => other.Open(answer.Status, answer.Nonce, answer.Body.AsSpan(..^1)));
        Assert.Throws<SealedRequestException>(() => other.Open(answer.Status, answer.Nonce, []));
        answer.Body[^20] ^= 1;
        Assert.Throws<SealedRequestException>(() => other.Open(answer.Status, answer.Nonce, answer.Body));
    }

    /// <summary>EHBP has no mark at a body's end: a body that was cut between two frames opens, and then is no document.</summary>
    [Fact]
    public async Task A_body_cut_between_frames_is_no_document_and_is_refused_inside()
    {
        using var http = _world.Payments(_host);
        var keys = await KeysAsync(http);
        var body = Body();
        using var call = ObliviousCall.Seal(ObliviousProtocol.Ehbp, keys, "gateway", "/v2/models/fraud/infer", body.AsSpan(0, body.Length / 2));
        var answer = await SendAsync(http, ObliviousProtocol.Ehbp, call, call.Message.ToArray());
        Assert.Equal(400, answer.Status);
        Assert.Contains("malformed", Encoding.UTF8.GetString(call.Open(answer.Status, answer.Nonce, answer.Body).Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_without_the_nonce_is_refused_and_so_is_a_key_that_the_worker_did_not_sign()
    {
        using var http = _world.Payments(_host);
        using var call = Call(ObliviousProtocol.Ehbp, await KeysAsync(http));
        var answer = await SendAsync(http, ObliviousProtocol.Ehbp, call, call.Message.ToArray());
        Assert.Throws<SealedRequestException>(() => call.Open(answer.Status, [], answer.Body));

        using var endpoint = new ObliviousEndpoint();
        using var stranger = Signer.Generate();
        var attested = new WorkerAttestation { Evidence = _host.Worker.Evidence, Release = [], ObliviousKeys = Lineage.Dsse.Sign(Keys, endpoint.KeyList, stranger) };
        Assert.Throws<InvalidDataException>(attested.ObliviousKeyList);
        Assert.Throws<InvalidDataException>((attested with { ObliviousKeys = null }).ObliviousKeyList);
    }

    [Fact]
    public async Task An_oblivious_request_for_another_path_is_refused_and_a_wrong_key_is_a_problem_document()
    {
        using var http = _world.Payments(_host);
        var keys = await KeysAsync(http);
        using var astray = ObliviousCall.Seal(ObliviousProtocol.ObliviousHttp, keys, "gateway", "/v2/models/other/infer", Body());
        Assert.Equal((400, "wrong-route"), Refusal(await SendAsync(http, ObliviousProtocol.ObliviousHttp, astray, astray.Message.ToArray())));
        using var other = new ObliviousEndpoint();
        using var call = Call(ObliviousProtocol.Ehbp, other.KeyList);
        var answer = await SendAsync(http, ObliviousProtocol.Ehbp, call, call.Message.ToArray());
        Assert.Equal((422, "application/problem+json"), (answer.Status, answer.Type));
        Assert.Contains("urn:ietf:params:ehbp:error:key-config", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
    }

    private static ObliviousCall Call(ObliviousProtocol protocol, byte[] keys) => ObliviousCall.Seal(protocol, keys, "gateway", "/v2/models/fraud/infer", Body());

    private static byte[] Body() => """{"inputs":[{"name":"features","datatype":"FP32","shape":[1,3],"data":[120,30,1]}]}"""u8.ToArray();

    private static async Task<byte[]> KeysAsync(HttpClient http)
    {
        using var response = await http.GetAsync(new Uri("/.well-known/hpke-keys", UriKind.Relative), GatewayWorld.Cancel);
        Assert.Equal(Keys, response.Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadAsByteArrayAsync(GatewayWorld.Cancel);
    }

    private static async Task<(int Status, string? Type, byte[] Nonce, byte[] Body)> SendAsync(HttpClient http, ObliviousProtocol protocol, ObliviousCall call, byte[] message)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/v2/models/fraud/{(protocol is ObliviousProtocol.Ehbp ? "infer" : "ohttp")}", UriKind.Relative)) { Content = new ByteArrayContent(message) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(protocol switch { ObliviousProtocol.Ehbp => "application/json", ObliviousProtocol.ObliviousHttp => "message/ohttp-req", _ => "message/ohttp-chunked-req" });
        if (protocol is ObliviousProtocol.Ehbp)
            request.Headers.Add("Ehbp-Encapsulated-Key", Convert.ToHexStringLower(call.Encapsulated.Span));
        using var response = await http.SendAsync(request, GatewayWorld.Cancel);
        var nonce = response.Headers.TryGetValues("Ehbp-Response-Nonce", out var values) ? Convert.FromHexString(values.Single()) : [];
        return ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, nonce, await response.Content.ReadAsByteArrayAsync(GatewayWorld.Cancel));
    }

    private static (int Status, string Reason) Refusal((int Status, string? Type, byte[] Nonce, byte[] Body) answer)
    {
        using var document = System.Text.Json.JsonDocument.Parse(answer.Body);
        return (answer.Status, document.RootElement.GetProperty("error").GetString()!.Split(':')[0]);
    }

    private BulwarkClient Client(ObliviousProtocol protocol) => new(new()
    {
        Gateway = _host.BaseAddress,
        Model = "fraud",
        Policy = _world.EvidencePolicy,
        Log = _world.Keys.PublicKey("log"),
        Brokers = [_world.Keys.PublicKey("signing")],
        Authorities = [_world.Identity.LoadAuthority()],
        Certificate = _world.Identity.LoadClient("payments"),
        Token = _world.Identity.LoadToken("payments"),
        Protocol = protocol,
    });
}
