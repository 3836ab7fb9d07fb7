using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Models.Package;

/// <summary>What the signer of a package states, as an in-toto statement: this payload holds the model of this manifest.</summary>
/// <remarks>Source: in-toto attestation framework, Statement v1. One spelling only: the bytes must be the canonical JSON of what they say.</remarks>
internal sealed record SealStatement
{
    internal const string StatementType = "https://in-toto.io/Statement/v1";
    internal const string SealType = "https://bulwark.dev/seal/v1";
    private const string PayloadName = "payload";

    [JsonPropertyName("_type")]
    public required string Type { get; init; }

    public required IReadOnlyList<SealSubject> Subject { get; init; }

    public required string PredicateType { get; init; }

    public required SealPredicate Predicate { get; init; }

    [JsonIgnore]
    internal Digest Payload => new(Convert.FromHexString(Subject[0].Digest.Sha256));

    internal static SealStatement Of(Digest payload, ModelManifest manifest, VerificationKey signer) => new()
    {
        Type = StatementType,
        Subject = [new SealSubject(PayloadName, new SealSubjectDigest(payload.ToHex()))],
        PredicateType = SealType,
        Predicate = new SealPredicate(manifest, signer),
    };

    internal byte[] ToBytes() => CanonicalJson.Canonicalize(JsonSerializer.SerializeToElement(this, ModelsJson.Default.SealStatement));

    /// <exception cref="InvalidDataException">The bytes are not the canonical JSON of a sound statement.</exception>
    internal static SealStatement Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var statement = JsonSerializer.Deserialize(bytes, ModelsJson.Default.SealStatement);
            if (statement is not { Type: StatementType, PredicateType: SealType, Subject: [{ Name: PayloadName, Digest.Sha256: { } hex }], Predicate: { Signer: not null } predicate }
                || !Digest.TryParse($"sha256:{hex}", out _))
                throw new InvalidDataException("The statement is not one of a sealed model.");
            ModelManifest.Sound(predicate.Manifest);
            return bytes.SequenceEqual(statement.ToBytes()) ? statement : throw new InvalidDataException("The statement is not canonical JSON.");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"The statement is not valid: {fault.Message}", fault);
        }
    }
}

/// <summary>What a statement is about.</summary>
internal sealed record SealSubject(string Name, SealSubjectDigest Digest);

/// <summary>A subject's digest in in-toto's spelling: lower-case hex.</summary>
internal sealed record SealSubjectDigest(string Sha256);

/// <summary>The predicate <c>seal/v1</c>.</summary>
internal sealed record SealPredicate(ModelManifest Manifest, VerificationKey Signer);
