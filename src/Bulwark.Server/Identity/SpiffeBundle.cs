using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>A SPIFFE trust bundle: the authorities of a trust domain as a JSON Web Key set.</summary>
/// <remarks>Source: SPIFFE Trust Domain and Bundle, section 4. Keys of another use than <c>x509-svid</c> are passed over, as the standard asks; what is for X.509 must be sound without exception.</remarks>
public static class SpiffeBundle
{
    /// <summary>The authorities that may issue X.509-SVIDs.</summary>
    /// <param name="json">The bundle, UTF-8.</param>
    /// <exception cref="FormatException">It is no bundle, an authority in it is not sound, or there is none; the message says which.</exception>
    public static IReadOnlyList<X509Certificate2> Authorities(ReadOnlyMemory<byte> json)
    {
        if (StrictJson.TryReadObject(json, out var bundle) != StrictJson.Fault.None || !bundle.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
            throw new FormatException("A trust bundle is a JSON object with an array 'keys', no member twice.");
        if (keys.EnumerateArray().Any(key => key.ValueKind != JsonValueKind.Object))
            throw new FormatException("A key of the trust bundle is no JSON object.");
        X509Certificate2[] authorities = [.. keys.EnumerateArray().Where(key => StrictJson.Text(key, "use") == "x509-svid").Select(Authority)];
        return authorities.Length > 0 ? authorities : throw new FormatException("The trust bundle holds no authority for X.509-SVIDs.");
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
