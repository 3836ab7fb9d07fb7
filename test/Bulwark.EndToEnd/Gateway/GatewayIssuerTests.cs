using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bulwark.Server;
using Bulwark.Tests.Identity;
using Bulwark.Tests.Servers;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A gateway whose token keys are an issuer's, over real TLS to both sides.</summary>
public sealed class GatewayIssuerTests : GatewayTest
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly TokenForge _first = new("first"), _second = new("second");
    private FakeIssuer _issuer = null!;
    private OidcKeys _client = null!;

    private protected override async ValueTask BeginAsync()
    {
        _issuer = await FakeIssuer.StartAsync(_first);
        _client = _issuer.Client();
    }

    private protected override ValueTask EndAsync()
    {
        _client?.Dispose();
        return _issuer?.DisposeAsync() ?? default;
    }

    [Fact]
    public async Task Tokens_of_a_new_key_are_taken_at_once_and_those_of_a_removed_key_no_more()
    {
        await using var host = await StartAsync();
        Assert.Equal("200", await AskAsync(host, _first));
        _issuer.Publish(_second);
        Assert.Equal("200", await AskAsync(host, _second));
        Assert.Equal("401 token-unknown-key", await AskAsync(host, _first));
        Assert.Equal("401 token-bad-signature", await AskAsync(host, new TokenForge("second")));
        Assert.Equal(2, _issuer.Asked);
    }

    [Fact]
    public async Task An_issuer_that_is_away_too_long_is_an_honest_503_until_it_answers()
    {
        await using var host = await StartAsync();
        _issuer.IsAway = true;
        _time.Advance(TimeSpan.FromMinutes(55));
        Assert.Equal("200", await AskAsync(host, _first));
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("503 token-keys-too-old", await AskAsync(host, _first));
        Assert.Contains("bulwark_token_keys_age_seconds 3660", await GatewayWorld.MetricsAsync(host), StringComparison.Ordinal);
        _issuer.IsAway = false;
        await Eventually.IsSoAsync(async () =>
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            return await AskAsync(host, _first) == "200";
        });
    }

    [Fact]
    public async Task Keys_of_another_issuer_than_tokens_must_name_keep_the_gateway_from_starting()
    {
        var fault = await Assert.ThrowsAsync<ArgumentException>(() => World.StartAsync(World.Options with { TokenIssuer = _client, TokenKeysMaximumAge = TimeSpan.Zero }));
        Assert.Contains("TokenIssuer", fault.Message, StringComparison.Ordinal);
        Assert.Contains("TokenKeysMaximumAge", fault.Message, StringComparison.Ordinal);
    }

    private async Task<GatewayHost> StartAsync() => await World.StartAsync(World.Options with
    {
        Time = _time,
        TokenIssuer = _client,
        AccessTokens = new() { Keys = await _client.FetchAsync(GatewayWorld.Cancel), Issuer = _issuer.Name, Audience = "gateway" },
    });

    /// <summary>Asks for the model's description with a new token of a key; the status, and the reason of a refusal.</summary>
    private async Task<string> AskAsync(GatewayHost host, TokenForge key)
    {
        using var certificate = World.Identity.LoadClient("payments");
        var now = _time.GetUtcNow();
        (key.Claims["iss"], key.Claims["jti"], key.Claims["iat"], key.Claims["exp"]) = (_issuer.Name, Guid.NewGuid().ToString(), now.ToUnixTimeSeconds(), now.AddMinutes(5).ToUnixTimeSeconds());
        key.Claims["cnf"] = new JsonObject { ["x5t#S256"] = Base64Url.EncodeToString(SHA256.HashData(certificate.RawData)) };
        using var client = World.Client(host, certificate, key.Make());
        using var answer = await client.GetAsync(new Uri("v2/models/fraud", UriKind.Relative), GatewayWorld.Cancel);
        return answer.IsSuccessStatusCode ? "200" : $"{(int)answer.StatusCode} {(await GatewayWorld.ErrorAsync(answer)).Split(':')[0]}";
    }
}
