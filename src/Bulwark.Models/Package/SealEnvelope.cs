using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Models.Package;

/// <summary>What the signer of a package states: this payload holds the model of this manifest.</summary>
/// <param name="Manifest">The manifest.</param>
/// <param name="Signer">The key that signs.</param>
internal sealed record SealPredicate(ModelManifest Manifest, VerificationKey Signer);

/// <summary>The signed front of a package: a DSSE envelope of an in-toto statement whose one subject is the payload.</summary>
/// <remarks>One spelling only: envelope and statement must be the canonical JSON of what they say, with one signature.</remarks>
internal sealed record SealEnvelope(SealPredicate Predicate, Digest Payload, bool SignatureIsRight)
{
    private const string PayloadName = "payload";

    internal static byte[] Sign(SealPredicate predicate, Digest payload, Signer signer) => Dsse.Sign(StatementOf(predicate, payload), signer);

    /// <exception cref="InvalidDataException">The bytes are not the canonical JSON of such an envelope.</exception>
    internal static SealEnvelope Read(ReadOnlyMemory<byte> bytes)
    {
        if (Dsse.Peek(bytes) is not { PayloadType: Statement.PayloadType, Payload: var body } || CountSignatures(bytes) != 1)
            throw new InvalidDataException("The envelope is not exactly as the format says.");
        var (predicate, payload) = Parse(body);
        if (!StatementOf(predicate, payload).ToBytes().AsSpan().SequenceEqual(body))
            throw new InvalidDataException("The statement is not exactly as the format says.");
        return new SealEnvelope(predicate, payload, Dsse.Verify(bytes, predicate.Signer).Verdict == DsseVerdict.Trusted);
    }

    private static (SealPredicate Predicate, Digest Payload) Parse(byte[] body)
    {
        try
        {
            var statement = Statement.Parse(body);
            if (statement is not { PredicateType: PredicateTypes.Seal, Subjects: [{ Name: PayloadName } subject] })
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

    private static Statement StatementOf(SealPredicate predicate, Digest payload) =>
        new([new Subject(PayloadName, payload)], PredicateTypes.Seal, JsonSerializer.SerializeToElement(predicate, ModelsJson.Default.SealPredicate));

    /// <summary>A second signature would be bytes that nothing covers.</summary>
    private static int CountSignatures(ReadOnlyMemory<byte> envelope)
    {
        using var document = JsonDocument.Parse(envelope);
        var signatures = document.RootElement.GetProperty("signatures");
        return signatures.EnumerateArray().All(signature => signature.ValueKind == JsonValueKind.Object) ? signatures.GetArrayLength() : 0;
    }
}
