using Bulwark.Attestation.Snp;

namespace Bulwark.Attestation.Kinds;

/// <summary>An SEV-SNP report with its certificates.</summary>
internal sealed class SnpKind() : EvidenceKind(EvidenceKinds.SevSnp, EvidenceParts.Leaf, EvidenceParts.Signing, EvidenceParts.Root, EvidenceParts.RevocationList, EvidenceParts.CertificateTable)
{
    internal override EvidenceFindings Appraise(Legs legs, EvidenceCase one)
    {
        if (one.Policy.Snp is not { } section)
            return NoPolicy(legs, "snp");
        var platform = Judge(one, section, one.Evidence.Payload, one.Evidence.ReportData());
        Take(legs, "snp", platform);
        return EvidenceFindings.Of(platform, Measured(one.Evidence.Payload));
    }

    /// <summary>Judges a report; what the evidence does not bring is taken from the verifier's own folder, and what is nowhere fails its leg.</summary>
    internal static PlatformAppraisal Judge(EvidenceCase one, SnpPolicy section, ReadOnlyMemory<byte> report, ReadOnlySpan<byte> reportData)
    {
        var table = one.Part(EvidenceParts.CertificateTable);
        var evidence = new SnpEvidence(report, one.Part(EvidenceParts.Leaf), one.Part(EvidenceParts.Signing), one.Part(EvidenceParts.Root), one.Part(EvidenceParts.RevocationList));
        if (!table.IsEmpty && SnpEvidence.FromCertificateTable(report, table) is { } fromHost)
            evidence = fromHost with { RevocationList = evidence.RevocationList };
        if (one.Collateral is { } folder && SnpReport.TryRead(report.Span, out var read))
            evidence = folder.Complete(evidence, read!);
        var policy = section with
        {
            Measurements = [.. one.Policy.Measurements.Select(let => let.Sha384).OfType<string>()],
            MaximumCollateralAge = Days(one.Policy.MaximumCollateralAgeDays),
        };
        return new SnpVerifier(policy, one.Time).Verify(evidence, reportData);
    }

    internal static string? Measured(ReadOnlyMemory<byte> report) => SnpReport.TryRead(report.Span, out var read) ? ReferenceValue.Name(read!.Measurement) : null;
}
