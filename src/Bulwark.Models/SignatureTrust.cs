using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Models.Signing;

namespace Bulwark.Models;

/// <summary>Whose signature of a model folder is believed: one key's, or that of any signer whom a root vouches for.</summary>
public abstract class SignatureTrust
{
    private protected SignatureTrust()
    {
    }

    /// <summary>The holder of this key.</summary>
    public static SignatureTrust Key(EcdsaKey key) => new KeyTrust(key ?? throw new ArgumentNullException(nameof(key)));

    /// <summary>Every signer whose certificate chains to one of these roots, at the clock's time, and is for signing code.</summary>
    /// <remarks>There is no revocation check and no time stamp: a signature is believed while its certificate is valid.</remarks>
    /// <param name="roots">Roots; those that the bundle brings are never roots.</param>
    /// <param name="time">The clock.</param>
    public static SignatureTrust Roots(X509Certificate2Collection roots, TimeProvider time) => new RootTrust(roots ?? throw new ArgumentNullException(nameof(roots)), time ?? throw new ArgumentNullException(nameof(time)));

    /// <summary>The hint of a key in a bundle: hex SHA-256 of its PEM text.</summary>
    internal static string HintOf(EcdsaKey key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(key.ToPem())));

    /// <summary>The key to check the signature with, or the verdict that there is none.</summary>
    internal abstract (ModelSignatureVerdict Verdict, string Detail, EcdsaKey? Key) Signer(OmsMaterial material);

    private sealed class KeyTrust(EcdsaKey key) : SignatureTrust
    {
        internal override (ModelSignatureVerdict, string, EcdsaKey?) Signer(OmsMaterial material) =>
            material.Method != OmsMethod.Key ? (ModelSignatureVerdict.UntrustedSigner, "signed by certificate, and a key was given to check it with", null)
            : material.Hint is { } hint && hint != HintOf(key) ? (ModelSignatureVerdict.UntrustedSigner, $"signed by another key than {key}", null)
            : (ModelSignatureVerdict.Trusted, $"key {key}", key);
    }

    private sealed class RootTrust(X509Certificate2Collection roots, TimeProvider time) : SignatureTrust
    {
        private const string CodeSigning = "1.3.6.1.5.5.7.3.3";

        internal override (ModelSignatureVerdict, string, EcdsaKey?) Signer(OmsMaterial material)
        {
            if (material.Method != OmsMethod.Certificates)
                return (ModelSignatureVerdict.UntrustedSigner, "signed by key, and roots of certificates were given to check it with", null);
            var chain = new List<X509Certificate2>();
            try
            {
                chain.AddRange(material.Certificates.Select(X509CertificateLoader.LoadCertificate));
                return Judge(chain);
            }
            catch (CryptographicException failure)
            {
                return (ModelSignatureVerdict.Malformed, $"the signer's certificate does not read: {failure.Message}", null);
            }
            finally
            {
                chain.ForEach(certificate => certificate.Dispose());
            }
        }

        private (ModelSignatureVerdict, string, EcdsaKey?) Judge(List<X509Certificate2> given)
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(roots);
            chain.ChainPolicy.ExtraStore.AddRange(given.Skip(1).ToArray());
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.VerificationTimeIgnored = false;
            chain.ChainPolicy.VerificationTime = time.GetUtcNow().UtcDateTime;
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid(CodeSigning));
            var built = chain.Build(given[0]);
            foreach (var element in chain.ChainElements.Skip(1))
                element.Certificate.Dispose();
            if (!built)
                return (ModelSignatureVerdict.UntrustedSigner, $"the certificate of {given[0].Subject} is not trusted: {string.Join("; ", chain.ChainStatus.Select(status => status.Status).Distinct())}", null);
            if (Purpose(given[0]) is { } fault)
                return (ModelSignatureVerdict.UntrustedSigner, $"the certificate of {given[0].Subject} {fault}", null);
            return (ModelSignatureVerdict.Trusted, $"certificate of {given[0].Subject}, issued by {given[0].Issuer}", EcdsaKey.FromCertificate(given[0]));
        }

        private static string? Purpose(X509Certificate2 certificate) =>
            certificate.Extensions.OfType<X509KeyUsageExtension>().All(usage => !usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature)) ? "is not for digital signatures"
            : certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().All(usage => !usage.EnhancedKeyUsages.OfType<Oid>().Any(oid => oid.Value == CodeSigning)) ? "is not for signing code"
            : null;
    }
}
