namespace Bulwark.Server;

/// <summary>What the CA/Browser Forum's baseline requirements add for servers.</summary>
/// <remarks>Source: CA/Browser Forum, "Baseline Requirements for TLS Server Certificates", section 7.1. Its rule on public suffixes needs their list and is not kept here.</remarks>
internal static class WebPki
{
    private const string AnyPurpose = "2.5.29.37.0";

    internal static Finding Check(ParsedCertificate certificate, string role, bool isLeaf, bool isRoot)
    {
        var extensions = certificate.Extensions;
        var fault =
            certificate.Key.IsRsa && certificate.Key.RsaBits % 8 != 0 ? "has an RSA modulus that is no whole number of bytes"
            : isLeaf ? LeafFault(certificate, extensions)
            : isRoot ? RootFault(certificate, extensions)
            : null;
        return fault is null ? Finding.Trusted : new(CertificateVerdict.Malformed, $"{role} {fault}.");
    }

    private static string? LeafFault(ParsedCertificate certificate, CertificateExtensions extensions)
    {
        if (extensions.AlternativeNames is null)
            return "has no alternative names";
        if (!certificate.Subject.IsEmpty && extensions.IsCritical(CertificateExtensions.AlternativeNameOid))
            return "has critical alternative names beside a subject";
        if (extensions.ExtendedKeyUsage is { } purposes && (purposes.Contains(AnyPurpose) || extensions.IsCritical(CertificateExtensions.ExtendedKeyUsageOid)))
            return "has any purpose, or a critical extended key usage";
        return null;
    }

    /// <summary>Section 7.1.4.3: a common name repeats an alternative name, letter by letter.</summary>
    internal static Finding CheckCommonName(ParsedCertificate certificate) =>
        certificate.Subject.Values(DistinguishedName.CommonNameOid).All(common => certificate.Extensions.AlternativeNames?.Any(name => Text(name) == common) ?? false)
            ? Finding.Trusted : new(CertificateVerdict.Malformed, "The certificate has a common name that is not, letter by letter, one of its alternative names.");

    private static string? RootFault(ParsedCertificate certificate, CertificateExtensions extensions)
    {
        if (extensions.ExtendedKeyUsage is not null)
            return "has an extended key usage";
        return extensions.AuthorityKeyIdentifier is { } identifier && certificate.IsSelfIssued
            && (identifier.HasOthers || identifier.KeyIdentifier is not { } key || extensions.SubjectKeyIdentifier is not { } own || !key.Span.SequenceEqual(own.Span))
                ? "has an authority key identifier that is not just its own key identifier" : null;
    }

    private static string Text(GeneralName name) => name.Kind switch
    {
        GeneralNameKind.Dns => name.Text,
        GeneralNameKind.Ip => NameMatching.IpText(name.Bytes.Span),
        _ => "",
    };
}
