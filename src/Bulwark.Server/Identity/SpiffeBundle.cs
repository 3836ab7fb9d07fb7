using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>A SPIFFE trust bundle: the authorities of a trust domain as a JSON Web Key set.</summary>
/// <remarks>Source: SPIFFE Trust Domain and Bundle, section 4. Keys of another use are passed over, as the standard asks; what is for the use that is asked for must be sound without exception.</remarks>
public static class SpiffeBundle
{
    /// <summary>The authorities that may issue X.509-SVIDs.</summary>
    /// <param name="json">The bundle, UTF-8.</param>
    /// <exception cref="FormatException">It is no bundle, an authority in it is not sound, or there is none; the message says which.</exception>
    public static IReadOnlyList<X509Certificate2> Authorities(ReadOnlyMemory<byte> json)
    {
        X509Certificate2[] authorities = [.. KeysFor(json, "x509-svid").Select(Authority)];
        return authorities.Length > 0 ? authorities : throw new FormatException("The trust bundle holds no authority for X.509-SVIDs.");
    }

    /// <summary>The keys that may sign JWT-SVIDs.</summary>
    /// <param name="json">The bundle, UTF-8.</param>
    /// <exception cref="FormatException">It is no bundle, a key in it is not sound, has no <c>kid</c> or is symmetric, or there is none; the message says which.</exception>
    public static JsonWebKeySet TokenKeys(ReadOnlyMemory<byte> json)
    {
        JsonWebKey[] keys = [.. KeysFor(json, TokenUse).Select(key => JsonWebKey.Read(key, TokenUse))];
        if (keys.Length == 0)
            throw new FormatException("The trust bundle holds no key for JWT-SVIDs.");
        if (keys.Any(key => key.Id is not { Length: > 0 } || key.KeyType == "oct"))
            throw new FormatException("A key for JWT-SVIDs of the trust bundle has no kid, or is symmetric.");
        return new(keys);
    }

    private const string TokenUse = "jwt-svid";

    private static IEnumerable<JsonElement> KeysFor(ReadOnlyMemory<byte> json, string use)
    {
        if (StrictJson.TryReadObject(json, out var bundle) != StrictJson.Fault.None || !bundle.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
            throw new FormatException("A trust bundle is a JSON object with an array 'keys', no member twice.");
        if (keys.EnumerateArray().Any(key => key.ValueKind != JsonValueKind.Object))
            throw new FormatException("A key of the trust bundle is no JSON object.");
        return keys.EnumerateArray().Where(key => StrictJson.Text(key, "use") == use);
    }

    /// <summary>One authority: exactly one certificate, which is an authority's.</summary>
    private static X509Certificate2 Authority(JsonElement key)
    {
        if (!key.TryGetProperty("x5c", out var chain) || chain.ValueKind != JsonValueKind.Array || chain.GetArrayLength() != 1 || chain[0].ValueKind != JsonValueKind.String)
            throw new FormatException("An authority of the trust bundle has not exactly one certificate in x5c.");
        if (!chain[0].TryGetBytesFromBase64(out var der) || der is not [0x30, ..])
            throw new FormatException("The x5c of an authority of the trust bundle is no certificate in base64.");
        try
        {
            var certificate = X509CertificateLoader.LoadCertificate(der);
            return certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority) ? certificate
                : throw new FormatException("A certificate of the trust bundle is no authority's.");
        }
        catch (CryptographicException fault)
        {
            throw new FormatException("A certificate of the trust bundle cannot be read.", fault);
        }
    }
}
