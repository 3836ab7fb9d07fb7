using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Server;
using Bulwark.Worker;

namespace Bulwark.Cli.Serving;

/// <summary>What a gateway on one developer's machine is made of: development certificates, simulated evidence, a policy that lets one client in.</summary>
internal static class DevelopmentGateway
{
    /// <summary>Signs simulated evidence.</summary>
    internal const string EvidenceKey = "evidence-development";

    /// <summary>The identities in a folder, made when it is absent.</summary>
    internal static DevelopmentIdentity Identity(string folder) =>
        File.Exists(Path.Combine(folder, "ca.crt")) ? DevelopmentIdentity.Open(folder) : DevelopmentIdentity.Create(folder);

    internal static GatewayOptions Options(ServingCase what, KeyRing keys, Signer evidence, Signer statements, TransparencyLog log, DevelopmentIdentity identity)
    {
        var measurement = WorkerClosure.Measure();
        return new GatewayOptions
        {
            PackagePath = what.Package,
            Publishers = [keys.PublicKey(Workspace.SigningKey)],
            Keys = keys,
            Signer = statements,
            EvidencePolicy = new EvidencePolicy
            {
                Environment = EvidenceEnvironment.Development,
                Kinds = [EvidenceKinds.Simulated],
                InsecureSimulated = true,
                SimulatedKeys = [evidence.PublicKey],
                Measurements = [measurement],
                Models = [what.PackageDigest],
                MaximumAgeSeconds = 60,
            },
            EvidenceSource = new SimulatedEvidenceSource(evidence, measurement, TimeProvider.System),
            Log = log,
            Policy = $$"""
                permit (principal == Client::"payments", action in [Action::"infer", Action::"inspect"], resource == Model::"{{what.ModelName}}");
                """,
            ServerCertificate = identity.LoadServer(),
            ClientRoots = [identity.LoadAuthority()],
            AccessTokens = identity.TokenOptions(),
        };
    }

    /// <summary>The model in a package of this workspace, opened in memory.</summary>
    internal static async Task<IScorer> OpenScorerAsync(string package, KeyRing keys, CancellationToken cancel)
    {
        await using var stream = File.OpenRead(package);
        using var model = await SealedModel.OpenAsync(stream, keys, [keys.PublicKey(Workspace.SigningKey)], cancel);
        return model.OpenScorer();
    }
}
