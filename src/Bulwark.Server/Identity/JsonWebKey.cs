using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>A key that signatures are checked with (RFC 7517), held to RFC 7518 and RFC 8725: right use, strong, no private half.</summary>
public sealed class JsonWebKey
{
    private static readonly Dictionary<string, (ECCurve Curve, int Bytes)> Curves = new(StringComparer.Ordinal)
    {
        ["P-256"] = (ECCurve.NamedCurves.nistP256, 32),
        ["P-384"] = (ECCurve.NamedCurves.nistP384, 48),
        ["P-521"] = (ECCurve.NamedCurves.nistP521, 66),
    };

    private readonly object _key;
    private readonly ConcurrentBag<AsymmetricAlgorithm> _idle = [];   // one at work on each thread at most: the platform's objects are no thread's but their user's
    private readonly string? _curve;

    private JsonWebKey(string type, string? id, JwsAlgorithm? algorithm, object key, string? curve)
    {
        KeyType = type;
        Id = id;
        Pinned = algorithm;
        _key = key;
        _curve = curve;
    }

    /// <summary><c>kid</c>, when the key has one.</summary>
    public string? Id { get; }

    /// <summary><c>kty</c>: <c>EC</c>, <c>RSA</c> or <c>oct</c>.</summary>
    public string KeyType { get; }

    /// <summary><c>alg</c>, when the key names its only algorithm.</summary>
    public string? Algorithm => Pinned?.Name;

    internal JwsAlgorithm? Pinned { get; }

    /// <summary>Reads one key.</summary>
    /// <exception cref="FormatException">The key is malformed, weak, private or for another use; the message says which.</exception>
    public static JsonWebKey Parse(string json) =>
        StrictJson.TryReadObject(Encoding.UTF8.GetBytes(json), out var key) == StrictJson.Fault.None
            ? Read(key) : throw new FormatException("The key is no JSON object without duplicate members.");

    internal static JsonWebKey Read(JsonElement json) => Read(json, "sig");

    /// <summary>Reads one key that, if it says what it is for, is for this.</summary>
    internal static JsonWebKey Read(JsonElement json, string expectedUse)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new FormatException("A key is a JSON object.");
        if (json.TryGetProperty("use", out var use) && !(use.ValueKind == JsonValueKind.String && use.ValueEquals(expectedUse)))
            throw new FormatException($"The key's use is not {expectedUse}.");
        if (json.TryGetProperty("key_ops", out var operations)
            && !(operations.ValueKind == JsonValueKind.Array && operations.EnumerateArray().Any(o => o.ValueKind == JsonValueKind.String && o.ValueEquals("verify"))))
            throw new FormatException("The key's key_ops do not hold verify.");
        var algorithm = json.TryGetProperty("alg", out _)
            ? JwsAlgorithm.Find(StrictJson.Text(json, "alg")) ?? throw new FormatException("The key's alg is no known signature algorithm.")
            : null;
        var type = StrictJson.Text(json, "kty");
        if (algorithm is not null && algorithm.KeyType != type)
            throw new FormatException($"The key's alg {algorithm.Name} is not of its kty.");
        if (json.TryGetProperty("kid", out var id) && id.ValueKind != JsonValueKind.String)
            throw new FormatException("The key's kid is no text.");
        var kid = StrictJson.Text(json, "kid");
        return type switch
        {
            "EC" => new(type, kid, algorithm, ReadEc(json, algorithm, out var curve), curve),
            "RSA" => new(type, kid, algorithm, ReadRsa(json), null),
            "oct" => new(type, kid, algorithm, ReadSymmetric(json, algorithm), null),
            _ => throw new FormatException("The key's kty is none of EC, RSA and oct."),
        };
    }

    /// <summary>The key's own digest (RFC 7638), base64url.</summary>
    internal string Thumbprint()
    {
        var canonical = _key switch
        {
            ECParameters point => $$"""{"crv":"{{_curve}}","kty":"EC","x":"{{Base64Url.EncodeToString(point.Q.X)}}","y":"{{Base64Url.EncodeToString(point.Q.Y)}}"}""",
            RSAParameters modulus => $$"""{"e":"{{Base64Url.EncodeToString(modulus.Exponent)}}","kty":"RSA","n":"{{Base64Url.EncodeToString(modulus.Modulus)}}"}""",
            byte[] secret => $$"""{"k":"{{Base64Url.EncodeToString(secret)}}","kty":"oct"}""",
            _ => throw new InvalidOperationException("A key of no kind has no thumbprint."),
        };
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));
    }

    /// <summary>True when the signature is right and the key may be used with the algorithm.</summary>
    internal bool Verify(JwsAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!Fits(algorithm))
            return false;
        try
        {
            return _key switch
            {
                ECParameters point => VerifyPublic(() => ECDsa.Create(point), algorithm, data, signature),
                RSAParameters modulus => signature.Length == modulus.Modulus!.Length && VerifyPublic(() => RSA.Create(modulus), algorithm, data, signature),
                byte[] secret => CryptographicOperations.FixedTimeEquals(CryptographicOperations.HmacData(algorithm.Hash, secret, data), signature),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false;   // a signature so malformed that the platform will not look at it is a wrong signature
        }
    }

    /// <summary>True when this key may check that algorithm: same type, same curve, and the pinned one where the key names it.</summary>
    internal bool Fits(JwsAlgorithm algorithm) =>
        algorithm.KeyType == KeyType && (Pinned is null || Pinned == algorithm) && algorithm.Curve == _curve;

    /// <summary>Making the platform's key costs as much as half a verification, so it is kept.</summary>
    private bool VerifyPublic(Func<AsymmetricAlgorithm> make, JwsAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!_idle.TryTake(out var key))
            key = make();
        try
        {
            return key is ECDsa point
                ? point.VerifyData(data, signature, algorithm.Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
                : ((RSA)key).VerifyData(data, signature, algorithm.Hash, algorithm.Padding);
        }
        finally
        {
            _idle.Add(key);
        }
    }

    private static ECParameters ReadEc(JsonElement json, JwsAlgorithm? algorithm, out string curve)
    {
        RefusePrivate(json);
        curve = StrictJson.Text(json, "crv") ?? "";
        if (!Curves.TryGetValue(curve, out var known) || (algorithm is not null && algorithm.Curve != curve))
            throw new FormatException("The key's crv is unknown or not that of its alg.");
        var point = new ECParameters { Curve = known.Curve, Q = new() { X = Bytes(json, "x"), Y = Bytes(json, "y") } };
        if (point.Q.X.Length != known.Bytes || point.Q.Y.Length != known.Bytes)
            throw new FormatException($"The key's coordinates are not {known.Bytes} bytes long.");
        try
        {
            using var key = ECDsa.Create(point);
            return point;
        }
        catch (CryptographicException fault)
        {
            throw new FormatException("The key's point is not on its curve.", fault);
        }
    }

    private static RSAParameters ReadRsa(JsonElement json)
    {
        RefusePrivate(json);
        var modulus = Bytes(json, "n");
        var exponent = Bytes(json, "e");
        if (RsaKeyStrength.Fault(modulus, exponent) is { } fault)
            throw new FormatException($"The key's {fault}.");
        return new() { Modulus = modulus, Exponent = exponent };
    }

    private static byte[] ReadSymmetric(JsonElement json, JwsAlgorithm? algorithm)
    {
        var secret = Bytes(json, "k");
        if (algorithm is null)
            throw new FormatException("A symmetric key must name its alg.");
        return secret.Length >= algorithm.HashBytes ? secret
            : throw new FormatException($"A key for {algorithm.Name} must be at least {algorithm.HashBytes} bytes long (RFC 7518, section 3.2).");
    }

    private static void RefusePrivate(JsonElement json)
    {
        if (json.TryGetProperty("d", out _))
            throw new FormatException("The key holds its private half; give the public half only.");
    }

    private static byte[] Bytes(JsonElement json, string name) =>
        StrictJson.Text(json, name) is { } text && StrictBase64Url.TryDecode(text, out var bytes) ? bytes
            : throw new FormatException($"The key's {name} is no base64url.");
}
