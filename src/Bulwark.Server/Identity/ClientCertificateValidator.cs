using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Server;

/// <summary>Decides whether the certificate that a TLS connection showed belongs to a client of ours.</summary>
/// <remarks>
/// Trust comes from the configured roots alone: the machine's store, the network and forwarded headers play no part.
/// Immutable and thread-safe.
/// </remarks>
public sealed class ClientCertificateValidator : IDisposable
{
    private readonly X509Certificate2Collection _roots;
    private readonly TimeProvider _time;

    /// <param name="trustRoots">The authorities that may issue client certificates; at least one. Copied.</param>
    /// <param name="time">The clock that dates are held against; the system's when null.</param>
    /// <exception cref="ArgumentException">There is no root.</exception>
    public ClientCertificateValidator(IEnumerable<X509Certificate2> trustRoots, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(trustRoots);
        _roots = [.. trustRoots.Select(root => X509CertificateLoader.LoadCertificate(root.RawData))];
        if (_roots.Count == 0)
            throw new ArgumentException("At least one trust root is needed.", nameof(trustRoots));
        _time = time ?? TimeProvider.System;
    }

    /// <summary>Checks one certificate.</summary>
    /// <param name="leaf">The certificate that this TLS connection proved possession of; null when it showed none.</param>
    /// <param name="presented">The other certificates that the peer sent, in any order; they are hints, never trusted.</param>
    public CertificateVerdict Validate(X509Certificate2? leaf, IEnumerable<X509Certificate2>? presented = null)
    {
        if (leaf is null)
            return CertificateVerdict.NoCertificate;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_roots);
        chain.ChainPolicy.ExtraStore.AddRange((presented ?? []).ToArray());
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = _time.GetUtcNow().UtcDateTime;
        chain.ChainPolicy.ApplicationPolicy.Add(new("1.3.6.1.5.5.7.3.2"));
        return chain.Build(leaf) ? CertificateVerdict.Trusted : CertificateVerdict.UntrustedIssuer;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var root in _roots)
            root.Dispose();
    }
}
