using Bulwark.Attestation;
using Bulwark.Attestation.Sources;
using Bulwark.Server;

namespace Bulwark.Cli.Serving;

/// <summary>Where a served worker's evidence comes from, by its word on the command line.</summary>
internal static class WorkerEvidence
{
    internal const string Simulated = "simulated";

    /// <summary>Opens the device; dispose of it when it can be, after the gateway.</summary>
    internal static IEvidenceSource Open(string source, GatewayOptions options) => source switch
    {
        Simulated => options.EvidenceSource,
        "tsm" => new TsmEvidenceSource(),
        "gramine" => new GramineEvidenceSource(),
        _ when source.StartsWith("tpm:", StringComparison.Ordinal) => new TpmEvidenceSource(source["tpm:".Length..], options.EvidencePolicy.Tpm?.Required
            ?? throw new CommandException("The evidence policy says nothing of a TPM, so no registers can be quoted.", "add \"tpm\" to the policy; see docs/attestation.md")),
        _ => throw new CommandException($"There is no evidence source '{source}'.", "give simulated, tsm, gramine, tpm:/dev/tpmrm0, tpm:unix:PATH or tpm:tcp:HOST:PORT"),
    };
}
