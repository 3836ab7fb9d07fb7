using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Tests.Attestation;

/// <summary>Certificates of vendors that do not exist, made for a test.</summary>
internal static class AttestationPki
{
    internal static readonly DateTimeOffset Start = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero), End = new(2035, 1, 1, 0, 0, 0, TimeSpan.Zero);
    internal static readonly DateTimeOffset Now = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    internal static X509Certificate2 RsaRoot(RSA key, string name) => Request(key, name, authority: true).CreateSelfSigned(Start, End);

    internal static X509Certificate2 EcRoot(ECDsa key, string name) => Request(key, name, authority: true).CreateSelfSigned(Start, End);

    internal static CertificateRequest Request(RSA key, string name, bool authority)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA384, RSASignaturePadding.Pss);
        AddConstraints(request, authority);
        return request;
    }

    internal static CertificateRequest Request(ECDsa key, string name, bool authority)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        AddConstraints(request, authority);
        return request;
    }

    internal static X509Certificate2 Issue(this CertificateRequest request, X509Certificate2 issuer, AsymmetricAlgorithm key, int serial, DateTimeOffset? end = null)
    {
        var generator = key is RSA rsa ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pss) : X509SignatureGenerator.CreateForECDsa((ECDsa)key);
        return request.Create(issuer.SubjectName, generator, Start, end ?? End, [0x01, (byte)(serial >> 8), (byte)serial]);
    }

    internal static byte[] RevocationList(X509Certificate2 issuer, AsymmetricAlgorithm key, DateTimeOffset now, params X509Certificate2[] revoked)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var certificate in revoked)
            builder.AddEntry(certificate.SerialNumberBytes.Span, now);
        var generator = key is RSA rsa ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pss) : X509SignatureGenerator.CreateForECDsa((ECDsa)key);
        var hash = key is RSA ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
        return builder.Build(issuer.SubjectName, generator, 1, now.AddDays(30), hash, X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(new X509SubjectKeyIdentifierExtension(issuer.PublicKey, false)), now.AddDays(-1));
    }

    internal static Bulwark.Cryptography.Digest KeyDigest(this X509Certificate2 certificate) => Bulwark.Cryptography.Digest.Of(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    private static void AddConstraints(CertificateRequest request, bool authority)
    {
        if (!authority)
            return;
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
    }
}
