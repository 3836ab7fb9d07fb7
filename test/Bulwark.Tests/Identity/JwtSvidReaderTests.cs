using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Server;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Identity;

/// <summary>Every rule of SPIFFE's JWT-SVID, and the one of ours: it counts over a connection of the same id alone.</summary>
public class JwtSvidReaderTests
{
    private const string Id = "spiffe://bank.example/payments";
    private readonly TokenForge _forge = new();
    private readonly TokenForge _second = new("second");
    private readonly JsonObject _header = new() { ["alg"] = "ES256", ["kid"] = "first", ["typ"] = "JWT" };
    private readonly JsonObject _claims = new() { ["sub"] = Id, ["aud"] = new JsonArray("gateway"), ["exp"] = TokenForge.Now.AddMinutes(5).ToUnixTimeSeconds() };

    [Fact]
    public void A_good_one_says_who_the_workload_is()
    {
        Assert.Equal(TokenVerdict.Accepted, Read(out var token));
        Assert.Equal((Id, "spiffe", ""), (token!.Subject, token.Binding, token.Id));
        Assert.Empty(token.Scopes);
        _claims["scope"] = "everything";   // no claim of ours: it grants nothing
        _claims["aud"] = "gateway";
        Assert.Equal(TokenVerdict.Accepted, Read(out token));
        Assert.Empty(token!.Scopes);
    }

    [Theory, InlineData("JWT", true), InlineData("JOSE", true), InlineData(null, true), InlineData("jwt", false), InlineData("at+jwt", false), InlineData("dpop+jwt", false), InlineData("", false)]
    public void Its_type_is_JWT_or_JOSE_or_unsaid(string? type, bool taken)
    {
        _header.Remove("typ");
        if (type is not null)
            _header["typ"] = type;
        Assert.Equal(taken ? TokenVerdict.Accepted : TokenVerdict.WrongType, Read(out _));
        Assert.Equal(taken, JwtSvidReader.IsHeader(Make().Split('.')[0]));
    }

    [Theory]
    [InlineData("cty", "JWT", TokenVerdict.UnsupportedHeader)]
    [InlineData("x5t", "AA", TokenVerdict.UnsupportedHeader)]
    [InlineData("private", "x", TokenVerdict.UnsupportedHeader)]
    [InlineData("crit", "x", TokenVerdict.UnsupportedHeader)]
    [InlineData("b64", "x", TokenVerdict.UnsupportedHeader)]
    [InlineData("jwk", "x", TokenVerdict.EmbeddedKey)]
    [InlineData("jku", "https://evil.example", TokenVerdict.EmbeddedKey)]
    [InlineData("kid", "unknown", TokenVerdict.UnknownKey)]
    [InlineData("kid", "second", TokenVerdict.BadSignature)]
    [InlineData("alg", "none", TokenVerdict.AlgorithmNotAllowed)]
    [InlineData("alg", "HS256", TokenVerdict.AlgorithmNotAllowed)]
    [InlineData("alg", "EdDSA", TokenVerdict.AlgorithmNotAllowed)]
    [InlineData("alg", "RS256", TokenVerdict.AlgorithmOfAnotherKey)]
    [InlineData("typ", 1, TokenVerdict.WrongType)]
    public void Another_header_is_refused(string name, object value, TokenVerdict verdict)
    {
        _header[name] = JsonValue.Create(value);
        Assert.Equal(verdict, Read(out var token));
        Assert.Null(token);
    }

    [Theory, InlineData("sub"), InlineData("aud"), InlineData("exp")]
    public void What_must_be_there_must_be_there(string claim)
    {
        _claims.Remove(claim);
        Assert.Equal(TokenVerdict.MissingClaim, Read(out _));
    }

    [Theory]
    [InlineData("sub", "payments", TokenVerdict.WrongSubject)]
    [InlineData("sub", "spiffe://bank.example", TokenVerdict.WrongSubject)]
    [InlineData("sub", "spiffe://bank.example/a/../b", TokenVerdict.WrongSubject)]
    [InlineData("sub", "spiffe://other.example/payments", TokenVerdict.WrongSubject)]
    [InlineData("sub", "spiffe://BANK.example/payments", TokenVerdict.WrongSubject)]
    [InlineData("sub", "spiffe://bank.example/refunds", TokenVerdict.BoundToAnotherCertificate)]
    [InlineData("sub", 5, TokenVerdict.Malformed)]
    [InlineData("aud", "another", TokenVerdict.WrongAudience)]
    [InlineData("aud", "gateway/", TokenVerdict.WrongAudience)]
    [InlineData("aud", 5, TokenVerdict.Malformed)]
    [InlineData("exp", "1780315500", TokenVerdict.Malformed)]
    [InlineData("exp", 1.5, TokenVerdict.Malformed)]
    [InlineData("exp", -1, TokenVerdict.Malformed)]
    [InlineData("iat", "x", TokenVerdict.Malformed)]
    [InlineData("jti", 5, TokenVerdict.Malformed)]
    public void A_claim_that_is_not_right_is_refused(string claim, object value, TokenVerdict verdict)
    {
        _claims[claim] = JsonValue.Create(value);
        Assert.Equal(verdict, Read(out var token));
        Assert.Null(token);
    }

    [Fact]
    public void No_audience_at_all_is_another_one()
    {
        _claims["aud"] = new JsonArray();
        Assert.Equal(TokenVerdict.WrongAudience, Read(out _));
    }

    [Theory]
    [InlineData("exp", -30, TokenVerdict.Expired)]
    [InlineData("exp", -29, TokenVerdict.Accepted)]   // the clock's leeway
    [InlineData("exp", 3601, TokenVerdict.LifetimeTooLong)]
    [InlineData("iat", 31, TokenVerdict.IssuedInFuture)]
    [InlineData("iat", -3600, TokenVerdict.LifetimeTooLong)]
    [InlineData("nbf", 31, TokenVerdict.NotYetValid)]
    [InlineData("nbf", 30, TokenVerdict.Accepted)]
    public void Its_times_are_kept(string claim, int seconds, TokenVerdict verdict)
    {
        _claims[claim] = TokenForge.Now.AddSeconds(seconds).ToUnixTimeSeconds();
        Assert.Equal(verdict, Read(out _));
    }

    [Fact]
    public void A_connection_without_an_id_proves_nobody() => Assert.Equal(TokenVerdict.BoundToAnotherCertificate, Reader().Read(Make(), null, out _));

    [Fact]
    public void A_member_that_stands_twice_is_refused()
    {
        Assert.Equal(TokenVerdict.DuplicateMember, Reader().Read(_forge.Sign("""{"alg":"ES256","kid":"first","kid":"first"}""", _claims.ToJsonString()), Id, out _));
        Assert.Equal(TokenVerdict.DuplicateMember, Reader().Read(_forge.Sign(_header.ToJsonString(), _claims.ToJsonString()[..^1] + ""","sub":"x"}"""), Id, out _));
        Assert.Equal(TokenVerdict.Malformed, Reader().Read("a.b", Id, out _));
        Assert.Equal(TokenVerdict.Malformed, Reader().Read(_forge.Sign(_header.ToJsonString(), "[]"), Id, out _));
    }

    [Fact]
    public void Without_a_kid_it_is_the_only_key_or_none()
    {
        _header.Remove("kid");
        Assert.Equal(TokenVerdict.UnknownKey, Read(out _));
        Assert.Equal(TokenVerdict.Accepted, Reader(Bundle(Key(_forge))).Read(Make(), Id, out _));
    }

    [Fact]
    public void An_RSA_key_signs_with_PSS_and_with_the_older_padding()
    {
        using var rsa = RSA.Create(2048);
        var parameters = rsa.ExportParameters(false);
        string Part(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
        var reader = Reader(Bundle($$"""{"use":"jwt-svid","kid":"first","kty":"RSA","n":"{{Part(parameters.Modulus!)}}","e":"{{Part(parameters.Exponent!)}}"}"""));
        foreach (var (name, padding) in (ValueTuple<string, RSASignaturePadding>[])[("RS256", RSASignaturePadding.Pkcs1), ("PS256", RSASignaturePadding.Pss)])
        {
            _header["alg"] = name;
            var signed = $"{Part(Encoding.UTF8.GetBytes(_header.ToJsonString()))}.{Part(Encoding.UTF8.GetBytes(_claims.ToJsonString()))}";
            Assert.Equal(TokenVerdict.Accepted, reader.Read($"{signed}.{Part(rsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, padding))}", Id, out _));
        }
    }

    [Fact]
    public void Keys_of_another_use_are_not_for_tokens_and_unsound_ones_refuse_the_bundle()
    {
        var own = Key(_forge);
        Assert.Equal("first", Assert.Single(SpiffeBundle.TokenKeys(Bundle(own, _second.PublicKey, """{"use":"x509-svid","x5c":[]}""", """{"kty":"EC"}""")).Keys).Id);
        string[] unsound = [own.Replace("\"kid\":\"first\"", "\"kid\":\"\"", StringComparison.Ordinal), own.Replace("\"kid\"", "\"id\"", StringComparison.Ordinal), own.Replace("P-256", "P-384", StringComparison.Ordinal),
            """{"use":"jwt-svid","kid":"s","kty":"oct","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}""", own + "," + own];
        foreach (var one in unsound)
            Assert.Throws<FormatException>(() => SpiffeBundle.TokenKeys(Bundle(one)));
        Assert.Throws<FormatException>(() => SpiffeBundle.TokenKeys(Bundle()));
        Assert.Throws<FormatException>(() => SpiffeBundle.TokenKeys(Bundle(_forge.PublicKey)));
    }

    internal static string Key(TokenForge forge) => forge.PublicKey.Replace("\"use\":\"sig\"", "\"use\":\"jwt-svid\"", StringComparison.Ordinal);

    private static byte[] Bundle(params string[] keys) => Encoding.UTF8.GetBytes($$"""{"keys":[{{string.Join(',', keys)}}]}""");

    private TokenVerdict Read(out AccessToken? token) => Reader().Read(Make(), Id, out token);

    private string Make() => _forge.Sign(_header.ToJsonString(), _claims.ToJsonString());

    private JwtSvidReader Reader(byte[]? bundle = null) =>
        new(new(SpiffeBundle.TokenKeys(bundle ?? Bundle(Key(_forge), Key(_second))), "bank.example", "gateway", TimeSpan.FromSeconds(30), TimeSpan.FromHours(1)), new FakeTimeProvider(TokenForge.Now));
}
