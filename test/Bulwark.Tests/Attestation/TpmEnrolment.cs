using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Bulwark.Attestation;
using Bulwark.Attestation.Sources;
using Bulwark.Attestation.Tpm;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Attestation;

/// <summary>Makes a TPM in software known: an endorsement certificate of an authority that does not exist, and a policy that lets this TPM in with the registers that it has.</summary>
internal static class TpmEnrolment
{
    internal static async Task<(EvidencePolicy Policy, byte[] Chain)> EnrolAsync(TpmEvidenceSource source, PcrSelection selection, ECDsa root, Digest model, VerificationKey receipts)
    {
        using var authority = AttestationPki.EcRoot(root, "CN=TPM Root");
        TpmPublic.TryRead((await source.IntroduceAsync(CancellationToken.None)).EndorsementKey, out var endorsement);
        var key = PublicKey.CreateFromSubjectPublicKeyInfo(endorsement!.SubjectPublicKeyInfo.Span, out _);
        var request = new CertificateRequest(new X500DistinguishedName("CN=EK"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("2.23.133.8.1")], false));
        using var certificate = request.Issue(authority, root, 2);
        var evidence = await source.CollectAsync(new() { Nonce = new byte[32] }, new() { Hpke = [], Receipt = receipts }, model, CancellationToken.None);
        PcrValues.TryDecode(evidence.Parts[EvidenceParts.Pcrs], out var pcrs);
        var policy = new EvidencePolicy
        {
            Environment = EvidenceEnvironment.Development,
            Kinds = [EvidenceKinds.Tpm],
            Measurements = [Digest.Of([.. selection.Indices.SelectMany(index => pcrs![TpmHash.Sha256][index])])],
            Models = [model],
            MaximumAgeSeconds = 300,
            Tpm = new() { Required = selection, EndorsementRoots = [authority.KeyDigest()], EndorsementKeys = [certificate.KeyDigest()] },
        };
        return (policy, Encoding.ASCII.GetBytes($"{certificate.ExportCertificatePem()}\n{authority.ExportCertificatePem()}\n"));
    }
}
