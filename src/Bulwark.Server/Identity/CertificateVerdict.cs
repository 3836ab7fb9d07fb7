namespace Bulwark.Server;

/// <summary>What checking a client's certificate came to. Everything but <see cref="Trusted"/> refuses.</summary>
public enum CertificateVerdict
{
    /// <summary>Nothing was checked.</summary>
    Unverified = 0,

    /// <summary>A path leads to a configured root and every rule holds.</summary>
    Trusted,

    /// <summary>The connection showed no certificate.</summary>
    NoCertificate,

    /// <summary>A certificate or one of its extensions is not what RFC 5280 says it must be.</summary>
    Malformed,

    /// <summary>No path of valid signatures leads to a configured root.</summary>
    UntrustedIssuer,

    /// <summary>A certificate of the path is past its end.</summary>
    Expired,

    /// <summary>A certificate of the path has not begun.</summary>
    NotYetValid,

    /// <summary>The client showed a certificate of an authority.</summary>
    LeafIsAuthority,

    /// <summary>The certificate is not for this purpose: its extended key usage does not name it.</summary>
    WrongExtendedKeyUsage,

    /// <summary>The key usage does not allow signing, or an issuer's does not allow signing certificates.</summary>
    WrongKeyUsage,

    /// <summary>An issuer of the path is no authority by its basic constraints.</summary>
    IssuerIsNoAuthority,

    /// <summary>More authorities follow one than its path length allows, or the path is longer than configured.</summary>
    PathTooLong,

    /// <summary>A key or a signature algorithm of the path is too weak.</summary>
    WeakKey,

    /// <summary>A name is outside the name constraints of an issuer.</summary>
    NameNotPermitted,

    /// <summary>A critical extension that this profile does not know.</summary>
    UnknownCriticalExtension,

    /// <summary>The certificate does not carry the expected name.</summary>
    WrongName,

    /// <summary>The issuer has revoked it.</summary>
    Revoked,

    /// <summary>A revocation list was given and cannot be relied on.</summary>
    RevocationUnknown,

    /// <summary>Checking it would cost more than any honest certificate asks.</summary>
    TooComplex,
}
