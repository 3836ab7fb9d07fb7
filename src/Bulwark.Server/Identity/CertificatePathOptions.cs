using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Server;

/// <summary>How far beyond RFC 5280 certificates are held to rules.</summary>
public enum CertificateProfile
{
    /// <summary>Clients of ours: RFC 5280, and the certificate must be an end entity's, with key usage and purpose stated.</summary>
    Client = 0,

    /// <summary>RFC 5280 alone, which lets an authority's certificate stand for an end entity and leaves purposes open.</summary>
    Rfc5280,

    /// <summary>RFC 5280 with the CA/Browser Forum's rules for servers.</summary>
    WebPki,
}

/// <summary>A kind of name that a certificate can carry.</summary>
public enum PeerNameKind
{
    /// <summary>A host name.</summary>
    Dns,

    /// <summary>An address, IPv4 or IPv6.</summary>
    Ip,

    /// <summary>An e-mail address.</summary>
    Email,

    /// <summary>A URI, such as a SPIFFE id; compared letter by letter.</summary>
    Uri,
}

/// <summary>A name that the certificate must carry in its alternative names.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Value">Its text.</param>
public sealed record PeerName(PeerNameKind Kind, string Value);

/// <summary>What a certificate path must be.</summary>
public sealed record CertificatePathOptions
{
    /// <summary>The purpose of client certificates, id-kp-clientAuth.</summary>
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>The purpose of server certificates, id-kp-serverAuth.</summary>
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>The rules.</summary>
    /// <value>Default: <see cref="CertificateProfile.Client"/>.</value>
    public CertificateProfile Profile { get; init; }

    /// <summary>The purpose that a stated extended key usage must hold; null asks for none.</summary>
    /// <value>Default: <see cref="ClientAuthentication"/>.</value>
    public string? Purpose { get; init; } = ClientAuthentication;

    /// <summary>Key usages that the certificate must state.</summary>
    /// <value>Default: digital signature.</value>
    public X509KeyUsageFlags KeyUsage { get; init; } = X509KeyUsageFlags.DigitalSignature;

    /// <summary>Names that the certificate must all carry; none when empty.</summary>
    public IReadOnlyList<PeerName> PeerNames { get; init; } = [];

    /// <summary>True to refuse a common name that is not, letter by letter, one of the alternative names (CA/Browser Forum, section 7.1.4.3).</summary>
    /// <value>Default: false; common names are remarks that nothing here reads.</value>
    public bool CommonNameRepeatsAlternativeName { get; init; }

    /// <summary>The most authorities between root and certificate; self-issued ones do not count, as for path lengths.</summary>
    /// <value>Default: 6.</value>
    public int MaximumIntermediates { get; init; } = 6;

    /// <summary>Revocation lists, DER. When there are any, each certificate below the root needs a good one from its issuer.</summary>
    public IReadOnlyList<byte[]> RevocationLists { get; init; } = [];

    /// <summary>A SPIFFE trust domain, such as <c>bank.example</c>: certificates must then be X.509-SVIDs of it. Null asks for none.</summary>
    /// <value>Default: null.</value>
    public string? SpiffeTrustDomain { get; init; }
}
