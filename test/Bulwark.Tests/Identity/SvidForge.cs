using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Server;

namespace Bulwark.Tests.Identity;

/// <summary>Makes X.509-SVIDs, good ones by default.</summary>
internal sealed class SvidForge
{
    internal static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly ECDsa _authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;

    internal SvidForge()
    {
        var request = new CertificateRequest("CN=root", _authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _authority = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
    }

    internal byte[] Root => _authority.RawData;

    internal string[] Uris { get; set; } = ["spiffe://bank.example/payments"];
    internal string[] Purposes { get; set; } = [CertificatePathOptions.ClientAuthentication, CertificatePathOptions.ServerAuthentication];
    internal bool KeyUsageIsCritical { get; set; } = true;
    internal bool MaySign { get; set; }
    internal bool IsAuthority { get; set; }

    internal byte[] Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=payments", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(IsAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | (MaySign ? X509KeyUsageFlags.CrlSign : 0) | (IsAuthority ? X509KeyUsageFlags.KeyCertSign : 0), KeyUsageIsCritical));
        var purposes = new OidCollection();
        foreach (var purpose in Purposes)
            purposes.Add(new Oid(purpose));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(purposes, false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, true, false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("payments.bank.example");
        foreach (var uri in Uris)
            names.AddUri(new Uri(uri));
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(_authority, Now.AddHours(-1), Now.AddHours(1), [0x40, 1, 2, 3, 4, 5, 6, 7]);
        return issued.RawData;
    }
}
