using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Server;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Identity;

/// <summary>RFC 9449, section 4.3: each check has a proof that fails it alone.</summary>
public class DpopReaderTests
{
    private const string Uri = "https://gateway.example/v2/models/fraud/infer";
    private const string Token = "header.payload.signature";
    private readonly FakeTimeProvider _time = new(TokenForge.Now);
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly JsonObject _header;
    private readonly JsonObject _claims;

    public DpopReaderTests()
    {
        _header = new JsonObject { ["alg"] = "ES256", ["typ"] = "dpop+jwt", ["jwk"] = PublicKey(_key) };
        _claims = new JsonObject
        {
            ["jti"] = "one",
            ["htm"] = "POST",
            ["htu"] = Uri,
            ["iat"] = TokenForge.Now.ToUnixTimeSeconds(),
            ["ath"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Token))),
        };
    }

    [Fact]
    public void A_good_proof_names_its_key()
    {
        Assert.Equal(TokenVerdict.Accepted, Read(new(_time, requiresNonce: false), out var thumbprint));
        var expected = $$"""{"crv":"P-256","kty":"EC","x":"{{_header["jwk"]!["x"]}}","y":"{{_header["jwk"]!["y"]}}"}""";
        Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(expected))), thumbprint);
    }

    [Theory]
    [InlineData("https://GATEWAY.example/v2/models/fraud/infer")]
    [InlineData("HTTPS://gateway.example:443/v2/models/fraud/infer")]
    public void Another_spelling_of_the_same_uri_is_the_same(string uri)
    {
        _claims["htu"] = uri;
        Assert.Equal(TokenVerdict.Accepted, Read(new(_time, requiresNonce: false), out _));
    }

    [Theory]
    [InlineData("htm", "\"GET\"")]
    [InlineData("htm", "\"post\"")]
    [InlineData("htm", null)]
    [InlineData("htu", "\"https://other.example/v2/models/fraud/infer\"")]
    [InlineData("htu", "\"https://gateway.example/v2/models/other/infer\"")]
    [InlineData("htu", "\"http://gateway.example/v2/models/fraud/infer\"")]
    [InlineData("htu", "\"https://gateway.example:8443/v2/models/fraud/infer\"")]
    [InlineData("htu", "\"https://user@gateway.example/v2/models/fraud/infer\"")]
    [InlineData("htu", "\"https://gateway.example/v2/models/fraud/infer?x=1\"")]
    [InlineData("htu", null)]
    [InlineData("ath", "\"AAAA\"")]
    [InlineData("ath", null)]
    [InlineData("jti", "\"\"")]
    [InlineData("jti", "7")]
    [InlineData("jti", null)]
    [InlineData("iat", "\"1780315200\"")]
    [InlineData("iat", "1")]
    [InlineData("iat", null)]
    public void A_claim_that_is_wrong_or_missing_refuses(string name, string? value)
    {
        _claims[name] = value is null ? null : JsonNode.Parse(value);
        if (value is null)
            _claims.Remove(name);
        Assert.Equal(TokenVerdict.BadProof, Read(new(_time, requiresNonce: false), out _));
    }

    [Theory]
    [InlineData(31)]
    [InlineData(-151)]
    public void A_proof_from_the_future_or_too_old_is_refused(int seconds)
    {
        _claims["iat"] = TokenForge.Now.AddSeconds(seconds).ToUnixTimeSeconds();
        Assert.Equal(TokenVerdict.BadProof, Read(new(_time, requiresNonce: false), out _));
    }

    [Theory]
    [InlineData("typ", "\"jwt\"")]
    [InlineData("typ", "\"DPOP+JWT\"")]
    [InlineData("alg", "\"none\"")]
    [InlineData("alg", "\"HS256\"")]
    [InlineData("alg", "\"ES384\"")]
    [InlineData("crit", "[\"jwk\"]")]
    [InlineData("jku", "\"https://evil.example\"")]
    [InlineData("x5c", "[]")]
    public void A_header_that_is_wrong_refuses(string name, string value)
    {
        _header[name] = JsonNode.Parse(value);
        Assert.Equal(TokenVerdict.BadProof, Read(new(_time, requiresNonce: false), out _));
    }

    [Fact]
    public void A_proof_that_brings_a_private_or_another_key_is_refused()
    {
        var key = (JsonObject)_header["jwk"]!;
        key["d"] = "AAAA";
        Assert.Equal(TokenVerdict.BadProof, Read(new(_time, requiresNonce: false), out _));
        _header["jwk"] = PublicKey(ECDsa.Create(ECCurve.NamedCurves.nistP256));
        Assert.Equal(TokenVerdict.BadProof, Read(new(_time, requiresNonce: false), out _));
        _header.Remove("jwk");
        Assert.Equal(TokenVerdict.BadProof, Read(new(_time, requiresNonce: false), out _));
    }

    [Fact]
    public void A_proof_counts_once()
    {
        var reader = new DpopReader(_time, requiresNonce: false);
        Assert.Equal(TokenVerdict.Accepted, Read(reader, out _));
        Assert.Equal(TokenVerdict.ProofReplayed, Read(reader, out _));
        _claims["jti"] = "two";
        Assert.Equal(TokenVerdict.Accepted, Read(reader, out _));
        _time.Advance(TimeSpan.FromMinutes(4));   // out of the store's memory, and out of time
        Assert.Equal(TokenVerdict.BadProof, Read(reader, out _));
    }

    [Fact]
    public void A_nonce_is_this_servers_and_fresh()
    {
        var reader = new DpopReader(_time, requiresNonce: true);
        Assert.Equal(TokenVerdict.NonceNeeded, Read(reader, out _));
        _claims["nonce"] = new DpopNonces(_time, TimeSpan.FromMinutes(2)).Fresh();   // another server's
        Assert.Equal(TokenVerdict.NonceNeeded, Read(reader, out _));
        _claims["nonce"] = reader.Nonces.Fresh();
        Assert.Equal(TokenVerdict.Accepted, Read(reader, out _));
        _time.Advance(TimeSpan.FromMinutes(2));
        (_claims["jti"], _claims["iat"]) = ("later", _time.GetUtcNow().ToUnixTimeSeconds());
        Assert.Equal(TokenVerdict.NonceNeeded, Read(reader, out _));
    }

    [Fact]
    public void A_token_bound_to_a_key_needs_its_proof_and_a_proof_needs_a_token_bound_to_a_key()
    {
        var forge = new TokenForge();
        var reader = new AccessTokenReader(new() { Keys = new(forge.Key), Issuer = "https://issuer.example", Audience = "gateway" }, _time);
        var thumbprint = Base64Url.EncodeToString(SHA256.HashData("key"u8));
        TokenVerdict ReadToken(string? proved) => reader.Read(forge.Make(), TokenForge.Certificate, proved, out _);
        Assert.Equal(TokenVerdict.Accepted, ReadToken(null));
        Assert.Equal(TokenVerdict.BoundToAnotherKey, ReadToken(thumbprint));
        forge.Claims["cnf"] = new JsonObject { ["jkt"] = thumbprint };
        Assert.Equal(TokenVerdict.ProofMissing, ReadToken(null));
        Assert.Equal(TokenVerdict.BoundToAnotherKey, ReadToken(Base64Url.EncodeToString(SHA256.HashData("other"u8))));
        Assert.Equal(TokenVerdict.Accepted, ReadToken(thumbprint));
        forge.Claims["cnf"] = new JsonObject { ["jkt"] = thumbprint, ["x5t#S256"] = Base64Url.EncodeToString(SHA256.HashData("another certificate"u8)) };
        Assert.Equal(TokenVerdict.BoundToAnotherCertificate, ReadToken(thumbprint));
    }

    private TokenVerdict Read(DpopReader reader, out string? thumbprint)
    {
        var signed = $"{Encode(_header)}.{Encode(_claims)}";
        var proof = $"{signed}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
        return reader.Read(proof, "POST", Uri, Token, out thumbprint);
    }

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));

    private static JsonObject PublicKey(ECDsa key)
    {
        var q = key.ExportParameters(false).Q;
        return new() { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(q.X), ["y"] = Base64Url.EncodeToString(q.Y) };
    }
}
