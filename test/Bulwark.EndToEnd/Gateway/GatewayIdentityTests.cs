using System.Buffers.Text;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>Who may connect and whose token counts, over real TLS.</summary>
public sealed class GatewayIdentityTests : IAsyncLifetime
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
    public Task No_certificate_no_connection() => ConnectionRefused(null, "no-certificate");

    [Fact]
    public Task A_certificate_of_another_authority_is_refused()
    {
        var other = DevelopmentIdentity.Create(_world.PathOf("other"));
        return ConnectionRefused(other.LoadClient("payments"), "untrusted-issuer");
    }

    [Fact]
    public Task An_expired_certificate_is_refused() =>
        ConnectionRefused(_world.Certificate(DateTimeOffset.UtcNow.AddMinutes(-4), DateTimeOffset.UtcNow.AddMinutes(-1)), "expired");

    [Fact]
    public Task A_certificate_that_has_not_begun_is_refused() =>
        ConnectionRefused(_world.Certificate(DateTimeOffset.UtcNow.AddMinutes(5), DateTimeOffset.UtcNow.AddMinutes(9)), "not-yet-valid");

    [Fact]
    public Task A_leaf_with_the_authority_bit_is_refused() =>
        ConnectionRefused(_world.Certificate(DateTimeOffset.UtcNow.AddMinutes(-4), DateTimeOffset.UtcNow.AddMinutes(9), isAuthority: true), "leaf-is-authority");

    [Fact]
    public Task A_server_certificate_is_no_client() => ConnectionRefused(_world.Identity.LoadServer(), "wrong-extended-key-usage");

    [Fact]
    public Task No_token_is_refused() => TokenRefused(null, "token-missing");

    [Fact]
    public Task A_token_that_nobody_signed_is_refused()
    {
        var header = Base64Url.EncodeToString("""{"alg":"none","typ":"at+jwt"}"""u8);
        var claims = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(_world.Claims("payments")));
        return TokenRefused($"{header}.{claims}.", "token-algorithm-not-allowed");
    }

    [Fact]
    public Task A_token_of_another_key_is_refused()
    {
        var other = DevelopmentIdentity.Create(_world.PathOf("other"));
        return TokenRefused(other.IssueToken(_world.Claims("payments")), "token-unknown-key");
    }

    [Fact]
    public Task A_token_that_was_changed_is_refused()
    {
        var parts = _world.Identity.LoadToken("payments").Split('.');
        var claims = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(_world.Claims("payments")));
        return TokenRefused($"{parts[0]}.{claims}.{parts[2]}", "token-bad-signature");
    }

    [Fact]
    public Task A_token_for_another_audience_is_refused() => TokenRefused(Bent("aud", "another"), "token-wrong-audience");

    [Fact]
    public Task A_token_of_another_issuer_is_refused() => TokenRefused(Bent("iss", "https://another.invalid"), "token-wrong-issuer");

    [Fact]
    public Task An_expired_token_is_refused() => TokenRefused(Bent("exp", DateTimeOffset.UtcNow.AddMinutes(-2).ToUnixTimeSeconds()), "token-expired");

    [Fact]
    public Task A_token_that_is_bound_to_nothing_is_refused()
    {
        var claims = _world.Claims("payments");
        claims.Remove("cnf");
        return TokenRefused(_world.Identity.IssueToken(claims), "token-not-bound");
    }

    [Fact]
    public Task A_token_of_another_certificate_is_refused() => TokenRefused(_world.Identity.LoadToken("analyst"), "token-bound-to-another-certificate");

    [Fact]
    public async Task A_token_that_was_accepted_once_is_still_refused_to_another_certificate()
    {
        using (var payments = _world.Payments(_host))
        using (var first = await GatewayWorld.InferAsync(payments, GatewayWorld.Body(GatewayWorld.GoodRow)))
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using var thief = _world.Client(_host, _world.Identity.LoadClient("analyst"), _world.Identity.LoadToken("payments"));
        using var response = await GatewayWorld.InferAsync(thief, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.StartsWith("token-bound-to-another-certificate:", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_token_leaves_a_record()
    {
        await TokenRefused(Bent("aud", "another"), "token-wrong-audience");
        Assert.Contains("token-wrong-audience", _world.Entry(_world.LogSize - 1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Below_tls_1_3_there_is_no_connection()
    {
        using var client = _world.Client(_host, _world.Identity.LoadClient("payments"), token: null, SslProtocols.Tls12);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri("v2", UriKind.Relative), GatewayWorld.Cancel));
    }

    private string Bent(string claim, object value)
    {
        var claims = _world.Claims("payments");
        claims[claim] = value;
        return _world.Identity.IssueToken(claims);
    }

    private async Task ConnectionRefused(X509Certificate2? certificate, string reason)
    {
        using var client = _world.Client(_host, certificate, _world.Identity.LoadToken("payments"));
        await Assert.ThrowsAsync<HttpRequestException>(() => GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow)));
        Assert.Contains($"bulwark_connections_refused_total{{reason=\"{reason}\"}}", await GatewayWorld.MetricsAsync(_host), StringComparison.Ordinal);
    }

    private async Task TokenRefused(string? token, string reason)
    {
        using var client = _world.Client(_host, _world.Identity.LoadClient("payments"), token);
        using var response = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.StartsWith(reason + ":", await GatewayWorld.ErrorAsync(response), StringComparison.Ordinal);
    }
}
