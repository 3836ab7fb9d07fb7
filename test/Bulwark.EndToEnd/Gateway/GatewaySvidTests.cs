using System.Net;
using System.Text;
using Bulwark.Cli.Serving;
using Bulwark.Server;
using Bulwark.Tests.Identity;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>Workloads of a SPIFFE trust domain, known by X.509-SVID and JWT-SVID alone, over real TLS.</summary>
public sealed class GatewaySvidTests : GatewayTest
{
    private const string Payments = "spiffe://bulwark.invalid/client/payments";
    private readonly TokenForge _authority = new("a");

    [Fact]
    public async Task A_workload_shows_its_two_svids_and_another_ones_are_worth_nothing()
    {
        await using var host = await World.StartAsync(Options());
        using var client = Client(host, Payments);
        Assert.Equal("200", await AskAsync(client, Token(Payments)));
        Assert.Equal("200", await AskAsync(client, Token(Payments)));
        Assert.Equal("401 token-bound-to-another-certificate", await AskAsync(client, Token("spiffe://bulwark.invalid/client/refunds")));
        Assert.Equal("401 token-wrong-subject", await AskAsync(client, Token("spiffe://other.invalid/client/payments")));
        Assert.Equal("401 token-wrong-audience", await AskAsync(client, Token(Payments, audience: "another")));
        Assert.Equal("401 token-expired", await AskAsync(client, Token(Payments, minutes: -5)));
        using var refunds = Client(host, "spiffe://bulwark.invalid/client/refunds");
        Assert.Equal("401 token-bound-to-another-certificate", await AskAsync(refunds, Token(Payments)));   // stolen
        Assert.Equal("403 policy-denied", await AskAsync(refunds, Token("spiffe://bulwark.invalid/client/refunds")));
    }

    [Fact]
    public async Task A_gateway_that_takes_none_refuses_them_and_one_without_a_bundle_does_not_start()
    {
        await using (var host = await World.StartAsync(Options() with { JwtSvidAudience = null }))
        {
            using var client = Client(host, Payments);
            Assert.Equal("401 token-unknown-key", await AskAsync(client, Token(Payments)));
        }

        foreach (var (options, says) in (ValueTuple<GatewayOptions, string>[])
            [(Options() with { TrustBundle = null }, "bundle.json"), (Options() with { SpiffeTrustDomain = null }, "SpiffeTrustDomain"), (Options() with { TrustBundle = "{\"keys\":[]}"u8.ToArray() }, "no key for JWT-SVIDs")])
            Assert.Contains(says, (await Assert.ThrowsAsync<ArgumentException>(() => World.StartAsync(options))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_of_the_bundle_are_exchanged_on_a_living_connection()
    {
        File.Delete(Path.Combine(World.Identity.Folder, "bundle.json"));
        await using var host = await World.StartAsync(Options());
        using var client = Client(host, Payments);
        Assert.Equal("200", await AskAsync(client, Token(Payments)));
        var notes = new List<string>();
        await File.WriteAllBytesAsync(Path.Combine(World.Identity.Folder, "bundle.json"), Bundle(_authority), GatewayWorld.Cancel);
        var reload = new GatewayReload(host, World.Identity.Folder, null, [], followsTokenKeys: false, notes.Add);
        await WriteAsync("""{"keys":[]}"""u8.ToArray());
        Assert.Contains("not rotated", Assert.Single(notes), StringComparison.Ordinal);
        Assert.Equal("200", await AskAsync(client, Token(Payments)));   // what was in force stays
        var next = new TokenForge("b");
        await WriteAsync(Bundle(next));
        Assert.StartsWith("rotated", notes[^1], StringComparison.Ordinal);
        Assert.Equal("401 token-unknown-key", await AskAsync(client, Token(Payments)));
        Assert.Equal("200", await AskAsync(client, Token(Payments, forge: next)));

        async Task WriteAsync(byte[] bundle)
        {
            await File.WriteAllBytesAsync(Path.Combine(World.Identity.Folder, "bundle.json"), bundle, GatewayWorld.Cancel);
            await reload.LookAsync(GatewayWorld.Cancel);
        }
    }

    private GatewayOptions Options() => World.Options with
    {
        SpiffeTrustDomain = "bulwark.invalid",
        TrustBundle = Bundle(_authority),
        JwtSvidAudience = "gateway",
        Receipts = ReceiptMode.Asked,
        Policy = $$"""permit (principal == Client::"{{Payments}}", action, resource) when { context.binding == "spiffe" };""",
    };

    private byte[] Bundle(TokenForge forge)
    {
        var x509 = $$"""{"use":"x509-svid","kty":"EC","x5c":["{{Convert.ToBase64String(World.Identity.LoadAuthority().RawData)}}"]}""";
        return Encoding.UTF8.GetBytes($$"""{"keys":[{{x509}},{{forge.PublicKey.Replace("\"use\":\"sig\"", "\"use\":\"jwt-svid\"", StringComparison.Ordinal)}}]}""");
    }

    private string Token(string subject, string audience = "gateway", int minutes = 5, TokenForge? forge = null) => (forge ?? _authority).Sign(
        $$"""{"alg":"ES256","kid":"{{(forge ?? _authority).Kid}}","typ":"JWT"}""",
        $$"""{"sub":"{{subject}}","aud":["{{audience}}"],"exp":{{DateTimeOffset.UtcNow.AddMinutes(minutes).ToUnixTimeSeconds()}}}""");

    private HttpClient Client(GatewayHost host, string id) =>
        World.Client(host, World.Certificate(DateTimeOffset.UtcNow.AddMinutes(-4), DateTimeOffset.UtcNow.AddMinutes(9), svid: id), token: null);

    private static async Task<string> AskAsync(HttpClient client, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("v2/models/fraud", UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        using var response = await client.SendAsync(request, GatewayWorld.Cancel);
        return response.StatusCode == HttpStatusCode.OK ? "200" : $"{(int)response.StatusCode} {(await GatewayWorld.ErrorAsync(response)).Split(':')[0]}";
    }
}
