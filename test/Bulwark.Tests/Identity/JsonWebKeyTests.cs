using Bulwark.Server;

namespace Bulwark.Tests.Identity;

public class JsonWebKeyTests
{
    private static readonly TokenForge Forge = new();

    [Theory]
    [InlineData("\"use\":\"sig\"", "\"use\":\"enc\"", "use")]
    [InlineData("\"use\":\"sig\"", "\"key_ops\":[\"sign\"]", "key_ops")]
    [InlineData("\"alg\":\"ES256\"", "\"alg\":\"ES384\"", "crv")]
    [InlineData("\"alg\":\"ES256\"", "\"alg\":\"none\"", "alg")]
    [InlineData("\"alg\":\"ES256\"", "\"alg\":\"HS256\"", "alg")]
    [InlineData("\"crv\":\"P-256\"", "\"crv\":\"P-384\"", "crv")]
    [InlineData("\"kty\":\"EC\"", "\"kty\":\"OKP\"", "alg")]
    [InlineData("\"x\":\"", "\"x\":\"A", "coordinates")]
    [InlineData("\"kid\":\"first\"", "\"kid\":\"first\",\"d\":\"AQ\"", "private")]
    [InlineData("\"kid\":\"first\"", "\"kid\":\"first\",\"kid\":\"second\"", "duplicate")]
    public void A_key_that_is_not_sound_is_refused_by_name(string good, string bad, string reason)
    {
        var fault = Assert.Throws<FormatException>(() => JsonWebKey.Parse(Forge.PublicKey.Replace(good, bad, StringComparison.Ordinal)));
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_point_off_its_curve_is_refused()
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(Forge.PublicKey)!;
        json["y"] = json["x"]!.GetValue<string>();
        Assert.Throws<FormatException>(() => JsonWebKey.Parse(json.ToJsonString()));
    }

    [Fact]
    public void A_short_secret_is_refused() =>
        Assert.Throws<FormatException>(() => JsonWebKey.Parse("""{"kty":"oct","alg":"HS256","k":"c2hvcnQ"}"""));

    [Fact]
    public void A_set_with_two_keys_of_one_name_is_refused() => Assert.Throws<FormatException>(() => new JsonWebKeySet(Forge.Key, new TokenForge().Key));

    [Fact]
    public void A_set_that_mixes_secrets_and_public_keys_is_refused()
    {
        var secret = JsonWebKey.Parse("""{"kty":"oct","alg":"HS256","kid":"s","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}""");
        Assert.Throws<FormatException>(() => new JsonWebKeySet(Forge.Key, secret));
    }

    [Fact]
    public void One_bad_key_refuses_the_whole_set() =>
        Assert.Throws<FormatException>(() => JsonWebKeySet.Parse($$"""{"keys":[{{Forge.PublicKey}},{"kty":"EC","kid":"x"}]}"""));
}
