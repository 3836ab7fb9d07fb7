using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Models.Package;

/// <summary>What the signer of a package states: this payload holds the model of this manifest.</summary>
/// <param name="Manifest">The manifest.</param>
/// <param name="Signer">The key that signs.</param>
internal sealed record SealPredicate(ModelManifest Manifest, VerificationKey Signer);

/// <summary>The signed part of a package: a DSSE envelope of an in-toto statement whose one subject is the payload, from version 2 on with the head before it.</summary>
/// <remarks>One spelling only: envelope and statement must be the canonical JSON of what they say, with one signature.</remarks>
internal sealed record SealEnvelope(SealPredicate Predicate, Digest Signed, bool SignatureIsRight)
{
    internal static byte[] Sign(SealPredicate predicate, Digest signed, Signer signer, int version) => Dsse.Sign(StatementOf(predicate, signed, version), signer);

    /// <exception cref="InvalidDataException">The bytes are not the canonical JSON of such an envelope.</exception>
    internal static SealEnvelope Read(ReadOnlyMemory<byte> bytes, int version)
    {
        if (Dsse.Peek(bytes) is not { PayloadType: Statement.PayloadType, Payload: var body } || CountSignatures(bytes) != 1)
            throw new InvalidDataException("The envelope is not exactly as the format says.");
        var (predicate, signed) = Parse(body, version);
        if (!StatementOf(predicate, signed, version).ToBytes().AsSpan().SequenceEqual(body))
            throw new InvalidDataException("The statement is not exactly as the format says.");
        return new SealEnvelope(predicate, signed, Dsse.Verify(bytes, predicate.Signer).Verdict == DsseVerdict.Trusted);
    }

    private static (SealPredicate Predicate, Digest Signed) Parse(byte[] body, int version)
    {
        try
        {
            var statement = Statement.Parse(body);
            if (statement is not { PredicateType: PredicateTypes.Seal, Subjects: [var subject] } || subject.Name != NameOf(version))
                throw new InvalidDataException("The statement is not one of a sealed model.");
            var predicate = statement.Predicate.Deserialize(ModelsJson.Default.SealPredicate) ?? throw new InvalidDataException("The statement has no predicate.");
            ModelManifest.Sound(predicate.Manifest);
            return predicate.Signer is null ? throw new InvalidDataException("The statement names no signer.") : (predicate, subject.Digest);
        }
        catch (Exception fault) when (fault is JsonException or FormatException)
        {
            throw new InvalidDataException($"The statement is not valid: {fault.Message}", fault);
        }
    }

    /// <summary>An envelope of one version is none of another: what it states is the digest of other bytes.</summary>
    private static string NameOf(int version) => version == 1 ? "payload" : "body";

    private static Statement StatementOf(SealPredicate predicate, Digest signed, int version) =>
        new([new Subject(NameOf(version), signed)], PredicateTypes.Seal, JsonSerializer.SerializeToElement(predicate, ModelsJson.Default.SealPredicate));

    /// <summary>A second signature would be bytes that nothing covers.</summary>
    private static int CountSignatures(ReadOnlyMemory<byte> envelope)
    {
        using var document = JsonDocument.Parse(envelope);
        var signatures = document.RootElement.GetProperty("signatures");
        return signatures.EnumerateArray().All(signature => signature.ValueKind == JsonValueKind.Object) ? signatures.GetArrayLength() : 0;
    }
}
