using Bulwark.Server;
using Bulwark.Tests.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Identity;

/// <summary>How a gateway's token keys follow their issuer: rotation, keys that are not known, an issuer that is away.</summary>
public sealed class IssuerFollowerTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(TokenForge.Now);
    private readonly TokenForge _first = new("first"), _second = new("second");
    private FakeIssuer _issuer = null!;
    private OidcKeys _client = null!;
    private TokenGate _gate = null!;
    private IssuerFollower _follower = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await FakeIssuer.StartAsync(_first);
        _client = _issuer.Client();
        var options = new AccessTokenOptions { Keys = await _client.FetchAsync(TestContext.Current.CancellationToken), Issuer = _issuer.Name, Audience = "gateway" };
        _gate = new(options, requiresNonce: false, _time, TimeSpan.FromHours(1));
        _follower = new(_client, _gate, _time, NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _follower.DisposeAsync();
        _client.Dispose();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_key_that_is_not_known_is_asked_for_before_the_request_is_judged()
    {
        _issuer.Publish(_first, _second);
        Assert.True(await IsKnownAsync(_second.Make()));
        Assert.Equal(2, _issuer.Asked);
        Assert.True(await IsKnownAsync(_first.Make()));
        Assert.Equal(2, _issuer.Asked);
    }

    [Fact]
    public async Task Keys_that_nobody_has_are_asked_for_once_in_half_a_minute_whoever_names_them()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(n => IsKnownAsync(new TokenForge($"made-up-{n}").Make())));
        Assert.Equal(2, _issuer.Asked);
        Assert.False(await IsKnownAsync(_second.Make()));
        Assert.Equal(2, _issuer.Asked);
        _time.Advance(IssuerFollower.Apart);
        _issuer.Publish(_second);
        Assert.True(await IsKnownAsync(_second.Make()));
        Assert.Equal(3, _issuer.Asked);
    }

    [Theory]
    [InlineData("Basic YTpi")]
    [InlineData("Bearer")]
    [InlineData("Bearer ..")]
    [InlineData("Bearer e30.e30.e30")]
    [InlineData("Bearer !!!.e30.e30")]
    [InlineData("Bearer eyJraWQiOjF9.e30.e30")]
    public async Task What_names_no_key_asks_nobody(string authorization)
    {
        await PassAsync(authorization);
        await PassAsync(null);
        Assert.Equal(1, _issuer.Asked);
    }

    [Fact]
    public async Task A_key_that_the_issuer_removes_counts_no_more_after_the_next_asking()
    {
        Assert.True(await IsKnownAsync(_first.Make()));
        _follower.Start();
        _issuer.Publish(_second);
        await UntilAsync(() => _gate.NamesUnknownKey(Headers(_first.Make())));
        Assert.False(_gate.NamesUnknownKey(Headers(_second.Make())));
    }

    [Fact]
    public async Task An_issuer_that_is_away_leaves_the_keys_for_their_time_and_then_none_counts()
    {
        _follower.Start();
        _issuer.IsAway = true;
        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.True(_gate.IsCurrent);
        Assert.True(await IsKnownAsync(_first.Make()));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.False(_gate.IsCurrent);
        _issuer.IsAway = false;
        await UntilAsync(() => _gate.IsCurrent);
    }

    [Fact]
    public async Task An_unsound_set_changes_nothing()
    {
        _issuer.Keys = """{"keys":[{"kty":"oct","alg":"HS256","kid":"first","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]}""";
        Assert.False(await IsKnownAsync(_second.Make()));
        Assert.Equal(2, _issuer.Asked);
        Assert.True(await IsKnownAsync(_first.Make()));
    }

    [Fact]
    public async Task The_same_keys_again_are_no_exchange()
    {
        var answer = await _client.FetchAsync(TestContext.Current.CancellationToken);
        Assert.False(_gate.Renew(answer));
        _issuer.Publish(_second, _first);
        var more = await _client.FetchAsync(TestContext.Current.CancellationToken);
        Assert.True(_gate.Renew(more));
        _issuer.Publish(_first, _second);
        Assert.False(_gate.Renew(await _client.FetchAsync(TestContext.Current.CancellationToken)));
    }

    /// <summary>Lets the follower's timers run until the condition holds.</summary>
    private async Task UntilAsync(Func<bool> holds)
    {
        for (var attempt = 0; !holds(); attempt++)
        {
            Assert.True(attempt < 3600, "It did not come about within three minutes.");
            _time.Advance(TimeSpan.FromSeconds(30));
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private async Task<bool> IsKnownAsync(string token)
    {
        await PassAsync("Bearer " + token);
        return !_gate.NamesUnknownKey(Headers(token));
    }

    private async Task PassAsync(string? authorization)
    {
        var (http, passed) = (new DefaultHttpContext(), false);
        if (authorization is not null)
            http.Request.Headers.Authorization = authorization;
        await _follower.BeforeAsync(http, _ =>
        {
            passed = true;
            return Task.CompletedTask;
        });
        Assert.True(passed);
    }

    private static HeaderDictionary Headers(string token) => new() { ["Authorization"] = "Bearer " + token };
}
