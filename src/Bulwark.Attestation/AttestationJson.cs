using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Attestation;

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Evidence))]
[JsonSerializable(typeof(EvidencePolicy))]
[JsonSerializable(typeof(EvidenceAppraisal))]
[JsonSerializable(typeof(ReferenceValue))]
[JsonSerializable(typeof(ReleasedKey))]
[JsonSerializable(typeof(KeyReleaseAnswer))]
[JsonSerializable(typeof(EvidenceIntroduction))]
[JsonSerializable(typeof(EvidenceChallenge))]
[JsonSerializable(typeof(WorkerAttestation))]
internal sealed partial class AttestationJson : JsonSerializerContext;
