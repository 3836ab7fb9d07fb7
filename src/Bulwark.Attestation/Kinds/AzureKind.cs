using Bulwark.Attestation.Snp;
using Bulwark.Attestation.Tpm;

namespace Bulwark.Attestation.Kinds;

/// <summary>An Azure confidential machine: the processor's report vouches for runtime data, they name the virtual TPM's key, and its quote carries the nonce and the keys.</summary>
internal sealed class AzureKind() : EvidenceKind(EvidenceKinds.AzureVtpm,
    EvidenceParts.HclReport, EvidenceParts.Signature, EvidenceParts.Pcrs, EvidenceParts.EventLog, EvidenceParts.Quote, EvidenceParts.Collateral, EvidenceParts.Leaf, EvidenceParts.Signing, EvidenceParts.Root, EvidenceParts.RevocationList)
{
    internal override EvidenceFindings Appraise(Legs legs, EvidenceCase one)
    {
        var read = AzureHclReport.TryRead(one.Part(EvidenceParts.HclReport), out var hcl);
        legs.Check("hcl-format", read, "the HCL report cannot be read");
        var isTdx = read && hcl!.IsTdx;
        if (one.Policy.Tpm is not { } tpm || (isTdx ? one.Policy.Tdx is null : one.Policy.Snp is null))
            return NoPolicy(legs, one.Policy.Tpm is null ? "tpm" : isTdx ? "tdx" : "snp");
        var (processor, reportData, measured) = Processor(one, hcl, isTdx);
        foreach (var leg in processor.Legs.Where(leg => leg.Name is not "report-data"))
            legs.Done.Add(leg with { Name = leg.Name is "platform" ? "platform" : $"{(isTdx ? "tdx" : "snp")}.{leg.Name}" });
        var key = read ? AzureRuntimeData.AttestationKey(reportData, hcl!.RuntimeData.Span) : null;
        legs.Check("runtime-binding", key is not null, "the processor's report is about other runtime data, or they name no attestation key", reached: read && reportData.Length > 0, code: "RuntimeBinding");
        Quoted(legs, one, tpm, key);
        return EvidenceFindings.Of(processor, measured);
    }

    private static (PlatformAppraisal Platform, byte[] ReportData, string? Measurement) Processor(EvidenceCase one, AzureHclReport? hcl, bool isTdx)
    {
        if (isTdx)
        {
            var bytes = one.Part(EvidenceParts.Quote);
            Dcap.Quote.TryRead(bytes.Span, out var quote, out _, out _);
            return (DcapKind.Judge(one, one.Policy.Tdx!, bytes, default), quote?.ReportData.ToArray() ?? [], quote is null ? null : DcapKind.Measured(quote));
        }

        var report = hcl?.Report ?? ReadOnlyMemory<byte>.Empty;
        SnpReport.TryRead(report.Span, out var read);
        return (SnpKind.Judge(one, one.Policy.Snp!, report, default), read?.ReportData.ToArray() ?? [], SnpKind.Measured(report));
    }

    /// <summary>The quote: its key comes from the runtime data, so it needs no public area, no endorsement and no allow list of its own.</summary>
    private static void Quoted(Legs legs, EvidenceCase one, TpmPolicy section, byte[]? key)
    {
        var readable = PcrValues.TryDecode(one.Part(EvidenceParts.Pcrs).Span, out var pcrs);
        legs.Check("pcrs", readable, "the registers' values cannot be read");
        var policy = section with { AllowUnendorsed = true, AllowBareKey = true, AnyPlatform = true, AnyMeasurement = true };
        var platform = new TpmVerifier(policy, one.Time).Verify(new TpmEvidence
        {
            Attest = one.Evidence.Payload,
            Signature = one.Part(EvidenceParts.Signature),
            BareSignature = true,
            Key = key ?? [],
            Pcrs = pcrs ?? new Dictionary<TpmHash, IReadOnlyDictionary<int, byte[]>>(),
            EventLog = one.Part(EvidenceParts.EventLog),
        }, one.Evidence.QuoteData());
        foreach (var leg in platform.Legs.Where(leg => leg.Name is not ("measurement" or "platform")))
            legs.Done.Add(leg with { Name = leg.Name is "nonce" ? "binding" : $"tpm.{leg.Name}" });
        var composite = new TpmVerifier(section, one.Time).Composite(pcrs ?? new Dictionary<TpmHash, IReadOnlyDictionary<int, byte[]>>());
        legs.Require("measurement", composite is not null && TpmKind.Composites(one).Contains(composite), $"the policy does not let the registers' composite {composite} in", code: "Measurement");
    }
}
