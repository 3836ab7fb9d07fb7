using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>Signs access tokens with ES256, for development and tests.</summary>
internal sealed class DevelopmentTokenIssuer
{
    private readonly ECDsa _key;
    private readonly string _keyId;

    internal DevelopmentTokenIssuer(ECDsa key)
    {
        _key = key;
        var point = key.ExportParameters(false).Q;
        var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        // RFC 7638: the key's own digest names it
        _keyId = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
        PublicKey = new() { ["kty"] = "EC", ["crv"] = "P-256", ["alg"] = "ES256", ["use"] = "sig", ["kid"] = _keyId, ["x"] = x, ["y"] = y };
    }

    internal Dictionary<string, string> PublicKey { get; }

    internal static Dictionary<string, object> Claims(string client, X509Certificate2 certificate, DateTimeOffset from, DateTimeOffset until) => new()
    {
        ["iss"] = DevelopmentIdentity.Issuer,
        ["aud"] = DevelopmentIdentity.Audience,
        ["sub"] = client,
        ["client_id"] = client,
        ["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)),
        ["iat"] = from.ToUnixTimeSeconds(),
        ["exp"] = until.ToUnixTimeSeconds(),
        ["cnf"] = new Dictionary<string, string> { ["x5t#S256"] = Base64Url.EncodeToString(SHA256.HashData(certificate.RawData)) },
    };

    internal string Issue(IReadOnlyDictionary<string, object> claims, string type = "at+jwt")
    {
        var header = new Dictionary<string, string> { ["alg"] = "ES256", ["kid"] = _keyId, ["typ"] = type };
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private static string Encode<T>(T part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
}
