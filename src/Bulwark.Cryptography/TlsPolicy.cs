using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Cryptography;

/// <summary>The one policy of every connection that Bulwark makes or takes: TLS 1.3 only, AES-256-GCM first, no renegotiation, no compression.</summary>
/// <remarks>
/// Sources: RFC 8446; NIST SP 800-52 revision 2; RFC 9325. Suites are set where the platform lets a program set them (OpenSSL; not Windows).
/// .NET has no setting for key-exchange groups: OpenSSL's own list holds, which from version 3.5 on begins with the hybrid X25519MLKEM768
/// (<see cref="OffersHybridKeyExchange"/>); a host narrows it by <c>Groups = …</c> in openssl.cnf.
/// </remarks>
public static class TlsPolicy
{
    /// <summary>The only version spoken.</summary>
    public const SslProtocols Protocols = SslProtocols.Tls13;

    /// <summary>The suites offered and taken, best first. All have 256-bit keys.</summary>
    public static IReadOnlyList<TlsCipherSuite> Suites { get; } = [TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256];

    /// <summary>True when the platform's library offers key exchange that a future quantum computer does not undo: OpenSSL 3.5 or later.</summary>
    public static bool OffersHybridKeyExchange => OpenSslVersion is { } version && version >= new Version(3, 5);

    /// <summary>Version of the OpenSSL that .NET uses; null on platforms without it.</summary>
    public static Version? OpenSslVersion => OperatingSystem.IsLinux() && SafeEvpPKeyHandle.OpenSslVersion is var number and not 0
        ? new Version((int)(number >> 28), (int)((number >> 20) & 0xff), (int)((number >> 4) & 0xff))
        : null;

    /// <summary>A client's side.</summary>
    /// <param name="authorities">Who may vouch for the server; null is the system's list.</param>
    /// <param name="certificate">The client's own certificate with its private key; null without.</param>
    public static SslClientAuthenticationOptions Client(X509Certificate2Collection? authorities = null, X509Certificate2? certificate = null)
    {
        var options = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = Protocols,
            CipherSuitesPolicy = SuitesPolicy(),
            AllowRenegotiation = false,
            EncryptionPolicy = EncryptionPolicy.RequireEncryption,
            CertificateRevocationCheckMode = authorities is null ? X509RevocationMode.Online : X509RevocationMode.NoCheck,
        };
        if (certificate is not null)
        {
            options.ClientCertificates = [certificate];
            options.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        if (authorities is not null)
        {
            var chain = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            chain.CustomTrustStore.AddRange(authorities);
            options.CertificateChainPolicy = chain;
        }

        return options;
    }

    /// <summary>A server's side, for its maker to add its certificate and its judgement of clients.</summary>
    public static SslServerAuthenticationOptions Server() => new()
    {
        EnabledSslProtocols = Protocols,
        CipherSuitesPolicy = SuitesPolicy(),
        AllowRenegotiation = false,
        EncryptionPolicy = EncryptionPolicy.RequireEncryption,
    };

    private static CipherSuitesPolicy? SuitesPolicy() => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() ? new CipherSuitesPolicy(Suites) : null;
}
