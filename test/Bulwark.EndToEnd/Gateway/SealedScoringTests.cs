using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Client;
using Bulwark.Cryptography;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>The client library against a real gateway over real TLS, and against one that does what it should not.</summary>
public sealed class SealedScoringTests : IAsyncLifetime
{
    private GatewayWorld _world = null!;
    private GatewayHost _host = null!;
    private CarryingGateway _way = null!;
    private BulwarkClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await GatewayWorld.CreateAsync();
        _host = await _world.StartAsync();
        _client = Client(Options);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _way.Dispose();
        await _host.DisposeAsync();
        _world.Dispose();
    }

    private BulwarkClientOptions Options => new()
    {
        Gateway = _host.BaseAddress,
        Model = "fraud",
        Policy = _world.EvidencePolicy,
        Log = _world.Keys.PublicKey("log"),
        Brokers = [_world.Keys.PublicKey("signing")],
        Authorities = [_world.Identity.LoadAuthority()],
        Certificate = _world.Identity.LoadClient("payments"),
        Token = _world.Identity.LoadToken("payments"),
    };

    [Fact]
    public async Task A_sealed_score_is_verified_and_costs_no_round_trip_more_after_the_first()
    {
        var first = await _client.PredictAsync(GatewayWorld.GoodRow, 1, GatewayWorld.Cancel);
        Assert.Equal(2, _way.Count);
        Assert.True(first.Insecure);
        Assert.True(first.Receipt.Verify(_world.Keys.PublicKey("log"), [_host.Worker.ReceiptKey], first.Request, first.Response).Trusted);
        for (var i = 0; i < 5; i++)
            Assert.Equal(first.Scores, await _client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel));
        Assert.Equal(7, _way.Count);
        using var plain = _world.Payments(_host);
        var response = await GatewayWorld.InferAsync(plain, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(first.Scores[0], JsonNode.Parse(await response.Content.ReadAsStringAsync(GatewayWorld.Cancel))!["outputs"]![0]!["data"]![0]!.GetValue<float>());
    }

    [Fact]
    public async Task The_gateway_sees_no_feature_and_no_score()
    {
        var prediction = await _client.PredictAsync(GatewayWorld.GoodRow, 1, GatewayWorld.Cancel);
        foreach (var (plain, carried) in new[] { (prediction.Request, _way.LastRequest), (prediction.Response, _way.Answers[^1]) })
            Assert.DoesNotContain(Encoding.UTF8.GetString(plain.Span)[..24], Encoding.UTF8.GetString(carried), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_gateway_does_to_requests_is_refused_by_name()
    {
        await _client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel);
        var before = _way.LastRequest;
        await RefusedAsync("sealed-replayed", _ => before);
        await RefusedAsync("sealed-tampered", request => [.. request[..^1], (byte)(request[^1] ^ 1)]);
        await RefusedAsync("sealed-truncated", request => request[..93]);
        await RefusedAsync("sealed-tampered", request => [.. request[..28], .. before[28..]]);
        await RefusedAsync("sealed-malformed", _ => "{}"u8.ToArray());
        _way.OnRequest = null;
        await _client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel);
    }

    [Fact]
    public async Task What_a_gateway_does_to_answers_is_refused_by_name()
    {
        await _client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel);
        var before = _way.Answers[^1];
        foreach (var change in (Func<byte[], byte[]>[])[_ => before, answer => [.. answer[..^1], (byte)(answer[^1] ^ 1)], answer => answer[..36], answer => [.. answer, 0]])
        {
            _way.OnAnswer = change;
            var failure = await Assert.ThrowsAsync<BulwarkClientException>(() => _client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel));
            Assert.Equal(ClientFailure.AnswerRefused, failure.Failure);
        }

        _way.OnAnswer = null;
        await _client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel);
    }

    [Fact]
    public async Task Evidence_that_fails_a_leg_or_the_log_is_refused_before_anything_is_sent()
    {
        _way.OnEvidence = json => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json).Replace("\"nonce\":\"", "\"nonce\":\"AAAA", StringComparison.Ordinal));
        var failure = await Assert.ThrowsAsync<BulwarkClientException>(() => _client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel));
        Assert.Equal(ClientFailure.EvidenceRefused, failure.Failure);
        Assert.Equal(1, _way.Count);

        using var otherLog = Client(Options with { Log = _world.Keys.PublicKey("signing") });
        Assert.Equal(ClientFailure.ReleaseNotProved, (await Assert.ThrowsAsync<BulwarkClientException>(() => otherLog.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel))).Failure);
        using var otherMeasurement = Client(Options with { Policy = _world.EvidencePolicy with { Measurements = [Digest.Of("other"u8)] } });
        failure = await Assert.ThrowsAsync<BulwarkClientException>(() => otherMeasurement.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel));
        Assert.Contains("measurement", failure.Message, StringComparison.Ordinal);
        Assert.NotNull(failure.Appraisal);
    }

    [Fact]
    public async Task A_worker_with_a_new_key_is_attested_again_once()
    {
        await _client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel);
        var port = _host.BaseAddress.Port;
        await _host.DisposeAsync();
        _host = await _world.StartAsync(_world.Options with { Port = port });
        await _client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel);
        Assert.Equal(5, _way.Count);   // evidence, score; refused, evidence, score
    }

    [Fact]
    public async Task Rows_that_the_screen_refuses_and_clients_that_may_not_are_told_so()
    {
        var failure = await Assert.ThrowsAsync<BulwarkClientException>(() => _client.ScoreAsync(new[] { float.MaxValue, 30, 1 }, GatewayWorld.Cancel));
        Assert.Equal(ClientFailure.InputRejected, failure.Failure);
        Assert.Contains("out-of-bounds", failure.Message, StringComparison.Ordinal);
        failure = await Assert.ThrowsAsync<BulwarkClientException>(() => _client.ScoreAsync(new float[] { 1, 2 }, GatewayWorld.Cancel));
        Assert.Equal(ClientFailure.InputRejected, failure.Failure);
        using var analyst = Client(Options with { Certificate = _world.Identity.LoadClient("analyst"), Token = _world.Identity.LoadToken("analyst") });
        failure = await Assert.ThrowsAsync<BulwarkClientException>(() => analyst.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel));
        Assert.Equal(ClientFailure.Refused, failure.Failure);
        Assert.Contains("policy-denied", failure.Message, StringComparison.Ordinal);
    }

    private async Task RefusedAsync(string name, Func<byte[], byte[]> change)
    {
        _way.OnRequest = change;
        var failure = await Assert.ThrowsAsync<BulwarkClientException>(() => _client.ScoreAsync(GatewayWorld.GoodRow, GatewayWorld.Cancel));
        Assert.Equal(ClientFailure.Refused, failure.Failure);
        Assert.Contains(name, failure.Message, StringComparison.Ordinal);
    }

    private BulwarkClient Client(BulwarkClientOptions options)
    {
        _way = new(new SocketsHttpHandler { SslOptions = TlsPolicy.Client([.. options.Authorities], options.Certificate) });
        return new(options, _way);
    }
}
