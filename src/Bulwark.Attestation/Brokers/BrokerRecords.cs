using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Attestation.Brokers;

/// <summary>A challenge that waits for its answer.</summary>
/// <param name="Secret">SHA-256 of the credential's secret; empty without a credential.</param>
/// <param name="AttestationKey">TPM2B_PUBLIC that the credential was made for; empty without one.</param>
/// <param name="EndorsementKey">TPM2B_PUBLIC that the credential was sealed to; empty without one.</param>
internal sealed record OpenChallenge(byte[] Secret, byte[] AttestationKey, byte[] EndorsementKey);

/// <summary>Where a release belongs: the row outlives its lease, so that it can be revoked when the lease has lapsed.</summary>
/// <param name="Root">The first release of its chain of renewals.</param>
/// <param name="BootId">The worker's start; null in a row of an earlier version.</param>
/// <param name="ReceiptKey">The worker's receipt key; null in a row of an earlier version.</param>
internal sealed record Descent(string Root, string? BootId, VerificationKey? ReceiptKey)
{
    /// <summary>An earlier version wrote the root alone, as ASCII.</summary>
    internal static Descent Read(byte[] row) => row is [(byte)'{', ..] ? JsonSerializer.Deserialize(row, BrokerJson.Default.Descent)! : new(Encoding.ASCII.GetString(row), null, null);

    internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, BrokerJson.Default.Descent);
}

/// <summary>What <see cref="BrokerBook.Decide"/> is asked.</summary>
internal sealed record LeaseQuestion(string ReleaseId, string? Renews, Evidence Evidence, EvidencePolicy Policy, KeyLeaseRecord Lease, bool Trusted);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OpenChallenge))]
[JsonSerializable(typeof(KeyLeaseRecord))]
[JsonSerializable(typeof(Descent))]
internal sealed partial class BrokerJson : JsonSerializerContext;
