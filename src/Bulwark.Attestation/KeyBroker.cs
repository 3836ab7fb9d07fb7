using System.Security.Cryptography;
using Bulwark.Attestation.Brokers;
using Bulwark.Attestation.Kinds;
using Bulwark.Attestation.Tpm;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Attestation;

/// <summary>Releases a model's data key to a worker that has shown what it is: challenge, evidence, decision, record, key.</summary>
/// <remarks>
/// After the two round trips of RCAR (Confidential Containers) with RFC 9180 for the answer. The order is what makes a crash harmless: the nonce is spent before it is judged, the lease is
/// written before the decision is recorded, the decision is recorded before the key is sealed. When one cannot be written there is no key. Thread-safe.
/// </remarks>
/// <param name="policy">What evidence must say.</param>
/// <param name="dataKey">Gives the data key of a model package, or null when it has none; the broker disposes of it.</param>
/// <param name="record">Writes a decision where it cannot be taken back; throws when it cannot.</param>
/// <param name="time">The broker's clock.</param>
/// <param name="store">Where challenges, leases and floors are kept; null for this process's memory. Stays the caller's.</param>
/// <param name="collateral">Vendors' documents for evidence that brings none; null for none.</param>
public sealed class KeyBroker(
    EvidencePolicy policy, Func<Digest, CancellationToken, ValueTask<SecretBytes?>> dataKey, Func<KeyReleaseRecord, CancellationToken, ValueTask> record, TimeProvider time,
    IBrokerStore? store = null, CollateralFolder? collateral = null) : IKeyBroker
{
    private const string InThisProcess = "in-process";
    private readonly EvidenceVerifier _verifier = new(policy, time, collateral);
    private readonly BrokerBook _book = new(store ?? new MemoryBrokerStore(), time);

    /// <summary>How long a challenge is good.</summary>
    public static TimeSpan ChallengeLifetime => BrokerBook.ChallengeLifetime;

    /// <summary>The policy.</summary>
    public EvidencePolicy Policy => policy;

    /// <summary>A fresh nonce, 32 bytes: good once, for <see cref="ChallengeLifetime"/>.</summary>
    public byte[] Challenge() => Challenge(new() { Kind = "" }, InThisProcess)?.Nonce ?? throw new InvalidOperationException("Too many challenges were asked for; wait a minute.");

    /// <summary>A fresh challenge; null when this caller asked too often.</summary>
    /// <param name="introduction">Who asks; a TPM's keys get a credential that only they together can open.</param>
    /// <param name="caller">What callers are told apart by, for the rate limit: an address or a certificate's digest.</param>
    public EvidenceChallenge? Challenge(EvidenceIntroduction introduction, string caller)
    {
        ArgumentNullException.ThrowIfNull(introduction);
        var nonce = RandomNumberGenerator.GetBytes(Evidence.NonceSizeInBytes);
        var challenge = new EvidenceChallenge { Nonce = nonce };
        var open = new OpenChallenge([], [], []);
        if (introduction.AttestationKey.Length > 0 && TpmCredential.TryMake(introduction.EndorsementKey, introduction.AttestationKey) is { } credential)
        {
            open = new(SHA256.HashData(credential.Secret), introduction.AttestationKey, introduction.EndorsementKey);
            challenge = challenge with { CredentialBlob = credential.Blob, CredentialSecret = credential.EncryptedSecret };
        }

        return _book.TryGive(nonce, open, caller, policy.Release.ChallengesPerMinute, introduction.Renews) ? challenge : null;
    }

    /// <inheritdoc/>
    public ValueTask<EvidenceChallenge> ChallengeAsync(EvidenceIntroduction introduction, CancellationToken cancel) =>
        ValueTask.FromResult(Challenge(introduction, InThisProcess) ?? throw new InvalidOperationException("Too many challenges were asked for; wait a minute."));

    /// <summary>Decides whether the worker behind <paramref name="evidence"/> gets the key of the model that it names.</summary>
    public ValueTask<KeyReleaseAnswer> ReleaseAsync(Evidence evidence, CancellationToken cancel) => ReleaseAsync(evidence, null, cancel);

    /// <summary>Counts a request for a key; false when this caller asked too often, and is not to be judged.</summary>
    /// <param name="caller">What callers are told apart by: an address or a certificate's digest.</param>
    public bool TryAdmit(string caller) => _book.TryAdmit(caller, policy.Release.ReleasesPerMinute);

    /// <inheritdoc/>
    public async ValueTask<KeyReleaseAnswer> ReleaseAsync(Evidence evidence, string? renews, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        var release = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        if (_book.Take(evidence.Nonce) is not { } given)
            return Unchallenged(release, renews, evidence);
        var appraisal = _verifier.Verify(evidence, evidence.Nonce, Proved(given, evidence)).With(new("challenge", LegOutcome.Passed, ""));
        using var key = appraisal.Verdict is EvidenceVerdict.Trusted ? await dataKey(evidence.Model, cancel) : null;
        if (appraisal.Verdict is EvidenceVerdict.Trusted)
            appraisal = appraisal.With(new("key", key is null ? LegOutcome.Failed : LegOutcome.Passed, key is null ? "the broker has no key of this model" : ""));

        var lease = Lease(release, evidence, appraisal);
        var legs = new Legs();
        var root = _book.Decide(new(release, renews, evidence, policy, lease, appraisal.Verdict is EvidenceVerdict.Trusted), legs);
        var granted = root is not null;
        appraisal = appraisal with { Legs = [.. appraisal.Legs, .. legs.Done] };
        var decision = Record(release, renews, evidence, appraisal, granted ? lease.Ends : null) with { Root = root };
        try
        {
            await record(decision, cancel);
        }
        catch
        {
            if (granted)
                _book.Forget(evidence.Model, release);
            throw;
        }

        if (granted && renews is not null)
            _book.Forget(evidence.Model, renews);
        return new(decision, appraisal, granted ? Seal(lease, policy.Release.LeaseSeconds, evidence, key!) : null);
    }

    /// <summary>Takes a signed approval or revocation of one of the policy's approvers, and gives the entry for the log; the caller appends it first and calls <see cref="Apply"/> then.</summary>
    /// <param name="envelope">A DSSE envelope of a statement <see cref="KeyAuthorityUsed"/>.</param>
    /// <exception cref="InvalidDataException">It is none, no approver signed it, it is older than a week or from the future, about a model that the policy does not know, or about a release that the store does not know.</exception>
    public KeyAuthorityUsed Authorise(ReadOnlyMemory<byte> envelope)
    {
        var opened = Dsse.Verify(envelope, [.. policy.Release.Approvers]);
        if (opened.Verdict is not DsseVerdict.Trusted || opened.PayloadType != Statement.PayloadType)
            throw new InvalidDataException($"No approver of the policy signed this ({opened.Verdict}).");
        KeyAuthorityUsed? used;
        try
        {
            used = Predicates.TryRead<KeyAuthorityUsed>(Statement.Parse(opened.Payload));
        }
        catch (FormatException failure)
        {
            throw new InvalidDataException($"This is no statement: {failure.Message}", failure);
        }

        if (used is null || !used.By.Equals(opened.Signer))
            throw new InvalidDataException("This is no approval and no revocation of whoever signed it.");
        var age = time.GetUtcNow() - used.Time;
        if (age > BrokerBook.ApprovalLifetime || age < TimeSpan.FromMinutes(-1))
            throw new InvalidDataException($"It is dated {used.Time:u}; it must be of the last week.");
        if (policy.Models.All(model => model.Package != used.Model))
            throw new InvalidDataException($"The policy knows no model {used.Model}.");
        if (used.Action == "revoked" && used.ReleaseId is { } release && _book.WhyUnknown(used.Model, release) is { } unknown)
            throw new InvalidDataException(unknown);
        return used;
    }

    /// <summary>Puts an approval or revocation into force.</summary>
    public void Apply(KeyAuthorityUsed used)
    {
        ArgumentNullException.ThrowIfNull(used);
        if (used.Action == "revoked")
            _book.Revoke(used);
        else
            _book.Approve(used.Model, used.By, used.Time);
    }

    /// <summary>The leases that run.</summary>
    public IReadOnlyList<KeyLeaseRecord> Leases() => _book.Running();

    /// <summary>The leases that run, as a store has them.</summary>
    public static IReadOnlyList<KeyLeaseRecord> LeasesOf(IBrokerStore store, TimeProvider time) => new BrokerBook(store, time).Running();

    /// <summary>Whoever brings no open challenge of this broker's is refused before anything is judged, and leaves no record: else anybody could fill the log.</summary>
    private KeyReleaseAnswer Unchallenged(string release, string? renews, Evidence evidence)
    {
        var appraisal = new EvidenceAppraisal
        {
            Legs = [new("challenge", LegOutcome.Failed, $"the nonce was never given, was used already, or is older than {ChallengeLifetime.TotalSeconds:F0} s")],
            Kind = evidence.Kind,
            Insecure = true,
            Evidence = evidence.Digest(),
        };
        return new(Record(release, renews, evidence, appraisal, null), appraisal);
    }

    /// <summary>The keys that opened the challenge's credential together.</summary>
    private static ProvedKeys? Proved(OpenChallenge? given, Evidence evidence) =>
        given is { Secret.Length: > 0 } && evidence.Parts.TryGetValue(EvidenceParts.Credential, out var secret) && CryptographicOperations.FixedTimeEquals(SHA256.HashData(secret), given.Secret)
            ? new(given.AttestationKey, given.EndorsementKey) : null;

    private KeyLeaseRecord Lease(string release, Evidence evidence, EvidenceAppraisal appraisal) => new()
    {
        ReleaseId = release,
        Model = evidence.Model,
        Ends = DateTimeOffset.FromUnixTimeMilliseconds((time.GetUtcNow() + TimeSpan.FromSeconds(policy.Release.LeaseSeconds)).ToUnixTimeMilliseconds()),
        BootId = Convert.ToHexStringLower(evidence.BootId),
        ReceiptKey = evidence.Keys.Receipt,
        Evidence = appraisal.Evidence,
        Kind = evidence.Kind,
        Platform = appraisal.PlatformId,
        Insecure = appraisal.Insecure,
    };

    private KeyReleaseRecord Record(string release, string? renews, Evidence evidence, EvidenceAppraisal appraisal, DateTimeOffset? ends) => new()
    {
        ReleaseId = release,
        Time = time.GetUtcNow(),
        Verdict = ends is not null ? KeyReleaseVerdict.Released : KeyReleaseVerdict.Refused,
        Reason = appraisal.Reason,
        Model = evidence.Model,
        Evidence = appraisal.Evidence,
        ReceiptKey = evidence.Keys.Receipt,
        Kind = evidence.Kind,
        Measurement = appraisal.Measurement,
        Platform = appraisal.PlatformId,
        TcbStatus = appraisal.TcbStatus,
        Purpose = renews is null ? "release" : "renewal",
        Renews = renews,
        BootId = Convert.ToHexStringLower(evidence.BootId),
        LeaseEnds = ends,
        Policy = policy.Digest(),
        PolicyVersion = policy.Version,
        ValidUntil = appraisal.ValidUntil,
        FailedLegs = [.. appraisal.Legs.Where(leg => leg.Outcome is LegOutcome.Failed).Select(leg => leg.Name)],
        Insecure = appraisal.Insecure,
    };

    private static ReleasedKey Seal(KeyLeaseRecord lease, int seconds, Evidence evidence, SecretBytes key)
    {
        var (encapsulated, ciphertext) = Hpke.Seal(evidence.Keys.Hpke, ReleasedKey.Info(lease.ReleaseId, evidence.Model, evidence.Nonce, lease.Ends, seconds), evidence.ReportData(), key.Span);
        return new() { ReleaseId = lease.ReleaseId, Model = evidence.Model, LeaseEnds = lease.Ends, LeaseSeconds = seconds, Encapsulated = encapsulated, Ciphertext = ciphertext };
    }
}
