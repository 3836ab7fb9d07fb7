using System.Security.Cryptography.X509Certificates;
using Bulwark.Attestation;
using Bulwark.Cryptography;

namespace Bulwark.Client;

/// <summary>Whom a client trusts and who it is. The caller keeps certificates and disposes of them after the client.</summary>
public sealed record BulwarkClientOptions
{
    /// <summary>The gateway, such as <c>https://scores.example:8443/</c>. It sees ciphertext only.</summary>
    public required Uri Gateway { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>What the worker's evidence must say; the roots are pinned in it or in this library.</summary>
    public required EvidencePolicy Policy { get; init; }

    /// <summary>The transparency log's key.</summary>
    public required VerificationKey Log { get; init; }

    /// <summary>The keys that sign key releases; at least one.</summary>
    public required IReadOnlyCollection<VerificationKey> Brokers { get; init; }

    /// <summary>Vendors' certificates, revocation lists and documents, for evidence that brings none; null for none. Nothing is fetched: what is missing fails its leg.</summary>
    public CollateralFolder? Collateral { get; init; }

    /// <summary>Revocations, as <c>broker revoke --output</c> writes them: a worker that one of them names is refused, also while its lease runs.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Revocations { get; init; } = [];

    /// <summary>The authorities of the gateway's certificate; at least one.</summary>
    public required IReadOnlyList<X509Certificate2> Authorities { get; init; }

    /// <summary>The client's certificate with its private key; null where the gateway asks for none.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>The access token; null for none.</summary>
    public string? Token { get; init; }

    /// <summary>How requests are sealed: Bulwark's own protocol unless another is asked for, for gateways and relays that carry no other.</summary>
    /// <remarks>The evidence is verified as ever. EHBP leaves path and status open and has no mark at a body's end; neither it nor Oblivious HTTP pads.</remarks>
    public ObliviousProtocol Protocol { get; init; }

    /// <summary>How long one request may take.</summary>
    /// <value>20 s.</value>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Gateway.Scheme != Uri.UriSchemeHttps) yield return $"The gateway is {Gateway}; it must be https.";
        if (Model.Length == 0) yield return "The model has no name.";
        if (Brokers.Count == 0) yield return "No broker's key is trusted.";
        if (Authorities.Count == 0) yield return "No authority is trusted for the gateway's certificate.";
        foreach (var fault in Policy.Faults()) yield return fault;
        if (Revocations.Any(revocation => Revocation.Read(revocation, Policy.Release.Approvers) is null)) yield return "A revocation cannot be read, or no approver of the policy signed it.";
    }
}
