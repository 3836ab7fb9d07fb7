using System.Security.Cryptography.X509Certificates;
using Bulwark.Attestation;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Server;
using Bulwark.Worker;

namespace Bulwark.Cli;

/// <summary>A workspace and a package made into options of a gateway. Dispose of it after the gateway.</summary>
internal sealed class GatewaySetup : IDisposable
{
    /// <summary>The key that signs simulated evidence. Whoever holds it can claim anything: development only.</summary>
    internal const string DevelopmentKey = "attestation-development";

    /// <summary>What a development gateway permits: its client <c>payments</c> may score, <c>analyst</c> may only look.</summary>
    internal const string DevelopmentPolicy =
        """
        // Development: who may do what. Nothing else is permitted.
        permit (principal == Client::"payments", action in [Action::"infer", Action::"inspect"], resource);
        permit (principal == Client::"analyst", action == Action::"inspect", resource);

        """;

    private readonly Signer _attestation;
    private readonly Signer _statements;
    private readonly X509Certificate2 _server;
    private HttpClient? _http;
    private WitnessRound? _witnesses;

    private readonly WorkspaceKeys _uses;

    private GatewaySetup(Workspace workspace, KeyRing keys, TransparencyLog log, X509Certificate2 server)
    {
        _uses = WorkspaceKeys.Over(workspace, keys, log, "serve");
        Keys = keys;
        Log = log;
        _server = server;
        keys.GetOrCreateSigning(DevelopmentKey);
        _attestation = keys.OpenSigner(DevelopmentKey);
        _statements = keys.OpenSigner(Workspace.SigningKey);
    }

    internal KeyRing Keys { get; }

    internal TransparencyLog Log { get; }

    /// <summary>The options; change them with <c>with</c>.</summary>
    internal GatewayOptions Options { get; private set; } = null!;

    /// <summary>A gateway for development: identities of one's own, simulated evidence, a policy for two clients. Insecure, and says so everywhere.</summary>
    /// <param name="workspace">Whose keys and log.</param>
    /// <param name="package">The sealed model.</param>
    /// <param name="pki">The folder of development identities; made when it is not there.</param>
    internal static async Task<GatewaySetup> DevelopmentAsync(Workspace workspace, string package, string pki)
    {
        var identity = File.Exists(Path.Combine(pki, "ca.crt")) ? DevelopmentIdentity.Open(pki) : DevelopmentIdentity.Create(pki);
        var keys = workspace.OpenKeys();
        var setup = new GatewaySetup(workspace, keys, await workspace.OpenLogAsync(keys), identity.LoadServer());
        setup.FollowWitnesses(workspace);
        setup.Options = setup.With(package, DevelopmentEvidencePolicy(keys, package), DevelopmentPolicy, [identity.LoadAuthority()], identity.TokenOptions()) with
        {
            RevocationLists = Serving.GatewayReload.RevocationLists(pki),
            TrustBundle = Serving.GatewayReload.Bundle(pki),
            TrailDirectory = workspace.TrailDirectory,
        };
        return setup;
    }

    /// <summary>A gateway from files that an operator wrote.</summary>
    internal static async Task<GatewaySetup> FromFilesAsync(
        Workspace workspace, string package, string pki, string policy, string evidencePolicy, string issuer, string audience, OidcKeys? issuerKeys = null, CancellationToken cancel = default)
    {
        var keys = workspace.OpenKeys();
        var server = X509Certificate2.CreateFromPemFile(Path.Combine(pki, "server.crt"), Path.Combine(pki, "server.key"));
        var setup = new GatewaySetup(workspace, keys, await workspace.OpenLogAsync(keys), server);
        setup.FollowWitnesses(workspace);
        var tokens = new AccessTokenOptions { Keys = issuerKeys is null ? JsonWebKeySet.Parse(await File.ReadAllTextAsync(Path.Combine(pki, "token-keys.json"), cancel)) : await issuerKeys.FetchAsync(cancel), Issuer = issuer, Audience = audience };
        setup.Options = setup.With(package, EvidencePolicySignature.Open(await File.ReadAllBytesAsync(evidencePolicy, cancel), [keys.PublicKey(Workspace.SigningKey)]), await File.ReadAllTextAsync(policy, cancel), Serving.GatewayReload.Authorities(pki), tokens) with
        {
            TokenIssuer = issuerKeys,
            RevocationLists = Serving.GatewayReload.RevocationLists(pki),
            TrustBundle = Serving.GatewayReload.Bundle(pki),
            TrailDirectory = workspace.TrailDirectory,
        };
        return setup;
    }

    /// <summary>The evidence policy of a development gateway: this build of the worker, this package, this workspace's development key.</summary>
    internal static EvidencePolicy DevelopmentEvidencePolicy(KeyRing keys, string package)
    {
        keys.GetOrCreateSigning(DevelopmentKey);
        return new()
        {
            Environment = EvidenceEnvironment.Development,
            Kinds = [EvidenceKinds.Simulated],
            InsecureSimulated = true,
            SimulatedKeys = [keys.PublicKey(DevelopmentKey)],
            Measurements = [WorkerClosure.Measure()],
            Models = [Digest.OfFile(package)],
            MaximumAgeSeconds = 300,
        };
    }

    /// <summary>The same setup with other Cedar policies.</summary>
    internal GatewaySetup WithPolicy(string policy)
    {
        Options = Options with { Policy = policy };
        return this;
    }

    public void Dispose()
    {
        _uses.Dispose();
        _witnesses?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _http?.Dispose();
        Log.DisposeAsync().AsTask().GetAwaiter().GetResult();   // the tree takes in what was appended last
        _attestation.Dispose();
        _statements.Dispose();
        _server.Dispose();
        Keys.Dispose();
    }

    /// <summary>Where the workspace names witnesses, each checkpoint of the log is submitted to them as long as the gateway lives.</summary>
    private void FollowWitnesses(Workspace workspace)
    {
        if (!File.Exists(workspace.WitnessPolicyPath))
            return;
        _http = Logs.LogSource.Http();
        _witnesses = new WitnessRound(Log, LogPolicy.Parse(File.ReadAllBytes(workspace.WitnessPolicyPath)), _http);
    }

    private GatewayOptions With(string package, EvidencePolicy evidence, string policy, IReadOnlyList<X509Certificate2> roots, AccessTokenOptions tokens) => new()
    {
        PackagePath = package,
        Publishers = [Keys.PublicKey(Workspace.SigningKey)],
        Keys = Keys,
        PackageKeys = _uses.Stores,
        Signer = _statements,
        EvidencePolicy = evidence,
        EvidenceSource = new SimulatedEvidenceSource(_attestation, WorkerClosure.Measure(), TimeProvider.System),
        Log = Log,
        Policy = policy,
        ServerCertificate = _server,
        ClientRoots = roots,
        AccessTokens = tokens,
    };
}
