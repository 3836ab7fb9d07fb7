using System.Text.Json.Serialization;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Attestation;

/// <summary>A measurement that is let in, with the proof that somebody said so in public.</summary>
/// <param name="Value"><c>sha256:</c> or <c>sha384:</c> and lower-case hexadecimal digits.</param>
/// <param name="Proof">The statement that published it, and its place in the log; null when there is none.</param>
public sealed record ReferenceValue(string Value, MeasurementProof? Proof = null)
{
    /// <summary>A measurement without a proof.</summary>
    public static implicit operator ReferenceValue(Digest measurement) => FromDigest(measurement);

    /// <inheritdoc cref="op_Implicit(Digest)"/>
    public static ReferenceValue FromDigest(Digest measurement) => new(measurement.ToString());

    /// <summary>The measurement of hardware: SHA-384 where it has 48 bytes, SHA-256 where it has 32.</summary>
    /// <param name="measurement">48 or 32 bytes.</param>
    public static string Name(ReadOnlySpan<byte> measurement) => $"sha{8 * measurement.Length}:{Convert.ToHexStringLower(measurement)}";

    /// <summary>The digits after <c>sha384:</c>; null for another algorithm.</summary>
    [JsonIgnore]
    internal string? Sha384 => Value.StartsWith("sha384:", StringComparison.Ordinal) ? Value["sha384:".Length..] : null;

    /// <summary>The digits after <c>sha256:</c>; null for another algorithm.</summary>
    [JsonIgnore]
    internal string? Sha256 => Value.StartsWith("sha256:", StringComparison.Ordinal) ? Value["sha256:".Length..] : null;

    /// <summary>What is wrong with the value itself; null when it is a digest.</summary>
    public string? Fault() => (Sha256 is { Length: 64 } && IsHex(Sha256)) || (Sha384 is { Length: 96 } && IsHex(Sha384)) ? null
        : $"The measurement '{Value}' is no digest: sha256: or sha384: and lower-case hexadecimal digits.";

    /// <summary>The value with its proof, as a policy's measurements take it: canonical JSON.</summary>
    public byte[] ToJson() => CanonicalJson.Canonicalize(System.Text.Json.JsonSerializer.SerializeToElement(this, AttestationJson.Default.ReferenceValue));

    internal string? Fault(MeasurementProvenance? provenance)
    {
        if (Fault() is { } fault)
            return fault;
        if (provenance is null)
            return Proof is null ? null : $"The measurement {Value} has a proof, but the policy names no log and no publisher to judge it by.";
        if (Proof is null)
            return $"The measurement {Value} has no proof that it was published.";
        return provenance.Fault(this);
    }

    private static bool IsHex(string? digits) => digits is not null && digits.All(char.IsAsciiHexDigitLower);
}

/// <summary>That a measurement was published.</summary>
/// <param name="Envelope">The log's entry: a DSSE envelope of a statement <see cref="MeasurementPublished"/>.</param>
/// <param name="Place">Its place in the log: a C2SP tlog-proof.</param>
public sealed record MeasurementProof(byte[] Envelope, string Place);

/// <summary>Who may publish measurements, and in which log.</summary>
public sealed record MeasurementProvenance
{
    /// <summary>The log's key.</summary>
    public required VerificationKey Log { get; init; }

    /// <summary>The keys of those who may publish; at least one.</summary>
    public required IReadOnlyList<VerificationKey> Publishers { get; init; }

    /// <summary>Publishes a measurement.</summary>
    /// <param name="log">The log; open for appending.</param>
    /// <param name="publisher">Who says so.</param>
    /// <param name="said">What is said.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <returns>The measurement with its proof.</returns>
    public static async Task<ReferenceValue> PublishAsync(TransparencyLog log, Signer publisher, MeasurementPublished said, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(said);
        var envelope = Dsse.Sign(Statement.Of(said.Value, Cryptography.Digest.Of(System.Text.Encoding.UTF8.GetBytes(said.Value)), said), publisher);
        var entry = await log.AppendAsync(envelope, cancel);
        return new(said.Value, new(envelope, (await log.ProofForAsync(entry.Index, cancel)).Format()));
    }

    internal string? Fault(ReferenceValue measurement)
    {
        TlogProof place;
        try
        {
            place = TlogProof.Parse(measurement.Proof!.Place);
        }
        catch (FormatException failure)
        {
            return $"The proof of {measurement.Value} cannot be read: {failure.Message}";
        }

        var opened = Dsse.Verify(measurement.Proof.Envelope, [.. Publishers]);
        if (opened.Verdict is not DsseVerdict.Trusted || opened.PayloadType != Statement.PayloadType)
            return $"No publisher of the policy signed the proof of {measurement.Value} ({opened.Verdict}).";
        if (place.Verify(measurement.Proof.Envelope, Log) is not LogVerdict.Verified)
            return $"The proof of {measurement.Value} does not show it in the policy's log.";
        try
        {
            return Predicates.TryRead<MeasurementPublished>(Statement.Parse(opened.Payload)) is { } said && said.Value == measurement.Value ? null
                : $"The proof of {measurement.Value} publishes something else.";
        }
        catch (FormatException failure)
        {
            return $"The proof of {measurement.Value} is no statement: {failure.Message}";
        }
    }
}
