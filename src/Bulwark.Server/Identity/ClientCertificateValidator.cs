using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Server;

/// <summary>Decides whether the certificate that a TLS connection showed belongs to a client of ours.</summary>
/// <remarks>
/// Trust comes from the configured roots alone: the machine's store, the network and forwarded headers play no part.
/// Immutable and thread-safe. The rules are those of <see cref="CertificateProfile.Client"/>.
/// </remarks>
public sealed class ClientCertificateValidator
{
    private readonly CertificatePathValidator _paths;
    private readonly TimeProvider _time;

    /// <param name="trustRoots">The authorities that may issue client certificates; at least one.</param>
    /// <param name="time">The clock that dates are held against; the system's when null.</param>
    /// <param name="revocationLists">Their revocation lists, DER; when there are any, each certificate needs a good one.</param>
    /// <exception cref="ArgumentException">There is no root, or one cannot be read.</exception>
    public ClientCertificateValidator(IEnumerable<X509Certificate2> trustRoots, TimeProvider? time = null, IReadOnlyList<byte[]>? revocationLists = null)
    {
        ArgumentNullException.ThrowIfNull(trustRoots);
        _paths = new([.. trustRoots.Select(root => root.RawData)], new() { RevocationLists = revocationLists ?? [] });
        _time = time ?? TimeProvider.System;
    }

    /// <summary>Checks one certificate.</summary>
    /// <param name="leaf">The certificate that this TLS connection proved possession of; null when it showed none.</param>
    /// <param name="presented">The other certificates that the peer sent, in any order; they are hints, never trusted.</param>
    public CertificateVerdict Validate(X509Certificate2? leaf, IEnumerable<X509Certificate2>? presented = null) => Validate(leaf, presented, out _);

    /// <summary>Checks one certificate and says why it is refused.</summary>
    /// <param name="leaf">The certificate that this TLS connection proved possession of; null when it showed none.</param>
    /// <param name="presented">The other certificates that the peer sent, in any order; they are hints, never trusted.</param>
    /// <param name="detail">One sentence on a refusal, for a log; empty when trusted.</param>
    public CertificateVerdict Validate(X509Certificate2? leaf, IEnumerable<X509Certificate2>? presented, out string detail)
    {
        detail = "The connection showed no certificate.";
        return leaf is null ? CertificateVerdict.NoCertificate
            : _paths.Validate(leaf.RawDataMemory.Span, (presented ?? []).Select(certificate => certificate.RawData), _time.GetUtcNow(), out detail);
    }
}
