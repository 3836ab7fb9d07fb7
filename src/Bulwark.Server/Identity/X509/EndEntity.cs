namespace Bulwark.Server;

/// <summary>What the certificate of the peer itself must be.</summary>
internal static class EndEntity
{
    internal static Finding Check(ParsedCertificate certificate, CertificatePathOptions options)
    {
        var extensions = certificate.Extensions;
        if (extensions.IsAuthority && options.Profile != CertificateProfile.Rfc5280)
            return new(CertificateVerdict.LeafIsAuthority, "The certificate is an authority's, not a peer's.");
        if (extensions.KeyUsage is null ? options.Profile == CertificateProfile.Client : !extensions.IsAuthority && (extensions.KeyUsage & options.KeyUsage) != options.KeyUsage)
            return new(CertificateVerdict.WrongKeyUsage, $"The certificate's key usage does not hold {options.KeyUsage}.");
        if (options.Purpose is not null && extensions.ExtendedKeyUsage is null && options.Profile != CertificateProfile.Rfc5280)
            return new(CertificateVerdict.WrongExtendedKeyUsage, "The certificate states no extended key usage.");
        if (options.Purpose is not null && extensions.ExtendedKeyUsage is { } purposes && !purposes.Contains(options.Purpose))
            return new(CertificateVerdict.WrongExtendedKeyUsage, $"The certificate's extended key usage does not hold {options.Purpose}.");
        if (options.CommonNameRepeatsAlternativeName && WebPki.CheckCommonName(certificate) is { IsTrusted: false } refusal)
            return refusal;
        if (options.SpiffeTrustDomain is { } domain && SpiffeId.Check(certificate, domain) is { IsTrusted: false } unfit)
            return unfit;
        return options.PeerNames.FirstOrDefault(expected => !Carries(extensions, expected)) is { } missing
            ? new(CertificateVerdict.WrongName, $"The certificate does not carry the name {missing.Value}.") : Finding.Trusted;
    }

    /// <summary>Only alternative names count; a common name is a remark.</summary>
    private static bool Carries(CertificateExtensions extensions, PeerName expected) =>
        (extensions.AlternativeNames ?? []).Any(name => expected.Kind switch
        {
            PeerNameKind.Dns => name.Kind == GeneralNameKind.Dns && NameMatching.MatchesDns(name.Text, expected.Value),
            PeerNameKind.Ip => name.Kind == GeneralNameKind.Ip && NameMatching.MatchesIp(name.Bytes.Span, expected.Value),
            PeerNameKind.Email => name.Kind == GeneralNameKind.Email && NameMatching.MatchesEmail(name.Text, expected.Value),
            _ => name.Kind == GeneralNameKind.Uri && name.Text == expected.Value,
        });
}
