using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Server;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Identity;

/// <summary>Twenty-eight known attacks on readers of tokens, each on its own, each refused under its own name (RFC 8725; RFC 7515, 7519; published flaws).</summary>
public class TokenAttackTests
{
    private const string Header = """{"alg":"ES256","typ":"at+jwt","kid":"first"}""";
    private readonly TokenForge _forge = new();
    private readonly TokenForge _second = new("second");

    [Theory]
    [InlineData("alg none", TokenVerdict.AlgorithmNotAllowed)]
    [InlineData("alg nOnE", TokenVerdict.AlgorithmNotAllowed)]
    [InlineData("alg none with a signature", TokenVerdict.AlgorithmNotAllowed)]
    [InlineData("no alg", TokenVerdict.AlgorithmNotAllowed)]
    [InlineData("HS256 with the public key as secret", TokenVerdict.AlgorithmNotAllowed)]
    [InlineData("signature cut off", TokenVerdict.BadSignature)]
    [InlineData("signature of zeros", TokenVerdict.BadSignature)]
    [InlineData("signature in DER", TokenVerdict.BadSignature)]
    [InlineData("claims changed", TokenVerdict.BadSignature)]
    [InlineData("signed by a stranger", TokenVerdict.BadSignature)]
    [InlineData("key of the header (jwk)", TokenVerdict.EmbeddedKey)]
    [InlineData("keys elsewhere (jku)", TokenVerdict.EmbeddedKey)]
    [InlineData("certificate of the header (x5c)", TokenVerdict.EmbeddedKey)]
    [InlineData("certificate elsewhere (x5u)", TokenVerdict.EmbeddedKey)]
    [InlineData("kid of a path", TokenVerdict.UnknownKey)]
    [InlineData("kid of another key of the issuer", TokenVerdict.BadSignature)]
    [InlineData("no kid", TokenVerdict.UnknownKey)]
    [InlineData("unknown crit", TokenVerdict.UnsupportedHeader)]
    [InlineData("b64 false", TokenVerdict.UnsupportedHeader)]
    [InlineData("header member twice", TokenVerdict.DuplicateMember)]
    [InlineData("claim twice", TokenVerdict.DuplicateMember)]
    [InlineData("ID token (typ JWT)", TokenVerdict.WrongType)]
    [InlineData("exp as text", TokenVerdict.Malformed)]
    [InlineData("no exp", TokenVerdict.MissingClaim)]
    [InlineData("iat tomorrow", TokenVerdict.IssuedInFuture)]
    [InlineData("clock four minutes off", TokenVerdict.Expired)]
    [InlineData("another audience", TokenVerdict.WrongAudience)]
    [InlineData("padding and white space in base64", TokenVerdict.Malformed)]
    public void Is_refused(string attack, TokenVerdict expected)
    {
        var options = new AccessTokenOptions { Keys = new(_forge.Key, _second.Key), Issuer = "https://issuer.example", Audience = "gateway" };
        var verdict = new AccessTokenReader(options, new FakeTimeProvider(TokenForge.Now)).Read(Make(attack), TokenForge.Certificate, out var token);
        Assert.Equal(expected, verdict);
        Assert.Null(token);
    }

    private string Make(string attack)
    {
        var sound = _forge.Make().Split('.');
        var claims = _forge.Claims.ToJsonString();
        return attack switch
        {
            "alg none" => $"{Encode("""{"alg":"none","typ":"at+jwt","kid":"first"}""")}.{sound[1]}.",
            "alg nOnE" => $"{Encode("""{"alg":"nOnE","typ":"at+jwt","kid":"first"}""")}.{sound[1]}.",
            "alg none with a signature" => $"{Encode("""{"alg":"none","typ":"at+jwt","kid":"first"}""")}.{sound[1]}.{sound[2]}",
            "no alg" => _forge.Sign("""{"typ":"at+jwt","kid":"first"}""", claims),
            "HS256 with the public key as secret" => Symmetric(claims),
            "signature cut off" => $"{sound[0]}.{sound[1]}.",
            "signature of zeros" => $"{sound[0]}.{sound[1]}.{Base64Url.EncodeToString(new byte[64])}",
            "signature in DER" => $"{sound[0]}.{sound[1]}.{Base64Url.EncodeToString((byte[])[0x30, 0x44, .. new byte[68]])}",
            "claims changed" => $"{sound[0]}.{Encode(claims.Replace("payments", "admin", StringComparison.Ordinal))}.{sound[2]}",
            "signed by a stranger" => new TokenForge().Make(),
            "key of the header (jwk)" => _forge.Sign($$"""{"alg":"ES256","typ":"at+jwt","kid":"first","jwk":{{_second.PublicKey}}}""", claims),
            "keys elsewhere (jku)" => With("jku", "\"https://evil.example/keys\""),
            "certificate of the header (x5c)" => With("x5c", "[\"AAAA\"]"),
            "certificate elsewhere (x5u)" => With("x5u", "\"https://evil.example/cert\""),
            "kid of a path" => _forge.Sign(Header.Replace("first", "../../dev/null", StringComparison.Ordinal), claims),
            "kid of another key of the issuer" => _forge.Sign(Header.Replace("first", "second", StringComparison.Ordinal), claims),
            "no kid" => _forge.Sign("""{"alg":"ES256","typ":"at+jwt"}""", claims),
            "unknown crit" => With("crit", "[\"exp\"]"),
            "b64 false" => With("b64", "false"),
            "header member twice" => _forge.Sign(Header[..^1] + ",\"kid\":\"second\"}", claims),
            "claim twice" => _forge.Sign(Header, claims[..^1] + ",\"sub\":\"admin\"}"),
            "ID token (typ JWT)" => _forge.Sign(Header.Replace("at+jwt", "JWT", StringComparison.Ordinal), claims),
            "exp as text" => Claim("exp", $"{TokenForge.Now.AddMinutes(5).ToUnixTimeSeconds()}"),
            "no exp" => Without("exp"),
            "iat tomorrow" => Claim("iat", TokenForge.Now.AddDays(1).ToUnixTimeSeconds()),
            "clock four minutes off" => Claim("exp", TokenForge.Now.AddMinutes(-4).ToUnixTimeSeconds()),
            "another audience" => Claim("aud", "gateway2"),
            "padding and white space in base64" => $"{sound[0]}.{sound[1]}= .{sound[2]}",
            _ => throw new ArgumentException($"There is no attack {attack}.", nameof(attack)),
        };
    }

    private string With(string member, string value) => _forge.Sign($"{Header[..^1]},\"{member}\":{value}}}", _forge.Claims.ToJsonString());

    private string Claim(string name, JsonNode value)
    {
        _forge.Claims[name] = value;
        return _forge.Make();
    }

    private string Without(string name)
    {
        _forge.Claims.Remove(name);
        return _forge.Make();
    }

    private string Symmetric(string claims)
    {
        var signed = $"{Encode("""{"alg":"HS256","typ":"at+jwt","kid":"first"}""")}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(_forge.PublicKey), Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
