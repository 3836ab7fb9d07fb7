using System.Security.Cryptography.X509Certificates;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Server;

/// <summary>All that one key broker needs. The caller keeps what it gave and disposes of it after the host.</summary>
public sealed record BrokerOptions
{
    /// <summary>The sealed packages whose keys the broker holds; their policy decides which may leave.</summary>
    public required IReadOnlyList<string> Packages { get; init; }

    /// <summary>The keys whose signature on a package is trusted; at least one.</summary>
    public required IReadOnlyCollection<VerificationKey> Publishers { get; init; }

    /// <summary>Unwraps the packages' data keys, once evidence has passed.</summary>
    public required KeyRing Keys { get; init; }

    /// <summary>Signs what the broker writes to the log.</summary>
    public required Signer Signer { get; init; }

    /// <summary>What evidence must say.</summary>
    public required EvidencePolicy Policy { get; init; }

    /// <summary>The transparency log, open for appending.</summary>
    public required TransparencyLog Log { get; init; }

    /// <summary>What brokers must not forget; brokers behind one store never disagree.</summary>
    public required IBrokerStore Store { get; init; }

    /// <summary>The broker's certificate with its private key.</summary>
    public required X509Certificate2 ServerCertificate { get; init; }

    /// <summary>Vendors' documents for evidence that brings none; null for none.</summary>
    public CollateralFolder? Collateral { get; init; }

    /// <summary>The port; 0 for any free one.</summary>
    public int Port { get; init; }

    /// <summary>True to listen on every address; else on loopback only.</summary>
    public bool ListenOnAnyAddress { get; init; }

    /// <summary>The port of metrics, on loopback only and without TLS; 0 for any free one, null for none.</summary>
    public int? MetricsPort { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Receives the broker's own log lines; null for none.</summary>
    public Action<ILoggingBuilder>? Logging { get; init; }

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var package in Packages.Where(package => !File.Exists(package))) yield return $"There is no package {package}.";
        if (Packages.Count == 0) yield return "There is no package whose key could be released.";
        if (Publishers.Count == 0) yield return "No publisher is trusted; give the key that signed the packages.";
        if (!ServerCertificate.HasPrivateKey) yield return "The server's certificate has no private key.";
        if (Port is < 0 or > 65535 || MetricsPort is < 0 or > 65535) yield return "A port is from 0 to 65535.";
        foreach (var fault in Policy.Faults()) yield return fault;
    }
}
