using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bulwark.Server;
using Bulwark.Tests.Servers;
using Microsoft.AspNetCore.Http;

namespace Bulwark.Tests.Identity;

/// <summary>What of an issuer's documents counts, over real TLS.</summary>
public sealed class OidcKeysTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_keys_of_the_issuer_are_found_by_its_name()
    {
        await using var issuer = await FakeIssuer.StartAsync(new TokenForge("a"), new TokenForge("b"));
        using var client = issuer.Client();
        Assert.Equal(["a", "b"], (await client.FetchAsync(Cancel)).Keys.Select(key => key.Id));
    }

    [Fact]
    public async Task Keys_for_encryption_stand_beside_and_are_passed_over()
    {
        await using var issuer = await FakeIssuer.StartAsync(new TokenForge("a"));
        issuer.Keys = issuer.Keys.Replace("""{"keys":[""", """{"keys":[{"kty":"OKP","crv":"X25519","use":"enc","kid":"e","x":"AA"},""", StringComparison.Ordinal);
        using var client = issuer.Client();
        Assert.Equal("a", Assert.Single((await client.FetchAsync(Cancel)).Keys).Id);
    }

    [Theory]
    [InlineData("issuer", "https://localhost/other", "another issuer's")]
    [InlineData("issuer", null, "another issuer's")]
    [InlineData("jwks_uri", null, "no https address")]
    [InlineData("jwks_uri", "http://keys.example/", "no https address")]
    [InlineData("jwks_uri", "file:///etc/keys", "no https address")]
    [InlineData("jwks_uri", "https://user@keys.example/", "no https address")]
    public async Task A_discovery_document_of_anything_else_is_refused(string member, string? value, string why)
    {
        await using var issuer = await FakeIssuer.StartAsync(new TokenForge());
        issuer.Discovery[member] = value;
        using var client = issuer.Client();
        var fault = await Assert.ThrowsAsync<InvalidDataException>(() => client.FetchAsync(Cancel));
        Assert.Contains(why, fault.Message, StringComparison.Ordinal);
        Assert.Equal(0, issuer.Asked);
    }

    [Fact]
    public async Task A_name_that_differs_by_a_slash_is_another_issuer()
    {
        await using var issuer = await FakeIssuer.StartAsync(new TokenForge());
        issuer.Discovery["issuer"] = issuer.Name + "/";
        using var client = issuer.Client();
        await Assert.ThrowsAsync<InvalidDataException>(() => client.FetchAsync(Cancel));
    }

    [Theory]
    [InlineData("http://issuer.example/")]
    [InlineData("https://issuer.example/?tenant=1")]
    [InlineData("https://issuer.example/#a")]
    [InlineData("ftp://issuer.example/")]
    [InlineData("issuer.example")]
    public void Only_https_without_query_and_fragment_names_an_issuer(string name) => Assert.Throws<ArgumentException>(() => new OidcKeys(name));

    [Fact]
    public async Task A_set_with_one_unsound_key_is_refused_whole()
    {
        await using var issuer = await FakeIssuer.StartAsync();
        using var client = issuer.Client();
        var good = new TokenForge("good").PublicKey;
        var unnamed = JsonNode.Parse(good)!;
        unnamed.AsObject().Remove("kid");
        using var weak = RSA.Create(1024);
        var modulus = System.Buffers.Text.Base64Url.EncodeToString(weak.ExportParameters(false).Modulus);
        string[] sets =
        [
            """{"keys":[]}""", "[]", "{}", """{"keys":1}""",
            $$"""{"keys":[{{good}},{{good}}]}""",
            $$"""{"keys":[{{good}},{"kty":"oct","alg":"HS256","kid":"s","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]}""",
            """{"keys":[{"kty":"oct","alg":"HS256","kid":"s","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]}""",
            $$"""{"keys":[{{unnamed.ToJsonString()}}]}""",
            $$"""{"keys":[{{good}},{"kty":"RSA","alg":"PS256","use":"sig","kid":"w","e":"AQAB","n":"{{modulus}}"}]}""",
            $$"""{"keys":[{{good}}],"keys":[{{good}}]}""",
        ];
        foreach (var set in sets)
        {
            issuer.Keys = set;
            await Assert.ThrowsAsync<InvalidDataException>(() => client.FetchAsync(Cancel));
        }

        issuer.Keys = $$"""{"keys":[{{good}}]}""";
        Assert.Single((await client.FetchAsync(Cancel)).Keys);
    }

    [Fact]
    public async Task An_issuer_that_sends_elsewhere_or_without_end_gives_no_keys()
    {
        await using var issuer = await FakeIssuer.StartAsync(new TokenForge());
        using var client = issuer.Client();
        issuer.Misbehaves = http =>
        {
            http.Response.Redirect("/bank/.well-known/openid-configuration");
            return Task.CompletedTask;
        };
        await Assert.ThrowsAsync<InvalidDataException>(() => client.FetchAsync(Cancel));
        issuer.Misbehaves = http => http.Response.WriteAsync(issuer.Keys + new string(' ', 300_000));
        await Assert.ThrowsAsync<InvalidDataException>(() => client.FetchAsync(Cancel));
        issuer.IsAway = true;
        await Assert.ThrowsAsync<InvalidDataException>(() => client.FetchAsync(Cancel));
    }

    [Fact]
    public async Task An_issuer_whose_certificate_nobody_vouches_for_is_not_asked()
    {
        await using var issuer = await FakeIssuer.StartAsync(new TokenForge());
        await using var other = await FakeIssuer.StartAsync(new TokenForge());
        using var client = new OidcKeys(issuer.Name, [other.Authority]);
        await Assert.ThrowsAsync<InvalidDataException>(() => client.FetchAsync(Cancel));
        Assert.Equal(0, issuer.Asked);
    }
}
