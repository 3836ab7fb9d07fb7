using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Attestation;

/// <summary>What a worker's client needs before its first request: evidence over the client's nonce, and the logged decision that gave this worker the model's key.</summary>
/// <remarks>JSON is camelCase and strict. Specification: docs/formats/sealed-request.md.</remarks>
public sealed record WorkerAttestation
{
    internal const string FormatName = "bulwark.dev/worker-attestation/v1";

    /// <summary>The payload type of <see cref="ObliviousKeys"/>: RFC 9458 §3.2.</summary>
    public const string ObliviousKeysType = "application/ohttp-keys";

    /// <summary>The format's name and version.</summary>
    public string Format { get; init; } = FormatName;

    /// <summary>Evidence over the client's nonce.</summary>
    public required Evidence Evidence { get; init; }

    /// <summary>The signed key release with its place in the log, as a receipt file.</summary>
    public required byte[] Release { get; init; }

    /// <summary>The worker's key for other people's protocols: a DSSE envelope of <see cref="ObliviousKeysType"/>, signed by the evidence's receipt key; null where it offers none.</summary>
    public byte[]? ObliviousKeys { get; init; }

    /// <summary>The configuration in <see cref="ObliviousKeys"/>.</summary>
    /// <exception cref="InvalidDataException">There is none, or the attested worker did not sign it.</exception>
    public byte[] ObliviousKeyList() => ObliviousKeys is { } envelope && Dsse.Verify(envelope, Evidence.Keys.Receipt) is { Verdict: DsseVerdict.Trusted, PayloadType: ObliviousKeysType } signed
        ? signed.Payload.ToArray() : throw new InvalidDataException("The attested worker offers no key for this protocol, or did not sign it.");

    /// <summary>Canonical JSON (RFC 8785).</summary>
    public byte[] ToJson() => CanonicalJson.Canonicalize(JsonSerializer.SerializeToElement(this, AttestationJson.Default.WorkerAttestation));

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is no sound document.</exception>
    public static WorkerAttestation FromJson(ReadOnlySpan<byte> json)
    {
        try
        {
            var read = JsonSerializer.Deserialize(json, AttestationJson.Default.WorkerAttestation) ?? throw new JsonException("The document is null.");
            return read.Format == FormatName ? read : throw new InvalidDataException($"The format is {read.Format}; this version reads {FormatName}.");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"This is no sound worker attestation: {failure.Message}", failure);
        }
    }

    /// <summary>Checks that a decision gave this model's key to this very worker, and that its lease runs.</summary>
    /// <param name="release">What <see cref="ReadRelease"/> gave.</param>
    /// <param name="now">The verifier's time.</param>
    /// <returns>What is wrong; null when nothing is.</returns>
    public string? ReleaseFault(KeyReleaseRecord release, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(release);
        if (release.Verdict is not KeyReleaseVerdict.Released || release.Model != Evidence.Model || !release.ReceiptKey.Equals(Evidence.Keys.Receipt))
            return "the logged decision is about another worker or model, or refuses";
        if (release.LeaseEnds is not { } ends)
            return "the logged decision names no end of the lease";
        return ends > now ? null : $"the lease of the key ended {ends:u}: the worker may not use it any more";
    }

    /// <summary>The logged decision, when a trusted broker signed it and the log holds it.</summary>
    /// <param name="log">The log's key.</param>
    /// <param name="brokers">The keys that sign releases.</param>
    /// <param name="fault">What is wrong; null when nothing is.</param>
    public KeyReleaseRecord? ReadRelease(VerificationKey log, IReadOnlyCollection<VerificationKey> brokers, out string? fault)
    {
        fault = null;
        try
        {
            var receipt = PredictionReceipt.Parse(Release);
            var opened = Dsse.Verify(receipt.Envelope, brokers);
            if (opened.Verdict is not DsseVerdict.Trusted || opened.PayloadType != Statement.PayloadType)
                fault = $"no trusted broker signed the key's release ({opened.Verdict})";
            else if (receipt.Proof is not { } place || place.Verify(receipt.Envelope.Span, log) is not LogVerdict.Verified)
                fault = "the key's release is not proved to be in the log";
            else if (Statement.Parse(opened.Payload) is var statement && statement.PredicateType != PredicateTypes.KeyRelease)
                fault = $"the proof is of another statement, {statement.PredicateType}";
            else
                return statement.Read<KeyReleaseRecord>();
        }
        catch (Exception failure) when (failure is FormatException or InvalidDataException or JsonException)
        {
            fault = $"the proof of the key's release cannot be read: {failure.Message}";
        }

        return null;
    }
}
