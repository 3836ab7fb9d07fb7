using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Server;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Identity;

public class AccessTokenReaderTests
{
    private readonly TokenForge _forge = new();
    private readonly TokenForge _second = new("second");

    private TokenVerdict Read(string? token, byte[]? certificate = null) => Read(token, certificate, out _);

    private TokenVerdict Read(string? token, byte[]? certificate, out AccessToken? read)
    {
        var options = new AccessTokenOptions { Keys = new(_forge.Key, _second.Key), Issuer = "https://issuer.example", Audience = "gateway" };
        return new AccessTokenReader(options, new FakeTimeProvider(TokenForge.Now)).Read(token, certificate ?? TokenForge.Certificate, out read);
    }

    private TokenVerdict ReadWith(string claim, JsonNode? value)
    {
        _forge.Claims[claim] = value;
        return Read(_forge.Make());
    }

    [Fact]
    public void A_good_token_is_accepted_and_says_who_it_is()
    {
        _forge.Claims["scope"] = "predict explain";
        Assert.Equal(TokenVerdict.Accepted, Read(_forge.Make(), null, out var token));
        Assert.Equal("payments", token!.Subject);
        Assert.Equal(["predict", "explain"], token.Scopes);
    }

    [Fact]
    public void An_audience_may_be_one_of_several() => Assert.Equal(TokenVerdict.Accepted, ReadWith("aud", new JsonArray("other", "gateway")));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void No_token_is_refused(string? token) => Assert.Equal(TokenVerdict.Missing, Read(token));

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("HS256")]
    [InlineData("RS256")]
    [InlineData("ES257")]
    public void An_algorithm_off_the_list_is_refused(string algorithm)
    {
        _forge.Header["alg"] = algorithm;
        Assert.Equal(TokenVerdict.AlgorithmNotAllowed, Read(_forge.Make()));
    }

    [Fact]
    public void An_unsigned_token_is_refused()
    {
        var header = Base64Url.EncodeToString("""{"alg":"none","typ":"at+jwt","kid":"first"}"""u8);
        Assert.Equal(TokenVerdict.AlgorithmNotAllowed, Read($"{header}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(_forge.Claims.ToJsonString()))}."));
    }

    [Fact]
    public void A_token_signed_with_the_public_key_as_a_secret_is_refused()
    {
        var signed = Base64Url.EncodeToString("""{"alg":"HS256","typ":"at+jwt","kid":"first"}"""u8) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(_forge.Claims.ToJsonString()));
        var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(_forge.PublicKey), Encoding.ASCII.GetBytes(signed));
        Assert.Equal(TokenVerdict.AlgorithmNotAllowed, Read($"{signed}.{Base64Url.EncodeToString(mac)}"));
    }

    [Fact]
    public void A_key_is_used_with_its_own_algorithm_only()
    {
        _forge.Header["alg"] = "ES384";
        Assert.Equal(TokenVerdict.AlgorithmOfAnotherKey, Read(_forge.Make()));
    }

    [Fact]
    public void A_token_signed_by_someone_else_is_refused() => Assert.Equal(TokenVerdict.BadSignature, Read(new TokenForge().Make()));

    [Fact]
    public void A_token_that_names_another_key_of_the_issuer_is_refused()
    {
        _forge.Header["kid"] = "second";
        Assert.Equal(TokenVerdict.BadSignature, Read(_forge.Make()));
    }

    [Theory]
    [InlineData("third")]
    [InlineData("../../keys/first")]
    [InlineData(null)]
    public void A_token_that_names_no_known_key_is_refused(string? kid)
    {
        if (kid is null)
            Assert.Equal(TokenVerdict.UnknownKey, Read(_forge.Sign("""{"alg":"ES256","typ":"at+jwt"}""", _forge.Claims.ToJsonString())));
        _forge.Header["kid"] = kid ?? "";
        Assert.Equal(TokenVerdict.UnknownKey, Read(_forge.Make()));
    }

    [Theory]
    [InlineData("crit", """["exp"]""")]
    [InlineData("crit", """["b64"]""")]
    [InlineData("b64", "false")]
    [InlineData("b64", "true")]
    [InlineData("enc", "\"A256GCM\"")]
    public void A_header_that_asks_for_more_is_refused(string name, string value)
    {
        _forge.Header[name] = JsonNode.Parse(value);
        Assert.Equal(TokenVerdict.UnsupportedHeader, Read(_forge.Make()));
    }

    [Theory]
    [InlineData("jwk", "{}")]
    [InlineData("jku", "\"https://evil.example/keys\"")]
    [InlineData("x5u", "\"https://evil.example/cert\"")]
    [InlineData("x5c", "[]")]
    public void A_header_that_brings_its_own_key_is_refused(string name, string value)
    {
        _forge.Header[name] = JsonNode.Parse(value);
        Assert.Equal(TokenVerdict.EmbeddedKey, Read(_forge.Make()));
    }

    [Theory]
    [InlineData("JWT")]
    [InlineData("dpop+jwt")]
    public void A_token_of_another_type_is_refused(string type)
    {
        _forge.Header["typ"] = type;
        Assert.Equal(TokenVerdict.WrongType, Read(_forge.Make()));
    }

    [Fact]
    public void A_claim_or_header_member_that_stands_twice_is_refused()
    {
        var claims = _forge.Claims.ToJsonString();
        const string Header = """{"alg":"ES256","typ":"at+jwt","kid":"first"}""";
        Assert.Equal(TokenVerdict.DuplicateMember, Read(_forge.Sign(Header, claims[..^1] + ",\"sub\":\"admin\"}")));
        Assert.Equal(TokenVerdict.DuplicateMember, Read(_forge.Sign(Header, claims[..^1] + ",\"s\\u0075b\":\"admin\"}")));
        Assert.Equal(TokenVerdict.DuplicateMember, Read(_forge.Sign(Header, claims[..^1] + ",\"x\":{\"a\":1,\"a\":2}}")));
        Assert.Equal(TokenVerdict.DuplicateMember, Read(_forge.Sign(Header[..^1] + ",\"alg\":\"none\"}", claims)));
    }

    [Fact]
    public void A_token_of_another_issuer_is_refused() => Assert.Equal(TokenVerdict.WrongIssuer, ReadWith("iss", "https://issuer.example/"));

    [Fact]
    public void A_token_for_another_audience_is_refused()
    {
        Assert.Equal(TokenVerdict.WrongAudience, ReadWith("aud", "gateway2"));
        Assert.Equal(TokenVerdict.WrongAudience, ReadWith("aud", new JsonArray()));
    }

    [Fact]
    public void An_expired_token_is_refused()
    {
        Assert.Equal(TokenVerdict.Accepted, ReadWith("exp", TokenForge.Now.AddSeconds(-29).ToUnixTimeSeconds()));
        Assert.Equal(TokenVerdict.Expired, ReadWith("exp", TokenForge.Now.AddSeconds(-30).ToUnixTimeSeconds()));
    }

    [Fact]
    public void A_token_from_the_future_is_refused()
    {
        Assert.Equal(TokenVerdict.IssuedInFuture, ReadWith("iat", TokenForge.Now.AddSeconds(31).ToUnixTimeSeconds()));
        _forge.Claims["iat"] = TokenForge.Now.ToUnixTimeSeconds();
        Assert.Equal(TokenVerdict.NotYetValid, ReadWith("nbf", TokenForge.Now.AddSeconds(31).ToUnixTimeSeconds()));
    }

    [Fact]
    public void A_token_that_lives_too_long_is_refused() =>
        Assert.Equal(TokenVerdict.LifetimeTooLong, ReadWith("exp", TokenForge.Now.AddHours(25).ToUnixTimeSeconds()));

    [Theory]
    [InlineData("exp", "\"1780000000\"")]
    [InlineData("exp", "-1")]
    [InlineData("exp", "1e30")]
    [InlineData("exp", "9223372036854775807")]
    [InlineData("nbf", "\"now\"")]
    [InlineData("aud", "1")]
    [InlineData("aud", """[1,"gateway"]""")]
    [InlineData("sub", "[]")]
    [InlineData("sub", "\"\"")]
    [InlineData("scope", "{}")]
    [InlineData("cnf", "\"x\"")]
    public void A_claim_of_the_wrong_type_is_refused(string claim, string value) =>
        Assert.Equal(TokenVerdict.Malformed, ReadWith(claim, JsonNode.Parse(value)));

    [Theory]
    [InlineData("iss")]
    [InlineData("sub")]
    [InlineData("aud")]
    [InlineData("exp")]
    [InlineData("iat")]
    [InlineData("jti")]
    public void A_token_without_a_needed_claim_is_refused(string claim)
    {
        _forge.Claims.Remove(claim);
        Assert.Equal(TokenVerdict.MissingClaim, Read(_forge.Make()));
    }

    [Fact]
    public void A_token_that_is_bound_to_nothing_is_refused()
    {
        _forge.Claims.Remove("cnf");
        Assert.Equal(TokenVerdict.NotBound, Read(_forge.Make()));
        Assert.Equal(TokenVerdict.NotBound, ReadWith("cnf", new JsonObject()));
    }

    [Fact]
    public void A_token_that_is_bound_otherwise_is_refused() =>
        Assert.Equal(TokenVerdict.UnsupportedBinding, ReadWith("cnf", new JsonObject { ["kid"] = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }));

    [Fact]
    public void A_token_of_another_certificate_is_refused()
    {
        Assert.Equal(TokenVerdict.BoundToAnotherCertificate, Read(_forge.Make(), [1, 2, 4]));
        Assert.Equal(TokenVerdict.BoundToAnotherCertificate, Read(_forge.Make(), []));
    }

    [Fact]
    public void A_changed_character_anywhere_is_refused()
    {
        var token = _forge.Make();
        for (var i = 0; i < token.Length; i++)
            Assert.NotEqual(TokenVerdict.Accepted, Read(token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..]));
        foreach (var other in (string[])[token + ".", token + "=", " " + token, token.Replace('.', ','), token[..^1], "a.b.c", new string('a', 20_000)])
            Assert.Equal(TokenVerdict.Malformed, Read(other));
    }

    [Fact]
    public void Unused_bits_of_the_last_character_are_not_free()
    {
        var token = _forge.Make();
        var accepted = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".Count(last => Read(token[..^1] + last) == TokenVerdict.Accepted);
        Assert.Equal(1, accepted);
    }

    [Fact]
    public void Options_that_invite_confusion_are_refused_all_at_once()
    {
        var secret = JsonWebKey.Parse("""{"kty":"oct","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}""");
        var options = new AccessTokenOptions { Keys = new(secret), Issuer = "", Audience = "", Algorithms = new HashSet<string> { "HS256", "none" }, ClockSkew = TimeSpan.FromHours(1) };
        Assert.Equal(7, options.Faults().Count());
        Assert.Throws<ArgumentException>(() => new AccessTokenReader(options));
    }
}
