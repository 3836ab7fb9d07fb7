using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>What a worker says of one prediction: digests and verdicts, never a feature.</summary>
/// <remarks>The predicate <see cref="PredicateTypes.Decision"/>.</remarks>
public sealed record PredictionFacts : IPredicate<PredictionFacts>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.Decision;

    /// <summary>The request's body as the client sent it, under the receipt's salt: <see cref="PredictionReceipt.RequestDigest"/>.</summary>
    public required Digest RequestDigest { get; init; }

    /// <summary>The response's body as the client got it, under the receipt's salt: <see cref="PredictionReceipt.ResponseDigest"/>.</summary>
    public required Digest ResponseDigest { get; init; }

    /// <summary>The sealed package that scored.</summary>
    public required Digest ModelDigest { get; init; }

    /// <summary>The policy that allowed the request.</summary>
    public required Digest PolicyVersion { get; init; }

    /// <summary>The evidence on which the model's key was released.</summary>
    public required Digest AttestationDigest { get; init; }

    /// <summary>What the input screen said.</summary>
    public required string ScreenVerdict { get; init; }

    /// <summary>What became of the request, for example <c>scored</c> or <c>refused</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>True when the evidence was simulated: the worker was not in a trusted execution environment.</summary>
    public required bool Insecure { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(Predicates.Empty(Outcome, "outcome"), Predicates.Empty(ScreenVerdict, "screenVerdict"));
}

/// <summary>A signed prediction with its proof of being in the log: checkable offline.</summary>
/// <param name="Envelope">The DSSE envelope of the statement, canonical bytes: the log's entry.</param>
/// <param name="Salt">What the digests of request and response are keyed with: known to who holds the receipt, and in no log.</param>
/// <param name="Proof">Its place in the log; null until the log has it.</param>
public sealed record PredictionReceipt(ReadOnlyMemory<byte> Envelope, ReadOnlyMemory<byte> Salt, TlogProof? Proof)
{
    /// <summary>The file's format.</summary>
    public const string FormatName = "bulwark-receipt/v1";

    /// <summary>Length of a salt: as much as the digest, so that one who reads the log cannot try out bodies.</summary>
    public const int SaltBytes = 32;

    /// <summary>A new salt, for one decision.</summary>
    public static byte[] NewSalt() => RandomNumberGenerator.GetBytes(SaltBytes);

    /// <summary>What stands in the log for a request: HMAC-SHA-256 of <c>request</c>, a line feed and the body, under the salt.</summary>
    public static Digest RequestDigest(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> body) => Keyed(salt, "request\n"u8, body);

    /// <summary>What stands in the log for a response: HMAC-SHA-256 of <c>response</c>, a line feed and the body, under the salt.</summary>
    public static Digest ResponseDigest(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> body) => Keyed(salt, "response\n"u8, body);

    /// <summary>Signs the facts; the result is what to append to the log.</summary>
    /// <returns>The envelope's canonical bytes.</returns>
    public static byte[] Sign(PredictionFacts facts, Signer worker)
    {
        ArgumentNullException.ThrowIfNull(facts);
        Subject[] subjects = [new("request", facts.RequestDigest), new("response", facts.ResponseDigest), new("model", facts.ModelDigest)];
        return Dsse.Sign(Statement.Create(PredicateTypes.Decision, subjects, facts, LineageJson.Default.PredictionFacts), worker);
    }

    /// <summary>Reads a receipt; checks nothing.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static PredictionReceipt Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var wire = JsonSerializer.Deserialize(bytes, LineageJson.Default.ReceiptWire);
            if (wire is not { Format: FormatName, Envelope.ValueKind: JsonValueKind.Object })
                throw new FormatException($"This is no receipt of the format {FormatName}.");
            if (wire.Salt is not { Length: SaltBytes } salt)
                throw new FormatException($"The receipt's salt has {wire.Salt?.Length ?? 0} bytes, not {SaltBytes}.");
            return new PredictionReceipt(CanonicalJson.Canonicalize(wire.Envelope), salt, wire.Proof is null ? null : TlogProof.Parse(wire.Proof));
        }
        catch (JsonException failure)
        {
            throw new FormatException($"This is no receipt: {failure.Message}", failure);
        }
    }

    /// <summary>The receipt as a file.</summary>
    public byte[] ToBytes()
    {
        using var envelope = JsonDocument.Parse(Envelope);
        return CanonicalJson.Serialize(new ReceiptWire(FormatName, envelope.RootElement, Salt.ToArray(), Proof?.Format()), LineageJson.Default.ReceiptWire);
    }

    /// <summary>What the receipt says, unproved; null when it says nothing readable.</summary>
    public PredictionFacts? Facts => Dsse.Peek(Envelope) is var (type, payload) && type == Statement.PayloadType ? FactsOf(payload) : null;

    /// <summary>Checks every link: signature, statement, place in the log, and what the caller holds.</summary>
    /// <param name="logKey">The log's key, which the caller trusts.</param>
    /// <param name="workerKeys">The keys of the workers that the caller trusts.</param>
    /// <param name="request">The request's body, when the caller has it.</param>
    /// <param name="response">The response's body, when the caller has it.</param>
    /// <param name="model">The package that should have scored, when the caller expects one.</param>
    public ReceiptReport Verify(
        VerificationKey logKey, IReadOnlyCollection<VerificationKey> workerKeys,
        ReadOnlyMemory<byte>? request = null, ReadOnlyMemory<byte>? response = null, Digest? model = null)
    {
        var signature = Dsse.Verify(Envelope, workerKeys);
        var facts = signature.PayloadType == Statement.PayloadType ? FactsOf(signature.Payload) : null;
        List<EvidenceLink> links =
        [
            signature.Verdict == DsseVerdict.Trusted ? EvidenceLink.Good("signature", $"signed by the worker {signature.Signer}")
                : EvidenceLink.Bad("signature", Word(signature.Verdict), $"not signed by a trusted worker: {signature.Verdict}"),
            facts is not null ? EvidenceLink.Good("statement", $"{facts.Outcome} at {facts.Time:u}, screen {facts.ScreenVerdict}")
                : EvidenceLink.Bad("statement", "otherStatement", "not a decision/v1 statement whose subjects are what it says"),
            LogLink(logKey),
        ];
        if (facts is not null)
            links.AddRange(Expectations(facts, request, response, model));
        return new ReceiptReport(links) { Signer = signature.Verdict == DsseVerdict.Trusted ? signature.Signer : null };
    }

    private EvidenceLink LogLink(VerificationKey logKey)
    {
        if (Proof is null)
            return EvidenceLink.Bad("log", "noProof", "the receipt holds no proof that it is in the log");
        if (Proof.Checkpoint.IsSignedBy(logKey) && Proof.Checkpoint.Size <= Proof.Index)
            return EvidenceLink.Bad("log", "staleCheckpoint", $"the checkpoint ends at {Proof.Checkpoint.Size} entries, before the receipt's own, {Proof.Index}");
        var verdict = Proof.Verify(Envelope.Span, logKey);
        return verdict == LogVerdict.Verified
            ? EvidenceLink.Good("log", $"entry {Proof.Index} of {Proof.Checkpoint.Size} in {Proof.Checkpoint.Origin}")
            : EvidenceLink.Bad("log", verdict == LogVerdict.WrongSignature ? "otherLog" : Word(verdict), $"not proved to be in the log: {verdict}");
    }

    private IEnumerable<EvidenceLink> Expectations(PredictionFacts facts, ReadOnlyMemory<byte>? request, ReadOnlyMemory<byte>? response, Digest? model)
    {
        if (request is { } sent)
            yield return Equal("request", "otherRequest", facts.RequestDigest, RequestDigest(Salt.Span, sent.Span));
        if (response is { } got)
            yield return Equal("response", "otherResponse", facts.ResponseDigest, ResponseDigest(Salt.Span, got.Span));
        if (model is { } expected)
            yield return Equal("model", "otherModel", facts.ModelDigest, expected);
    }

    private static Digest Keyed(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> part, ReadOnlySpan<byte> body)
    {
        if (salt.Length != SaltBytes)
            throw new ArgumentException($"A salt has {SaltBytes} bytes, not {salt.Length}.", nameof(salt));
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, salt);
        hash.AppendData(part);
        hash.AppendData(body);
        return new Digest(hash.GetHashAndReset());
    }

    private static EvidenceLink Equal(string name, string fault, Digest stated, Digest actual) => stated == actual
        ? EvidenceLink.Good(name, stated.ToString()) : EvidenceLink.Bad(name, fault, $"the receipt is for {stated}, not for {actual}");

    private static string Word<T>(T verdict) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(verdict.ToString());

    /// <summary>The facts, when the payload is a decision whose subjects agree with its predicate.</summary>
    private static PredictionFacts? FactsOf(ReadOnlyMemory<byte> payload)
    {
        try
        {
            var statement = Statement.Parse(payload);
            if (statement.PredicateType != PredicateTypes.Decision)
                return null;
            var facts = statement.Read(LineageJson.Default.PredictionFacts);
            Subject[] expected = [new("request", facts.RequestDigest), new("response", facts.ResponseDigest), new("model", facts.ModelDigest)];
            return statement.Subjects.SequenceEqual(expected) ? facts : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
