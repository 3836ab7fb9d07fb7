using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>A lease that runs, as a broker keeps it; no secret in it.</summary>
public sealed record KeyLeaseRecord
{
    /// <summary>The release's name: 32 hexadecimal digits.</summary>
    public required string ReleaseId { get; init; }
    /// <summary>The first release of the chain of renewals that this one belongs to; the release itself when it is the first.</summary>
    public string? Root { get; init; }
    /// <summary>The model package.</summary>
    public required Digest Model { get; init; }
    /// <summary>Until when the key may be used.</summary>
    public required DateTimeOffset Ends { get; init; }
    /// <summary>The worker's start, hexadecimal.</summary>
    public required string BootId { get; init; }
    /// <summary>The worker's receipt key.</summary>
    public required VerificationKey ReceiptKey { get; init; }
    /// <summary>Digest of the evidence.</summary>
    public required Digest Evidence { get; init; }
    /// <summary>The evidence's kind.</summary>
    public required string Kind { get; init; }
    /// <summary>Which machine; null when the evidence does not say.</summary>
    public string? Platform { get; init; }
    /// <summary>True unless real hardware vouched.</summary>
    public required bool Insecure { get; init; }
}
