namespace Bulwark.Attestation;

/// <summary>Finds what is unsound in an evidence policy.</summary>
internal static class EvidencePolicyFaults
{
    internal static IEnumerable<string> Of(EvidencePolicy policy) => [.. Frame(policy), .. Simulated(policy), .. Hardware(policy), .. Measurements(policy), .. Models(policy), .. policy.Release.Faults()];

    private static IEnumerable<string> Frame(EvidencePolicy policy)
    {
        if (policy.Format != EvidencePolicy.FormatName) yield return $"The format is {policy.Format}; this version reads {EvidencePolicy.FormatName}.";
        if (policy.Version < 1) yield return $"The version is {policy.Version}; it must be 1 or more.";
        if (!Enum.IsDefined(policy.Environment)) yield return "The environment is neither production nor development.";
        if (policy.Kinds.Count == 0) yield return "No kind of evidence is let in.";
        foreach (var kind in policy.Kinds.Except(EvidenceKinds.All, StringComparer.Ordinal))
            yield return $"Kind '{kind}' is not built; this version verifies: {string.Join(", ", EvidenceKinds.All)}.";
        if (policy.MaximumAgeSeconds is < 1 or > 3600) yield return $"The maximum age is {policy.MaximumAgeSeconds} s; it must be from 1 to 3600.";
        if (policy.MaximumCollateralAgeDays is < 0 or > 365) yield return $"The maximum age of collateral is {policy.MaximumCollateralAgeDays} days; it must be from 0 to 365.";
    }

    private static IEnumerable<string> Simulated(EvidencePolicy policy)
    {
        var letsIn = policy.Kinds.Contains(EvidenceKinds.Simulated);
        if (policy.Environment is EvidenceEnvironment.Production && (letsIn || policy.InsecureSimulated || policy.SimulatedKeys.Count > 0))
            yield return "A production policy refuses simulated evidence: it proves nothing about the machine.";
        if (letsIn && !policy.InsecureSimulated)
            yield return "Simulated evidence is insecure; a development policy that lets it in must say \"insecureSimulated\": true.";
        if (letsIn && policy.SimulatedKeys.Count == 0) yield return "Simulated evidence is let in, but no development key.";
    }

    private static IEnumerable<string> Hardware(EvidencePolicy policy)
    {
        var azure = policy.Kinds.Contains(EvidenceKinds.AzureVtpm);
        if ((policy.Kinds.Contains(EvidenceKinds.SevSnp) || (azure && policy.Tdx is null)) && policy.Snp is null) yield return "SNP evidence is let in, but the policy has no \"snp\".";
        if (policy.Kinds.Contains(EvidenceKinds.Tdx) && policy.Tdx is null) yield return "TDX evidence is let in, but the policy has no \"tdx\".";
        if (policy.Kinds.Contains(EvidenceKinds.Sgx) && policy.Sgx is null) yield return "SGX evidence is let in, but the policy has no \"sgx\".";
        if ((policy.Kinds.Contains(EvidenceKinds.Tpm) || azure) && policy.Tpm is null) yield return "TPM evidence is let in, but the policy has no \"tpm\".";
        foreach (var fault in policy.Snp?.Faults() ?? []) yield return fault;
        foreach (var fault in policy.Tdx?.Faults("tdx") ?? []) yield return fault;
        foreach (var fault in policy.Sgx?.Faults("sgx") ?? []) yield return fault;
        foreach (var fault in policy.Tpm?.Faults(policy.Kinds.Contains(EvidenceKinds.Tpm)) ?? []) yield return fault;
        foreach (var fault in policy.Nvidia?.Faults() ?? []) yield return fault;
        if (policy.Environment is not EvidenceEnvironment.Production) yield break;
        if (policy.Snp is { RequireRevocation: false } || policy.Tdx is { RequireRevocation: false } || policy.Sgx is { RequireRevocation: false })
            yield return "A production policy asks for revocation lists.";
        if (policy.Kinds.Any(kind => kind is EvidenceKinds.SevSnp or EvidenceKinds.Tdx or EvidenceKinds.Sgx or EvidenceKinds.AzureVtpm) && policy.MaximumCollateralAgeDays is < 1 or > 90)
            yield return "A production policy says how old collateral may be: maximumCollateralAgeDays from 1 to 90.";
    }

    private static IEnumerable<string> Measurements(EvidencePolicy policy)
    {
        if (policy.Measurements.Count == 0) yield return "No measurement is let in.";
        if (policy.Environment is EvidenceEnvironment.Production && policy.Provenance is null)
            yield return "A production policy says who may publish measurements, and in which log: provenance.";
        if (policy.Provenance is { Publishers.Count: 0 }) yield return "The provenance names no publisher.";
        foreach (var measurement in policy.Measurements)
        {
            if (measurement.Fault(policy.Provenance) is { } fault)
                yield return fault;
        }
    }

    private static IEnumerable<string> Models(EvidencePolicy policy)
    {
        if (policy.Models.Count == 0) yield return "No model's key may be released.";
        if (policy.Models.Select(model => model.Package).Distinct().Count() != policy.Models.Count) yield return "A model package is listed twice.";
        foreach (var model in policy.Models.Where(model => model.Name.Length > 0 && ModelRule.Compare(model.Version, model.Version) is null))
            yield return $"Model {model.Name} has the version '{model.Version}'; a version is numbers with dots between them.";
        foreach (var (name, version) in policy.MinimumModelVersions.Where(floor => ModelRule.Compare(floor.Value, floor.Value) is null))
            yield return $"The lowest version of {name} is '{version}'; a version is numbers with dots between them.";
        if (policy.MinimumModelVersions.Count == 0)
            yield break;
        foreach (var model in policy.Models.Where(model => model.Name.Length == 0))
            yield return $"Model {model.Package} has no name, so no lowest version could hold it.";
    }
}
