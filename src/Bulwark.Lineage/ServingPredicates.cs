using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>A broker decided whether a worker gets a model's key; the subject is the package.</summary>
public sealed record KeyReleased : IPredicate<KeyReleased>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.KeyRelease;

    /// <summary>The release's name: 32 hexadecimal digits.</summary>
    public required string ReleaseId { get; init; }

    /// <summary>When, by the broker's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary><c>released</c> or <c>refused</c>.</summary>
    public required string Verdict { get; init; }

    /// <summary>The first leg that failed; empty when the key was released.</summary>
    public required string Reason { get; init; }

    /// <summary>The package whose key was asked for.</summary>
    public required Digest Model { get; init; }

    /// <summary>Digest of the evidence.</summary>
    public required Digest Evidence { get; init; }

    /// <summary>The key that the evidence binds and the worker signs its receipts with.</summary>
    public required VerificationKey ReceiptKey { get; init; }

    /// <summary>The evidence's kind.</summary>
    public required string Kind { get; init; }

    /// <summary>What runs, as the evidence says: <c>sha256:</c> or <c>sha384:</c> and digits; null when that could not be read.</summary>
    public string? Measurement { get; init; }

    /// <summary>Which machine: chip id, PIID or attestation key; null when the evidence does not say.</summary>
    public string? Platform { get; init; }

    /// <summary>The vendor's word for the platform's patches; null where there is none.</summary>
    public string? TcbStatus { get; init; }

    /// <summary>What was asked: <c>release</c> or <c>renewal</c>; null in records of the first version.</summary>
    public string? Purpose { get; init; }

    /// <summary>The release that is renewed; null for a first one.</summary>
    public string? Renews { get; init; }

    /// <summary>The first release of the chain of renewals that this one belongs to; null when it was refused, and in records of the first version.</summary>
    public string? Root { get; init; }

    /// <summary>The worker's start, hexadecimal; null in records of the first version.</summary>
    public string? BootId { get; init; }

    /// <summary>Until when the key may be used; null when it was refused or has no end.</summary>
    public DateTimeOffset? LeaseEnds { get; init; }

    /// <summary>Number of the evidence policy; null in records of the first version.</summary>
    public int? PolicyVersion { get; init; }

    /// <summary>The first date at which a certificate or a piece of collateral ends; null when none was read.</summary>
    public DateTimeOffset? ValidUntil { get; init; }

    /// <summary>Digest of the evidence policy.</summary>
    public required Digest Policy { get; init; }

    /// <summary>The names of all legs that failed.</summary>
    public required IReadOnlyList<string> FailedLegs { get; init; }

    /// <summary>True unless real hardware vouched.</summary>
    public required bool Insecure { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Verdict is "released" or "refused" ? null : $"'verdict' is '{Verdict}'.",
        Verdict == "released" && FailedLegs.Count > 0 ? "A key was released although legs failed." : null);
}

/// <summary>The gateway allowed a request or refused it; the subject is the served package.</summary>
public sealed record RequestJudged : IPredicate<RequestJudged>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.Access;

    /// <summary>What was asked.</summary>
    public required string Action { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>For example <c>scored</c>, <c>screened</c>, <c>refused</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>The client's pseudonym; null when nobody was recognised.</summary>
    public string? Client { get; init; }

    /// <summary>Digest of the access policy.</summary>
    public required Digest Policy { get; init; }

    /// <summary>The rules that decided.</summary>
    public required IReadOnlyList<string> Policies { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Predicates.Empty(Outcome, "outcome"), Client is null || Pseudonym.Is(Client) ? null : "'client' is no pseudonym.");
}

/// <summary>Somebody says what a program measures: the subject is the measurement's text.</summary>
public sealed record MeasurementPublished : IPredicate<MeasurementPublished>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.Measurement;

    /// <summary><c>sha256:</c> or <c>sha384:</c> and lower-case hexadecimal digits.</summary>
    public required string Value { get; init; }

    /// <summary>The kind of evidence that shows it.</summary>
    public required string Kind { get; init; }

    /// <summary>What it is the measurement of, for people: a program and its version.</summary>
    public required string Program { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(Predicates.Empty(Value, "value"), Predicates.Empty(Kind, "kind"), Predicates.Empty(Program, "program"));
}

/// <summary>A broker did something with leases that no worker asked for: approved, revoked, ended; the subject is the package.</summary>
public sealed record KeyAuthorityUsed : IPredicate<KeyAuthorityUsed>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.KeyAuthority;

    /// <summary><c>approved</c> or <c>revoked</c>.</summary>
    public required string Action { get; init; }

    /// <summary>The package.</summary>
    public required Digest Model { get; init; }

    /// <summary>The key of whoever asked for it.</summary>
    public required VerificationKey By { get; init; }

    /// <summary>The release that is meant, with all renewals of its chain; with neither this nor boot id nor receipt key it is about all of the package.</summary>
    public string? ReleaseId { get; init; }

    /// <summary>The worker's start that is meant, hexadecimal; null for none.</summary>
    public string? BootId { get; init; }

    /// <summary>The worker that is meant, by the key that signs its receipts; null for none.</summary>
    public VerificationKey? ReceiptKey { get; init; }

    /// <summary>True when it is about the package, whoever holds its key.</summary>
    public bool IsOfPackage() => ReleaseId is null && BootId is null && ReceiptKey is null;

    /// <summary>True when this revokes a release: the package's, this one or its chain's, its worker's start's, or its worker's.</summary>
    /// <param name="model">The package.</param>
    /// <param name="releaseId">The release.</param>
    /// <param name="root">The first of its chain; null when that is not known.</param>
    /// <param name="bootId">The worker's start; null when that is not known.</param>
    /// <param name="receiptKey">The worker's receipt key.</param>
    public bool Revokes(Digest model, string releaseId, string? root, string? bootId, VerificationKey receiptKey) => Action == "revoked" && Model == model
        && (IsOfPackage() || (ReleaseId is not null && (ReleaseId == releaseId || ReleaseId == root)) || (BootId is not null && BootId == bootId) || (ReceiptKey is not null && ReceiptKey.Equals(receiptKey)));

    /// <summary>Why, for people; no secret.</summary>
    public string? Reason { get; init; }

    /// <summary>When, by the broker's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Action is "approved" or "revoked" ? null : $"'action' is '{Action}'.", Action == "revoked" || IsOfPackage() ? null : "An approval is of a package, not of a release or a worker.");
}

/// <summary>A policy came into force; the subject is its text.</summary>
public sealed record PolicyChanged : IPredicate<PolicyChanged>
{
    /// <summary>Who may ask what: Cedar.</summary>
    public const string AccessPolicy = "access";

    /// <summary>Which workers get a key.</summary>
    public const string EvidencePolicy = "evidence";

    /// <inheritdoc/>
    public static string Type => PredicateTypes.PolicyChange;

    /// <summary>Which policy: <see cref="AccessPolicy"/>, <see cref="EvidencePolicy"/>, …</summary>
    public required string Kind { get; init; }

    /// <summary>The one before; null for the first.</summary>
    public Digest? Previous { get; init; }

    /// <summary>From when on, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(Predicates.Empty(Kind, "kind"));
}
