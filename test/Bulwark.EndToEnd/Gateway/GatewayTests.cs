using System.Net;
using System.Text;
using System.Text.Json;
using Bulwark.Lineage;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Gateway;

public sealed class GatewayTests : IAsyncLifetime
{
    private GatewayWorld _world = null!;
    private GatewayHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await GatewayWorld.CreateAsync();
        _host = await _world.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        _world?.Dispose();
    }

    [Fact]
    public async Task A_scored_request_comes_with_a_receipt_that_is_verified_offline()
    {
        using var client = _world.Payments(_host);
        var body = GatewayWorld.Body(GatewayWorld.GoodRow, [700, 90, 0]);
        using var response = await GatewayWorld.InferAsync(client, body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var bytes = await response.Content.ReadAsByteArrayAsync(GatewayWorld.Cancel);
        var answer = JsonDocument.Parse(bytes).RootElement;
        Assert.Equal("4f1c", answer.GetProperty("id").GetString());
        Assert.Equal([2, 1], answer.GetProperty("outputs")[0].GetProperty("shape").EnumerateArray().Select(n => n.GetInt32()));
        Assert.All(answer.GetProperty("outputs")[0].GetProperty("data").EnumerateArray(), score => Assert.InRange(score.GetSingle(), 0, 1));
        Assert.True(answer.GetProperty("parameters").GetProperty("insecure").GetBoolean());

        var receipt = PredictionReceipt.Parse(Convert.FromBase64String(response.Headers.GetValues(GatewayHost.ReceiptHeader).Single()));
        var report = receipt.Verify(_world.Keys.PublicKey("log"), [_host.Worker.ReceiptKey], Encoding.UTF8.GetBytes(body), bytes, _world.Package);
        Assert.True(report.Trusted, string.Join("; ", report.Links));
        Assert.True(receipt.Facts!.Insecure);
        Assert.Equal(_host.Worker.Evidence.Digest(), receipt.Facts.AttestationDigest);

        bytes[^3] ^= 1;
        Assert.False(receipt.Verify(_world.Keys.PublicKey("log"), [_host.Worker.ReceiptKey], Encoding.UTF8.GetBytes(body), bytes, _world.Package).Trusted);
    }

    [Fact]
    public async Task The_log_holds_the_key_release_and_both_halves_of_the_decision_and_no_feature()
    {
        using var client = _world.Payments(_host);
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body([123.456f, 30, 1]));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(5, _world.LogSize);
        Assert.Contains(PredicateTypes.PolicyChange, _world.Entry(0), StringComparison.Ordinal);
        Assert.Contains(PredicateTypes.PolicyChange, _world.Entry(1), StringComparison.Ordinal);
        string[] entries = [_world.Entry(2), _world.Entry(3, _host.Worker.ReceiptKey), _world.Entry(4)];
        Assert.Contains(PredicateTypes.KeyRelease, entries[0], StringComparison.Ordinal);
        Assert.Contains("\"verdict\":\"released\"", entries[0], StringComparison.Ordinal);
        Assert.Contains("hmac-sha256:", entries[2], StringComparison.Ordinal);
        Assert.DoesNotContain(entries, entry => entry.Contains("123.456", StringComparison.Ordinal) || entry.Contains("payments", StringComparison.Ordinal));
        Assert.Equal(LogVerdict.Verified, _world.Log.Fsck());
    }

    [Theory]
    [InlineData("v2", "bulwark")]
    [InlineData("v2/health/live", "true")]
    [InlineData("v2/health/ready", "true")]
    [InlineData("v2/models/fraud", "features")]
    [InlineData("v2/models/fraud/versions/1", "features")]
    [InlineData("v2/models/fraud/ready", "true")]
    public async Task The_protocols_metadata_is_there(string path, string expected)
    {
        using var client = _world.Payments(_host);
        Assert.Contains(expected, await client.GetStringAsync(new Uri(path, UriKind.Relative), GatewayWorld.Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_count_outcomes_without_naming_a_client()
    {
        using var client = _world.Payments(_host);
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        var metrics = await GatewayWorld.MetricsAsync(_host);
        Assert.Contains("bulwark_inference_total{model=\"fraud\",outcome=\"scored\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("bulwark_key_releases_total{verdict=\"released\",insecure=\"true\"} 1", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("payments", metrics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[[1, 2]]", HttpStatusCode.BadRequest, "wrong-shape")]
    [InlineData("[1, 2]", HttpStatusCode.BadRequest, "wrong-shape")]
    [InlineData("[[1, 2, 3, 4]]", HttpStatusCode.BadRequest, "wrong-shape")]
    [InlineData("[[120, 30, 1], [120, 30, 1]]", HttpStatusCode.BadRequest, "wrong-shape")]
    [InlineData("[[NaN, 30, 1]]", HttpStatusCode.BadRequest, "not-finite")]
    [InlineData("[[120, -Infinity, 1]]", HttpStatusCode.BadRequest, "not-finite")]
    [InlineData("[[null, 30, 1]]", HttpStatusCode.UnprocessableEntity, "not-finite")]
    [InlineData("[[1e999, 30, 1]]", HttpStatusCode.UnprocessableEntity, "not-finite")]
    [InlineData("[[\"120\", 30, 1]]", HttpStatusCode.BadRequest, "wrong-type")]
    [InlineData("[[true, 30, 1]]", HttpStatusCode.BadRequest, "wrong-type")]
    [InlineData("[[120, 30, 1]", HttpStatusCode.BadRequest, "malformed")]
    [InlineData("[[1001, 30, 1]]", HttpStatusCode.UnprocessableEntity, "out-of-bounds")]
    [InlineData("[[120, 30.5, 1]]", HttpStatusCode.UnprocessableEntity, "not-integer")]
    [InlineData("[[120, 30, 2]]", HttpStatusCode.UnprocessableEntity, "not-integer")]
    [InlineData("[[990, 19, 1]]", HttpStatusCode.UnprocessableEntity, "outlier")]
    public async Task A_row_that_the_model_was_not_made_for_is_refused_by_its_own_name(string data, HttpStatusCode status, string reason)
    {
        using var client = _world.Payments(_host);
        using var response = await GatewayWorld.InferAsync(client, $$"""{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":{{data}}}]}""");
        var error = await GatewayWorld.ErrorAsync(response);
        Assert.StartsWith(reason + ":", error, StringComparison.Ordinal);
        Assert.Equal(status, response.StatusCode);
        Assert.Contains($"outcome=\"{reason}\"}} 1", await GatewayWorld.MetricsAsync(_host), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_screened_refusal_is_signed_and_names_row_and_feature_but_not_the_value()
    {
        using var client = _world.Payments(_host);
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow, [5555, 30, 1]));
        var error = await GatewayWorld.ErrorAsync(response);
        Assert.Equal("out-of-bounds: row 1, feature amount", error);
        var receipt = PredictionReceipt.Parse(Convert.FromBase64String(response.Headers.GetValues(GatewayHost.ReceiptHeader).Single()));
        Assert.True(receipt.Verify(_world.Keys.PublicKey("log"), [_host.Worker.ReceiptKey]).Trusted);
        Assert.Equal(("refused", "out-of-bounds"), (receipt.Facts!.Outcome, receipt.Facts.ScreenVerdict));
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused()
    {
        using var client = _world.Payments(_host);
        var body = GatewayWorld.Body(GatewayWorld.GoodRow) + new string(' ', 16 * 1024);
        using var response = await GatewayWorld.InferAsync(client, body);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.StartsWith("body-too-large:", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_hides_its_length_is_cut_off_at_the_limit()
    {
        using var client = _world.Payments(_host);
        using var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/fraud/infer") { Content = new StringContent(new string(' ', 64 * 1024), Encoding.UTF8, "application/json") };
        request.Headers.TransferEncodingChunked = true;
        using var response = await client.SendAsync(request, GatewayWorld.Cancel);
        Assert.StartsWith("body-too-large:", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_rows_than_allowed_are_refused()
    {
        using var client = _world.Payments(_host);
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body([.. Enumerable.Repeat(GatewayWorld.GoodRow, 65)]));
        Assert.StartsWith("too-many-rows:", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X-Client-Cert")]
    [InlineData("x-forwarded-for")]
    [InlineData("X-Forwarded-Client-Cert")]
    [InlineData("Forwarded")]
    [InlineData("Client-Cert")]
    [InlineData("X-ARR-ClientCert")]
    public async Task A_certificate_in_a_header_is_never_believed(string header)
    {
        using var client = _world.Client(_host, _world.Identity.LoadClient("analyst"), _world.Identity.LoadToken("payments"));
        client.DefaultRequestHeaders.Add(header, Convert.ToBase64String(_world.Identity.LoadClient("payments").RawData));
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.StartsWith("forwarded-identity:", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prohibition_that_cannot_be_evaluated_lets_nobody_in()
    {
        var policy = GatewayWorld.Policy + """forbid (principal, action, resource) when { resource.tier == "restricted" };""";
        await using var host = await GatewayHost.StartAsync(_world.Options with { Policy = policy, Port = 0, MetricsPort = null }, TestContext.Current.CancellationToken);
        using var client = _world.Client(host, _world.Identity.LoadClient("payments"), _world.Identity.LoadToken("payments"));
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.StartsWith("policy-error:", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_no_policy_permits_is_denied_and_recorded()
    {
        using var client = _world.Client(_host, _world.Identity.LoadClient("analyst"), _world.Identity.LoadToken("analyst"));
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.StartsWith("policy-denied:", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"policy-denied\"", _world.Entry(_world.LogSize - 1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_is_not_served_is_unknown_or_denied_and_never_scored()
    {
        using var client = _world.Payments(_host);
        using var other = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow), "other");
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        using var version = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow), "fraud/versions/2");
        Assert.StartsWith("unknown-model:", await GatewayWorld.ErrorAsync(version), StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_log_cannot_be_written_there_is_no_prediction()
    {
        using var client = _world.Payments(_host);
        Directory.Move(_world.LogDirectory, _world.LogDirectory + ".away");
        await File.WriteAllTextAsync(_world.LogDirectory, "", GatewayWorld.Cancel);
        using var scored = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, scored.StatusCode);
        Assert.StartsWith("log-unavailable:", await GatewayWorld.ErrorAsync(scored), StringComparison.Ordinal);
        Assert.False(scored.Headers.Contains(GatewayHost.ReceiptHeader));
        Assert.Contains("bulwark_log_failures_total 1", await GatewayWorld.MetricsAsync(_host), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Concurrent_requests_each_get_a_receipt_of_their_own()
    {
        using var client = _world.Payments(_host);
        var responses = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow))));
        var receipts = responses.Select(r => PredictionReceipt.Parse(Convert.FromBase64String(r.Headers.GetValues(GatewayHost.ReceiptHeader).Single()))).ToList();
        Assert.Equal(32, receipts.Select(r => r.Proof!.Index).Distinct().Count());
        Assert.All(receipts, r => Assert.True(r.Verify(_world.Keys.PublicKey("log"), [_host.Worker.ReceiptKey]).Trusted));
    }

    [Fact]
    public async Task One_connection_serves_many_requests_also_after_refusals()
    {
        using var client = _world.Payments(_host);
        for (var round = 0; round < 20; round++)
        {
            using var large = await GatewayWorld.InferAsync(client, new string(' ', round % 2 == 0 ? 17 * 1024 : 2));
            Assert.False(large.IsSuccessStatusCode);
            using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }
}
