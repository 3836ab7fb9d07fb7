using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Tests.Identity;

/// <summary>Makes certificates, good ones by default; a test changes the one thing that it is about.</summary>
internal sealed record CertificateForge
{
    internal static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    internal const string ClientPurpose = "1.3.6.1.5.5.7.3.2";
    internal const string ServerPurpose = "1.3.6.1.5.5.7.3.1";

    internal string Name { get; init; } = "client";
    internal X509Certificate2? Issuer { get; init; }
    internal bool IsAuthority { get; init; }
    internal int? PathLength { get; init; }
    internal X509KeyUsageFlags? KeyUsage { get; init; } = X509KeyUsageFlags.DigitalSignature;
    internal string? Purpose { get; init; } = ClientPurpose;
    internal DateTimeOffset From { get; init; } = Now.AddDays(-1);
    internal DateTimeOffset Until { get; init; } = Now.AddDays(30);
    internal AsymmetricAlgorithm Key { get; init; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    internal X509Extension? Extra { get; init; }
    internal string Host { get; init; } = "client.example.com";

    internal static CertificateForge Authority(string name = "root") => new()
    {
        Name = name,
        IsAuthority = true,
        KeyUsage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign,
        Purpose = null,
        From = Now.AddDays(-100),
        Until = Now.AddDays(1000),
    };

    internal X509Certificate2 Make()
    {
        var subject = new X500DistinguishedName($"CN={Name}");
        var request = Key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)Key, HashAlgorithmName.SHA256);
        if (IsAuthority)
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, PathLength is not null, PathLength ?? 0, true));
        if (KeyUsage is { } usage)
            request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        if (Purpose is not null)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(Purpose)], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (!IsAuthority)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(Host);
            request.CertificateExtensions.Add(names.Build());
        }

        if (Extra is not null)
            request.CertificateExtensions.Add(Extra);
        if (Issuer is null)
            return request.CreateSelfSigned(From, Until);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Issuer, true, false));
        var generator = X509SignatureGenerator.CreateForECDsa(Issuer.GetECDsaPrivateKey()!);
        var issued = request.Create(Issuer.SubjectName, generator, From, Until, [0x42, .. RandomNumberGenerator.GetBytes(8)]);
        return Key is RSA own ? issued.CopyWithPrivateKey(own) : issued.CopyWithPrivateKey((ECDsa)Key);
    }
}
