using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bulwark.Cli.Serving;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Policy;
using Bulwark.Server;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>What changes while connections live.</summary>
public sealed class GatewayRotationTests : IAsyncLifetime
{
    private GatewayWorld _world = null!;
    private GatewayHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await GatewayWorld.CreateAsync();
        _host = await _world.StartAsync(_world.Options with { TrailDirectory = _world.PathOf("trail"), HealthPort = 0 });
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        _world?.Dispose();
    }

    [Fact]
    public async Task A_certificate_that_is_revoked_loses_its_living_connection_and_no_other_does()
    {
        using var payments = _world.Payments(_host);
        using var analyst = _world.Client(_host, _world.Identity.LoadClient("analyst"), _world.Identity.LoadToken("analyst"));
        await Expect(HttpStatusCode.OK, payments);
        _host.RotateClientTrust([_world.Identity.LoadAuthority()], [RevocationListOf()]);
        await Expect(HttpStatusCode.OK, payments);
        _host.RotateClientTrust([_world.Identity.LoadAuthority()], [RevocationListOf(_world.Identity.LoadClient("payments"))]);
        using (var refused = await payments.GetAsync(new Uri("v2/models/fraud", UriKind.Relative), GatewayWorld.Cancel))
            Assert.StartsWith("certificate-revoked:", await GatewayWorld.ErrorAsync(refused), StringComparison.Ordinal);
        await Expect(HttpStatusCode.OK, analyst);
        using var late = _world.Payments(_host);
        await Assert.ThrowsAsync<HttpRequestException>(() => late.GetAsync(new Uri("v2/models/fraud", UriKind.Relative), GatewayWorld.Cancel));
    }

    [Fact]
    public void A_list_that_cannot_be_read_changes_nothing() =>
        Assert.ThrowsAny<ArgumentException>(() => _host.RotateClientTrust([_world.Identity.LoadAuthority()], [[1, 2, 3]]));

    [Fact]
    public async Task A_new_server_certificate_reaches_new_connections_and_leaves_old_ones()
    {
        using var old = _world.Payments(_host);
        await Expect(HttpStatusCode.OK, old);
        var other = DevelopmentIdentity.Create(_world.PathOf("next"));
        using var certificate = other.LoadServer();
        _host.RotateServerCertificate(certificate);
        await Expect(HttpStatusCode.OK, old);
        using var fresh = _world.Payments(_host);   // trusts the first authority alone
        await Assert.ThrowsAsync<HttpRequestException>(() => fresh.GetAsync(new Uri("v2", UriKind.Relative), GatewayWorld.Cancel));
        using var knowing = GatewayWorld.Client(_host, other, _world.Identity.LoadClient("payments"), _world.Identity.LoadToken("payments"));
        await Expect(HttpStatusCode.OK, knowing);
    }

    [Fact]
    public async Task New_token_keys_end_the_tokens_of_the_old_ones_at_once()
    {
        using var client = _world.Payments(_host);
        await Expect(HttpStatusCode.OK, client);
        _host.RotateTokenKeys(DevelopmentIdentity.Create(_world.PathOf("next")).LoadTokenKeys());
        await Expect(HttpStatusCode.Unauthorized, client);
    }

    [Fact]
    public async Task Another_policy_is_logged_with_the_one_before_and_then_holds()
    {
        using var client = _world.Payments(_host);
        await Expect(HttpStatusCode.OK, client);
        var before = _host.Policy;
        await _host.ChangePolicyAsync("forbid (principal, action, resource);", GatewayWorld.Cancel);
        var change = Statement.Parse(Encoding.UTF8.GetBytes(_world.Entry(_world.LogSize - 1))).Read<PolicyChanged>();
        Assert.Equal(before, change.Previous);
        await Expect(HttpStatusCode.Forbidden, client);
        await Assert.ThrowsAsync<PolicySyntaxException>(() => _host.ChangePolicyAsync("permit (", GatewayWorld.Cancel));
        await Expect(HttpStatusCode.Forbidden, client);
    }

    [Fact]
    public async Task A_watched_policy_needs_a_trusted_signature()
    {
        using var client = _world.Payments(_host);
        var policy = _world.PathOf("gateway.cedar");
        var notes = new List<string>();
        var reload = new GatewayReload(_host, _world.Identity.Folder, policy, [_world.Keys.PublicKey("signing")], followsTokenKeys: true, notes.Add);
        using var stranger = Signer.Generate();
        await File.WriteAllBytesAsync(policy + ".dsse", SignedPolicy.Sign("forbid (principal, action, resource);", stranger), GatewayWorld.Cancel);
        await reload.LookAsync(GatewayWorld.Cancel);
        Assert.Contains("not rotated", Assert.Single(notes), StringComparison.Ordinal);
        await Expect(HttpStatusCode.OK, client);
        using var signer = _world.Keys.OpenSigner("signing");
        await File.WriteAllBytesAsync(policy + ".dsse", SignedPolicy.Sign("forbid (principal, action, resource);", signer), GatewayWorld.Cancel);
        await reload.LookAsync(GatewayWorld.Cancel);
        await Expect(HttpStatusCode.Forbidden, client);
        await File.WriteAllBytesAsync(Path.Combine(_world.Identity.Folder, "clients.crl"), RevocationListOf(_world.Identity.LoadClient("payments")), GatewayWorld.Cancel);
        await reload.LookAsync(GatewayWorld.Cancel);
        await Expect(HttpStatusCode.Unauthorized, client);
    }

    [Fact]
    public async Task A_token_bound_to_a_key_needs_a_nonce_and_a_proof_for_each_request()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = key.ExportParameters(false).Q;
        var jwk = $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(q.X)}}","y":"{{Base64Url.EncodeToString(q.Y)}}"}""";
        var claims = _world.Claims("payments");
        claims["cnf"] = new Dictionary<string, string> { ["jkt"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(jwk))) };
        var token = _world.Identity.IssueToken(claims);
        using var client = _world.Client(_host, _world.Identity.LoadClient("payments"), token: null);

        async Task<HttpResponseMessage> Ask(string? nonce, string id)
        {
            var uri = new Uri(_host.BaseAddress, "v2/models/fraud");
            var proof = new JsonObject { ["jti"] = id, ["htm"] = "GET", ["htu"] = uri.ToString(), ["iat"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(), ["ath"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token))) };
            if (nonce is not null)
                proof["nonce"] = nonce;
            var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"alg":"ES256","typ":"dpop+jwt","jwk":{{jwk}}}"""))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(proof.ToJsonString()))}";
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            request.Headers.TryAddWithoutValidation("Authorization", "DPoP " + token);
            request.Headers.TryAddWithoutValidation("DPoP", $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}");
            return await client.SendAsync(request, GatewayWorld.Cancel);
        }

        using var first = await Ask(null, "1");
        Assert.Contains("use_dpop_nonce", first.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        var nonce = first.Headers.GetValues("DPoP-Nonce").Single();
        using var second = await Ask(nonce, "2");
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        using var replayed = await Ask(nonce, "2");
        Assert.StartsWith("token-proof-replayed:", await GatewayWorld.ErrorAsync(replayed), StringComparison.Ordinal);
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var bare = await client.GetAsync(new Uri("v2/models/fraud", UriKind.Relative), GatewayWorld.Cancel);
        Assert.StartsWith("token-proof-missing:", await GatewayWorld.ErrorAsync(bare), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recorded_decisions_are_replayed_and_the_trail_is_held_to_the_log()
    {
        using var client = _world.Payments(_host);
        await Expect(HttpStatusCode.OK, client);
        using (var scored = await GatewayWorld.InferAsync(client, GatewayWorld.Body(GatewayWorld.GoodRow)))
            Assert.Equal(HttpStatusCode.OK, scored.StatusCode);
        var trail = new DirectoryInfo(_world.PathOf("trail")).GetFiles();
        var same = PolicyReplay.Run(trail, PolicySet.Parse(GatewayWorld.Policy), DateTimeOffset.MinValue);
        Assert.Equal((2, 0), (same.Replayed, same.Changes.Count));
        var stricter = PolicyReplay.Run(trail, PolicySet.Parse(GatewayWorld.Policy + """forbid (principal, action == Action::"infer", resource) unless { context has purpose };"""), DateTimeOffset.MinValue);
        Assert.Equal("infer", Assert.Single(stricter.Changes).Action);
        await _world.Log.FlushAsync(GatewayWorld.Cancel);
        var key = _world.Keys.PublicKey("signing");
        Assert.Empty(TrailCheck.Run(trail, _world.Log, key).Faults);
        var text = await File.ReadAllTextAsync(trail[0].FullName, GatewayWorld.Cancel);
        Assert.DoesNotContain(_world.Identity.LoadToken("payments"), text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(_world.PathOf("decisions-x.jsonl"), text.Replace("\"payments\"", "\"somebody\"", StringComparison.Ordinal), GatewayWorld.Cancel);
        Assert.NotEmpty(TrailCheck.Run([new FileInfo(_world.PathOf("decisions-x.jsonl"))], _world.Log, key).Faults);
        var event_ = JsonSerializer.SerializeToElement(OcsfEvent.Of(AuditLine.Parse(text.Split('\n')[0])));
        Assert.Equal(600302, event_.GetProperty("type_uid").GetInt32());
    }

    [Fact]
    public async Task Health_needs_no_certificate_and_says_nothing_of_models()
    {
        using var plain = new HttpClient { BaseAddress = _host.HealthAddress };
        Assert.Equal("""{"live":true}""", await plain.GetStringAsync(new Uri("live", UriKind.Relative), GatewayWorld.Cancel));
        Assert.Equal("""{"ready":true,"sandbox":"none"}""", await plain.GetStringAsync(new Uri("ready", UriKind.Relative), GatewayWorld.Cancel));
        using var metadata = await plain.GetAsync(new Uri("v2/models/fraud", UriKind.Relative), GatewayWorld.Cancel);
        Assert.Equal(HttpStatusCode.NotFound, metadata.StatusCode);
    }

    private static async Task Expect(HttpStatusCode status, HttpClient client)
    {
        using var response = await client.GetAsync(new Uri("v2/models/fraud", UriKind.Relative), GatewayWorld.Cancel);
        Assert.Equal(status, response.StatusCode);
    }

    private byte[] RevocationListOf(params X509Certificate2[] revoked)
    {
        using var authority = X509Certificate2.CreateFromPemFile(_world.Identity.AuthorityFile, Path.Combine(_world.Identity.Folder, "ca.key"));
        var builder = new CertificateRevocationListBuilder();
        foreach (var certificate in revoked)
            builder.AddEntry(certificate);
        return builder.Build(authority, revoked.Length + 1, DateTimeOffset.UtcNow.AddHours(1), HashAlgorithmName.SHA256, thisUpdate: DateTimeOffset.UtcNow.AddMinutes(-1));
    }
}
