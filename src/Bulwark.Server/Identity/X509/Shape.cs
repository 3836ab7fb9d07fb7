using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Server;

/// <summary>What RFC 5280 asks of every certificate, wherever it stands in a path.</summary>
internal static class Shape
{
    private const int MaximumSerialBytes = 20;
    private static readonly HashSet<string> Understood =
    [
        CertificateExtensions.BasicConstraintsOid, CertificateExtensions.KeyUsageOid, CertificateExtensions.ExtendedKeyUsageOid,
        CertificateExtensions.AlternativeNameOid, CertificateExtensions.NameConstraintsOid,
    ];

    internal static Finding Check(ParsedCertificate certificate, string role, bool isRoot)
    {
        var extensions = certificate.Extensions;
        if (extensions.Critical.FirstOrDefault(oid => !Understood.Contains(oid)) is { } unknown)
            return new(CertificateVerdict.UnknownCriticalExtension, $"{role} has the critical extension {unknown}, which must be understood and is not.");
        if (certificate.Key.Weakness is { } weakness)
            return new(CertificateVerdict.WeakKey, $"{role} is refused: {weakness}.");
        return Fault(certificate, extensions, isRoot) is { } fault ? new(CertificateVerdict.Malformed, $"{role} {fault}.") : Finding.Trusted;
    }

    private static string? Fault(ParsedCertificate certificate, CertificateExtensions extensions, bool isRoot)
    {
        if (certificate.Serial.Sign <= 0 || certificate.SerialBytes > MaximumSerialBytes)
            return "has a serial number that is not positive or longer than 20 octets (RFC 5280, section 4.1.2.2)";
        if (certificate.Issuer.IsEmpty)
            return "names no issuer";
        if (extensions.AuthorityKeyIdentifier?.KeyIdentifier is null && !(isRoot && certificate.IsSelfSigned))
            return "has no authority key identifier (section 4.2.1.1)";
        if (extensions.Has(CertificateExtensions.PolicyConstraintsOid))
            return "has policy constraints, which must be critical";
        if (extensions.NameConstraints is not null && !(extensions.IsAuthority && extensions.IsCritical(CertificateExtensions.NameConstraintsOid)))
            return "has name constraints that are not critical or not an authority's (section 4.2.1.10)";
        if (extensions.KeyUsage is { } usage && usage.HasFlag(X509KeyUsageFlags.KeyCertSign) != extensions.IsAuthority)
            return "may sign certificates without being an authority, or the reverse (section 4.2.1.9)";
        return AlternativeNameFault(certificate, extensions);
    }

    private static string? AlternativeNameFault(ParsedCertificate certificate, CertificateExtensions extensions)
    {
        if (certificate.Subject.IsEmpty && !extensions.IsCritical(CertificateExtensions.AlternativeNameOid))
            return "has neither a subject nor critical alternative names (section 4.2.1.6)";
        foreach (var name in extensions.AlternativeNames ?? [])
        {
            if (name.Kind == GeneralNameKind.Dns && !NameMatching.IsDnsName(name.Text))
                return "has a DNS name that is none";
            if (name.Kind == GeneralNameKind.Ip && !NameMatching.IsIpAddress(name))
                return "has an IP name that is no address";
        }

        return null;
    }
}
