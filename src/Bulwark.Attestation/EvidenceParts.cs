namespace Bulwark.Attestation;

/// <summary>The names of <see cref="Evidence.Parts"/>; which kind knows which: docs/formats/evidence.md.</summary>
public static class EvidenceParts
{
    /// <summary>SNP: VCEK or VLEK, DER or PEM.</summary>
    public const string Leaf = "leaf";
    /// <summary>SNP: ASK or ASVK, DER or PEM.</summary>
    public const string Signing = "signing";
    /// <summary>SNP: ARK, DER or PEM.</summary>
    public const string Root = "root";
    /// <summary>SNP: AMD's revocation list, DER or PEM.</summary>
    public const string RevocationList = "revocation-list";
    /// <summary>SNP: the host's table of certificates (the kernel's <c>auxblob</c>), instead of single certificates.</summary>
    public const string CertificateTable = "certificate-table";
    /// <summary>TDX and SGX: Intel's collateral, one JSON document.</summary>
    public const string Collateral = "collateral";
    /// <summary>TPM: TPMT_SIGNATURE over the quote.</summary>
    public const string Signature = "signature";
    /// <summary>TPM: the attestation key's TPM2B_PUBLIC.</summary>
    public const string AttestationKey = "ak-public";
    /// <summary>TPM: the registers' values; see <see cref="Tpm.PcrValues"/>.</summary>
    public const string Pcrs = "pcrs";
    /// <summary>TPM: the endorsement certificate and its issuers as PEM, root last.</summary>
    public const string EndorsementChain = "ek-chain";
    /// <summary>TPM: the endorsement key's TPM2B_PUBLIC.</summary>
    public const string EndorsementKey = "ek-public";
    /// <summary>TPM: the secret of the challenge's credential, which only the TPM that holds both keys can read.</summary>
    public const string Credential = "credential";
    /// <summary>TPM: the firmware's event log (TCG2). TDX: the event log as CCEL.</summary>
    public const string EventLog = "event-log";
    /// <summary>Azure: the HCL report, with the processor's report and the runtime data.</summary>
    public const string HclReport = "hcl-report";
    /// <summary>Azure on TDX: the quote of the trust domain.</summary>
    public const string Quote = "quote";
    /// <summary>Any kind, where the policy has <c>nvidia</c>: the GPU's report (SPDM).</summary>
    public const string GpuReport = "gpu-report";
    /// <summary>Any kind, where the policy has <c>nvidia</c>: the GPU's certificates as PEM, the report's signer first, the root last.</summary>
    public const string GpuChain = "gpu-chain";
}
