using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Server;

/// <summary>A certificate authority that lives for one call.</summary>
internal sealed class DevelopmentAuthority : IDisposable
{
    private const string Organisation = "Bulwark development - not for production";
    private readonly DateTimeOffset _from;
    private readonly DateTimeOffset _until;

    internal DevelopmentAuthority(DateTimeOffset from, DateTimeOffset until)
    {
        _from = from;
        _until = until;
        Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request("Bulwark development authority", Key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        Certificate = request.CreateSelfSigned(from, until);
    }

    internal ECDsa Key { get; }

    internal X509Certificate2 Certificate { get; }

    internal X509Certificate2 IssueServer(string host)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        return Issue(host, names, "1.3.6.1.5.5.7.3.1");
    }

    internal X509Certificate2 IssueClient(string name)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri($"spiffe://bulwark.invalid/client/{name}"));
        return Issue(name, names, "1.3.6.1.5.5.7.3.2");
    }

    private X509Certificate2 Issue(string name, SubjectAlternativeNameBuilder names, string purpose)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(name, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));
        request.CertificateExtensions.Add(names.Build());
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);   // positive, and never shorter
        using var issued = request.Create(Certificate, _from, _until, serial);
        return issued.CopyWithPrivateKey(key);
    }

    private static CertificateRequest Request(string name, ECDsa key)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddOrganizationName(Organisation);
        subject.AddCommonName(name);
        return new(subject.Build(), key, HashAlgorithmName.SHA256);
    }

    public void Dispose()
    {
        Certificate.Dispose();
        Key.Dispose();
    }
}
