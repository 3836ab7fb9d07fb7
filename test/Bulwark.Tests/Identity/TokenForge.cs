using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bulwark.Server;

namespace Bulwark.Tests.Identity;

/// <summary>Makes access tokens, good ones by default; a test changes the one thing that it is about.</summary>
internal sealed class TokenForge
{
    internal static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    internal static readonly byte[] Certificate = [1, 2, 3];
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    internal TokenForge(string kid = "first") => Kid = kid;

    internal string Kid { get; }

    internal JsonObject Header { get; init; } = [];

    internal JsonObject Claims { get; } = new()
    {
        ["iss"] = "https://issuer.example",
        ["aud"] = "gateway",
        ["sub"] = "payments",
        ["jti"] = "1",
        ["iat"] = Now.ToUnixTimeSeconds(),
        ["exp"] = Now.AddMinutes(5).ToUnixTimeSeconds(),
        ["cnf"] = new JsonObject { ["x5t#S256"] = Base64Url.EncodeToString(SHA256.HashData(Certificate)) },
    };

    internal string PublicKey
    {
        get
        {
            var q = _key.ExportParameters(false).Q;
            return JsonSerializer.Serialize(new { kty = "EC", crv = "P-256", alg = "ES256", use = "sig", kid = Kid, x = Base64Url.EncodeToString(q.X), y = Base64Url.EncodeToString(q.Y) });
        }
    }

    internal JsonWebKey Key => JsonWebKey.Parse(PublicKey);

    internal string Make()
    {
        var header = new JsonObject { ["alg"] = "ES256", ["kid"] = Kid, ["typ"] = "at+jwt" };
        foreach (var (name, value) in Header)
            header[name] = value?.DeepClone();
        return Sign(header.ToJsonString(), Claims.ToJsonString());
    }

    internal string Sign(string header, string claims)
    {
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }
}
