using System.Security.Cryptography.X509Certificates;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Server;

/// <summary>All that one gateway with its worker needs. The caller keeps what it gave and disposes of it after the host.</summary>
public sealed record GatewayOptions
{
    /// <summary>The sealed model package to serve.</summary>
    public required string PackagePath { get; init; }

    /// <summary>The keys whose signature on a package is trusted; at least one.</summary>
    public required IReadOnlyCollection<VerificationKey> Publishers { get; init; }

    /// <summary>The key ring of the broker role: it unwraps the package's data key, once evidence has passed.</summary>
    public required KeyRing Keys { get; init; }

    /// <summary>Opens the package's key: the ring or another store, as a rule one that records its uses.</summary>
    /// <value>null: <see cref="Keys"/>, unrecorded</value>
    public IKeyProvider? PackageKeys { get; init; }

    /// <summary>Signs what the gateway and its broker write to the log.</summary>
    public required Signer Signer { get; init; }

    /// <summary>What the worker's evidence must say.</summary>
    public required EvidencePolicy EvidencePolicy { get; init; }

    /// <summary>Where the worker gets its evidence from.</summary>
    public required SimulatedEvidenceSource EvidenceSource { get; init; }

    /// <summary>The transparency log, open for appending.</summary>
    public required TransparencyLog Log { get; init; }

    /// <summary>Who may do what: Cedar policies. Principals are <c>Client::"subject"</c>, actions <c>Action::"infer"</c> and <c>Action::"inspect"</c>, resources <c>Model::"name"</c>.</summary>
    public required string Policy { get; init; }

    /// <summary>The gateway's certificate with its private key.</summary>
    public required X509Certificate2 ServerCertificate { get; init; }

    /// <summary>The authorities that may issue client certificates; at least one.</summary>
    public required IReadOnlyList<X509Certificate2> ClientRoots { get; init; }

    /// <summary>What an access token must be.</summary>
    public required AccessTokenOptions AccessTokens { get; init; }

    /// <summary>The port of the gateway; 0 for any free one.</summary>
    public int Port { get; init; }

    /// <summary>True to listen on every address; else on loopback only.</summary>
    public bool ListenOnAnyAddress { get; init; }

    /// <summary>The port of metrics, on loopback only and without TLS; 0 for any free one, null for none.</summary>
    public int? MetricsPort { get; init; } = 0;

    /// <summary>The largest request body, in bytes.</summary>
    public int MaximumBodyBytes { get; init; } = 1 << 20;

    /// <summary>Most rows of one request.</summary>
    public int MaximumRows { get; init; } = 1024;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Receives the server's own log lines; null for none.</summary>
    public Action<ILoggingBuilder>? Logging { get; init; }

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!File.Exists(PackagePath)) yield return $"There is no package {PackagePath}.";
        if (Publishers.Count == 0) yield return "No publisher is trusted; give the key that signed the package.";
        if (ClientRoots.Count == 0) yield return "No authority may issue client certificates.";
        if (!ServerCertificate.HasPrivateKey) yield return "The server's certificate has no private key.";
        if (Port is < 0 or > 65535 || MetricsPort is < 0 or > 65535) yield return "A port is from 0 to 65535.";
        if (MaximumBodyBytes is < 64 or > 1 << 30) yield return $"{nameof(MaximumBodyBytes)} is {MaximumBodyBytes}; it must be from 64 to 2^30.";
        if (MaximumRows is < 1 or > 1_000_000) yield return $"{nameof(MaximumRows)} is {MaximumRows}; it must be from 1 to 1000000.";
    }
}
