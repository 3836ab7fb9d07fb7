using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Attestation.Brokers;

/// <summary>A challenge that waits for its answer.</summary>
/// <param name="Secret">SHA-256 of the credential's secret; empty without a credential.</param>
/// <param name="AttestationKey">TPM2B_PUBLIC that the credential was made for; empty without one.</param>
/// <param name="EndorsementKey">TPM2B_PUBLIC that the credential was sealed to; empty without one.</param>
internal sealed record OpenChallenge(byte[] Secret, byte[] AttestationKey, byte[] EndorsementKey);

/// <summary>What <see cref="BrokerBook.Decide"/> is asked.</summary>
internal sealed record LeaseQuestion(string ReleaseId, string? Renews, Evidence Evidence, EvidencePolicy Policy, KeyLeaseRecord Lease, bool Trusted);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OpenChallenge))]
[JsonSerializable(typeof(KeyLeaseRecord))]
internal sealed partial class BrokerJson : JsonSerializerContext;
