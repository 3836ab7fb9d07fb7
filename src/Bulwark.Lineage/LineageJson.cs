using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Lineage;

/// <summary>A DSSE envelope as JSON.</summary>
internal sealed record DsseEnvelope(string Payload, string PayloadType, DsseSignature[] Signatures);

/// <summary>One signature of an envelope.</summary>
internal sealed record DsseSignature(string Keyid, string Sig);

/// <summary>An in-toto statement as JSON.</summary>
internal sealed record StatementWire(string _type, StatementSubject[] Subject, string PredicateType, JsonElement Predicate);

/// <summary>A subject of a statement as JSON.</summary>
internal sealed record StatementSubject(string Name, Dictionary<string, string> Digest)
{
    internal Subject ToSubject() => Digest.TryGetValue("sha256", out var hex) && Cryptography.Digest.TryParse("sha256:" + hex, out var digest)
        ? new Subject(Name, digest)
        : throw new FormatException($"The subject '{Name}' has no sha256 digest.");
}

/// <summary>A receipt's file as JSON.</summary>
internal sealed record ReceiptWire(string Format, JsonElement Envelope, byte[]? Salt, string? Proof = null);

/// <summary>What a worker signs and logs, strict and without reflection: the worker is published trimmed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(DsseEnvelope))]
[JsonSerializable(typeof(StatementWire))]
[JsonSerializable(typeof(ReceiptWire))]
[JsonSerializable(typeof(PredictionFacts))]
internal sealed partial class LineageJson : JsonSerializerContext;
