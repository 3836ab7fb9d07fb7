using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Bulwark.Server;

/// <summary>SPIFFE ids and the rules of the certificates that carry them (X.509-SVID).</summary>
/// <remarks>Source: SPIFFE-ID (scheme, trust domain, path) and X509-SVID, sections 2 to 5.</remarks>
internal static class SpiffeId
{
    private const string Scheme = "spiffe://";
    private const int LongestId = 2048;
    private const int LongestTrustDomain = 255;

    /// <summary>The id that a certificate carries; null when it carries none, or more than one URI.</summary>
    internal static string? Of(byte[] certificate)
    {
        try
        {
            return ParsedCertificate.Parse(certificate).Extensions.AlternativeNames is { } names
                && names.Where(name => name.Kind == GeneralNameKind.Uri).ToList() is [var only] && Fault(only.Text) is null ? only.Text : null;
        }
        catch (Exception fault) when (fault is AsnContentException or CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The trust domain of a sound id.</summary>
    internal static string TrustDomainOf(string id) => id[Scheme.Length..].Split('/')[0];

    /// <summary>What keeps a text from being the id of a workload; null when it is one.</summary>
    internal static string? Fault(string id)
    {
        if (!id.StartsWith(Scheme, StringComparison.Ordinal) || id.Length > LongestId)
            return "it does not begin with spiffe://, or is longer than 2048 bytes";
        var rest = id[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var domain = slash < 0 ? rest : rest[..slash];
        if (domain.Length is 0 or > LongestTrustDomain || domain.Any(c => !(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '_')))
            return "its trust domain is empty, too long, or holds more than a-z, 0-9, '.', '-' and '_'";
        if (slash < 0)
            return "it has no path, so it is the id of a trust domain and not of a workload";
        foreach (var segment in rest[(slash + 1)..].Split('/'))
            if (segment.Length == 0 || segment is "." or ".." || segment.Any(c => !(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')))
                return "a segment of its path is empty, '.' or '..', or holds more than letters, digits, '.', '-' and '_'";
        return null;
    }

    /// <summary>Holds an end entity's certificate to the profile of X.509-SVIDs of one trust domain.</summary>
    internal static Finding Check(ParsedCertificate certificate, string trustDomain)
    {
        var extensions = certificate.Extensions;
        var uris = (extensions.AlternativeNames ?? []).Where(name => name.Kind == GeneralNameKind.Uri).ToList();
        if (uris.Count != 1)
            return new(CertificateVerdict.WrongName, $"An X.509-SVID carries exactly one URI; this certificate has {uris.Count}.");
        if (Fault(uris[0].Text) is { } fault)
            return new(CertificateVerdict.WrongName, $"The certificate's URI is no SPIFFE id of a workload: {fault}.");
        if (TrustDomainOf(uris[0].Text) != trustDomain)
            return new(CertificateVerdict.WrongName, "The certificate's SPIFFE id is of another trust domain.");
        if (!extensions.IsCritical(CertificateExtensions.KeyUsageOid))
            return new(CertificateVerdict.WrongKeyUsage, "An X.509-SVID states its key usage critically.");
        if (extensions.KeyUsage is { } usage && (usage & (System.Security.Cryptography.X509Certificates.X509KeyUsageFlags.KeyCertSign | System.Security.Cryptography.X509Certificates.X509KeyUsageFlags.CrlSign)) != 0)
            return new(CertificateVerdict.WrongKeyUsage, "An X.509-SVID may sign neither certificates nor revocation lists.");
        if (extensions.ExtendedKeyUsage is { } purposes && (!purposes.Contains(CertificatePathOptions.ClientAuthentication) || !purposes.Contains(CertificatePathOptions.ServerAuthentication)))
            return new(CertificateVerdict.WrongExtendedKeyUsage, "An X.509-SVID that states purposes states both client and server authentication.");
        return Finding.Trusted;
    }
}
