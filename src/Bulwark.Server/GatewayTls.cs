using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Cryptography;

namespace Bulwark.Server;

/// <summary>The gateway's side of a TLS handshake: TLS 1.3, and a client certificate that our own validator trusts, or no connection.</summary>
internal sealed class GatewayTls(X509Certificate2 server, ClientTrust trust, GatewayMetrics metrics, ILogger logger)
{
    private volatile SslStreamCertificateContext _server = SslStreamCertificateContext.Create(server, additionalCertificates: null, offline: true);

    /// <summary>New connections get this certificate; living ones are not touched.</summary>
    internal void Exchange(X509Certificate2 certificate) => _server = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true);

    /// <summary>When the certificate that new connections get expires, UTC.</summary>
    internal DateTime NotAfter => _server.TargetCertificate.NotAfter.ToUniversalTime();

    internal SslServerAuthenticationOptions Options()
    {
        var options = TlsPolicy.Server();
        options.ServerCertificateContext = _server;
        options.ClientCertificateRequired = true;
        options.RemoteCertificateValidationCallback = (_, certificate, chain, _) => IsTrusted(certificate as X509Certificate2, chain);
        options.CertificateChainPolicy = ChainPolicy();
        options.CertificateRevocationCheckMode = X509RevocationMode.NoCheck;
        options.AllowTlsResume = false;   // each connection shows its certificate anew
        options.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
        return options;
    }

    private bool IsTrusted(X509Certificate2? leaf, X509Chain? chain)
    {
        var verdict = trust.Judge(leaf, chain?.ChainPolicy.ExtraStore);
        if (verdict is CertificateVerdict.Trusted)
            return true;
        metrics.ConnectionRefused(verdict);
        logger.CertificateRefused(verdict);
        return false;
    }

    /// <summary>For the platform's own look at the chain, whose answer is not used: it must not fetch anything for a stranger.</summary>
    private X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        foreach (var root in trust.Roots)
            policy.CustomTrustStore.Add(root);
        return policy;
    }
}
