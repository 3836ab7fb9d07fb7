using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Bulwark.Server;
using Bulwark.Tests.Servers;
using Microsoft.AspNetCore.Http;

namespace Bulwark.Tests.Identity;

/// <summary>DPoP proofs before several gateways: each counts once for all of them, and nonces of one are good for the others.</summary>
public sealed class SharedProofsTests
{
    private static readonly byte[] s_key = new byte[32];

    [Fact]
    public async Task A_proof_that_one_gateway_has_seen_is_replayed_at_every_other_however_its_signature_is_bent()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var here = await StoreAsync(redis);
        await using var there = await StoreAsync(redis);
        SharedProofs first = new(here, s_key), second = new(there, s_key);
        Assert.Equal(TokenVerdict.Accepted, await first.TakeAsync("header.payload.signature"));
        Assert.Equal(TokenVerdict.ProofReplayed, await second.TakeAsync("header.payload.signature"));
        Assert.Equal(TokenVerdict.ProofReplayed, await second.TakeAsync("header.payload.another"));
        Assert.Equal(TokenVerdict.Accepted, await second.TakeAsync("header.other.signature"));
        Assert.DoesNotContain("payload", await redis.AskAsync("KEYS *"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_store_nobody_can_say_whether_a_proof_is_new()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var store = await StoreAsync(redis);
        var proofs = new SharedProofs(store, s_key);
        Assert.Equal(TokenVerdict.Accepted, await proofs.TakeAsync("a.b.c"));
        redis.Kill();
        Assert.Equal(TokenVerdict.ReplaysUnknown, await proofs.TakeAsync("a.d.c"));
    }

    [Fact]
    public void Nonces_of_one_gateway_are_known_to_those_that_share_its_key()
    {
        byte[] NonceKey(byte first) => new SharedProofs(null!, [first, .. s_key.AsSpan(1)]).NonceKey;
        var here = new DpopNonces(TimeProvider.System, TimeSpan.FromMinutes(2), NonceKey(1));
        Assert.True(new DpopNonces(TimeProvider.System, TimeSpan.FromMinutes(2), NonceKey(1)).IsCurrent(here.Fresh()));
        Assert.False(new DpopNonces(TimeProvider.System, TimeSpan.FromMinutes(2), NonceKey(2)).IsCurrent(here.Fresh()));
        Assert.False(new DpopNonces(TimeProvider.System, TimeSpan.FromMinutes(2)).IsCurrent(here.Fresh()));
    }

    [Fact]
    public async Task A_proof_counts_once_for_all_gates_and_what_a_gate_refuses_leaves_no_trace()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var store = await StoreAsync(redis);
        var (tokens, proofs) = (new TokenForge(), new SharedProofs(store, s_key));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = key.ExportParameters(false).Q;
        var (x, y) = (Base64Url.EncodeToString(q.X), Base64Url.EncodeToString(q.Y));
        var thumbprint = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
        var now = DateTimeOffset.UtcNow;
        (tokens.Claims["iat"], tokens.Claims["exp"], tokens.Claims["cnf"]) = (now.ToUnixTimeSeconds(), now.AddMinutes(5).ToUnixTimeSeconds(), new JsonObject { ["jkt"] = thumbprint });
        var token = tokens.Make();
        var header = new JsonObject { ["alg"] = "ES256", ["typ"] = "dpop+jwt", ["jwk"] = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = x, ["y"] = y } };
        var claims = new JsonObject { ["jti"] = "one", ["htm"] = "POST", ["htu"] = "https://gateway.example/v2", ["iat"] = now.ToUnixTimeSeconds(), ["ath"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token))) };
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        var proof = $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
        var options = new AccessTokenOptions { Keys = new(tokens.Key), Issuer = "https://issuer.example", Audience = "gateway" };
        TokenGate Gate() => new(options, requiresNonce: false, TimeProvider.System, null, proofs) { PublicAddress = "https://gateway.example/" };
        var (first, second) = (Gate(), Gate());
        Assert.Equal(TokenVerdict.BadProof, await ReadAsync(first, "e30.e30.e30", proof));   // of another token
        Assert.Equal(TokenVerdict.BadProof, await ReadAsync(first, token, $"{signed}.{Base64Url.EncodeToString(new byte[64])}"));
        Assert.Equal(TokenVerdict.BadProof, await ReadAsync(first, token, "anything"));
        Assert.DoesNotContain("dpop", await redis.AskAsync("KEYS *"), StringComparison.Ordinal);
        Assert.Equal(TokenVerdict.Accepted, await ReadAsync(first, token, proof));
        Assert.Contains("dpop", await redis.AskAsync("KEYS *"), StringComparison.Ordinal);
        Assert.Equal(TokenVerdict.ProofReplayed, await ReadAsync(second, token, proof));
        redis.Kill();
        Assert.Equal(TokenVerdict.ReplaysUnknown, await ReadAsync(Gate(), token, proof));

        async Task<TokenVerdict> ReadAsync(TokenGate gate, string shown, string proved)
        {
            var http = new DefaultHttpContext();
            (http.Request.Method, http.Request.Path) = ("POST", "/v2");
            (http.Request.Headers.Authorization, http.Request.Headers["DPoP"]) = ("DPoP " + shown, proved);
            using var certificate = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=a", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
            var verdict = gate.Read(http, new ClientConnection(certificate, "one", "unknown", 0), out _);
            return verdict is TokenVerdict.Accepted ? await gate.AskOthersAsync(http) : verdict;
        }
    }

    private static Task<SharedQueries> StoreAsync(RedisProcess redis) => SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), TimeSpan.FromMinutes(1));
}
