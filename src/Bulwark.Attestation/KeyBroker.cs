using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>Releases a model's data key to a worker that has shown what it is: challenge, evidence, decision, record, key.</summary>
/// <remarks>
/// After the two round trips of RCAR (Confidential Containers) with RFC 9180 for the answer. Every decision is recorded durably before its answer leaves;
/// when the record cannot be written there is no key. Thread-safe.
/// </remarks>
/// <param name="policy">What evidence must say.</param>
/// <param name="dataKey">Gives the data key of a model package, or null when it has none; the broker disposes of it.</param>
/// <param name="record">Writes a decision where it cannot be taken back; throws when it cannot.</param>
/// <param name="time">The broker's clock.</param>
public sealed class KeyBroker(EvidencePolicy policy, Func<Digest, CancellationToken, ValueTask<SecretBytes?>> dataKey, Func<KeyReleaseRecord, CancellationToken, ValueTask> record, TimeProvider time)
{
    private readonly EvidenceVerifier _verifier = new(policy, time);
    private readonly ChallengeBook _challenges = new(time);

    /// <summary>How long a challenge is good.</summary>
    public static TimeSpan ChallengeLifetime => ChallengeBook.Lifetime;

    /// <summary>A fresh nonce, 32 bytes: good once, for <see cref="ChallengeLifetime"/>.</summary>
    public byte[] Challenge() => _challenges.Give();

    /// <summary>Decides whether the worker behind <paramref name="evidence"/> gets the key of the model that it names.</summary>
    public async ValueTask<KeyReleaseAnswer> ReleaseAsync(Evidence evidence, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        var appraisal = Appraise(evidence);
        using var key = appraisal.Verdict is EvidenceVerdict.Trusted ? await dataKey(evidence.Model, cancel) : null;
        if (appraisal.Verdict is EvidenceVerdict.Trusted)
            appraisal = appraisal.With(new("key", key is null ? LegOutcome.Failed : LegOutcome.Passed, key is null ? "the broker has no key of this model" : ""));

        var decision = Record(evidence, appraisal);
        await record(decision, cancel);
        return new(decision, appraisal, decision.Verdict is KeyReleaseVerdict.Released ? Seal(decision.ReleaseId, evidence, key!) : null);
    }

    private EvidenceAppraisal Appraise(Evidence evidence)
    {
        var given = _challenges.Take(evidence.Nonce);
        var challenge = new EvidenceLeg("challenge", given ? LegOutcome.Passed : LegOutcome.Failed,
            given ? "" : $"the nonce was never given, was used already, or is older than {ChallengeLifetime.TotalSeconds:F0} s");
        return _verifier.Verify(evidence, evidence.Nonce).With(challenge);
    }

    private KeyReleaseRecord Record(Evidence evidence, EvidenceAppraisal appraisal) => new()
    {
        ReleaseId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
        Time = time.GetUtcNow(),
        Verdict = appraisal.Verdict is EvidenceVerdict.Trusted ? KeyReleaseVerdict.Released : KeyReleaseVerdict.Refused,
        Reason = appraisal.Reason,
        Model = evidence.Model,
        Evidence = appraisal.Evidence,
        ReceiptKey = evidence.Keys.Receipt,
        Kind = evidence.Kind,
        Measurement = appraisal.Measurement,
        Platform = appraisal.PlatformId,
        TcbStatus = appraisal.TcbStatus,
        PolicyVersion = policy.Version,
        ValidUntil = appraisal.ValidUntil,
        Policy = policy.Digest(),
        FailedLegs = [.. appraisal.Legs.Where(leg => leg.Outcome is LegOutcome.Failed).Select(leg => leg.Name)],
        Insecure = appraisal.Insecure,
    };

    private static ReleasedKey Seal(string releaseId, Evidence evidence, SecretBytes key)
    {
        var (encapsulated, ciphertext) = Hpke.Seal(evidence.Keys.Hpke, ReleasedKey.Info(releaseId, evidence.Model, evidence.Nonce), evidence.ReportData(), key.Span);
        return new() { ReleaseId = releaseId, Model = evidence.Model, Encapsulated = encapsulated, Ciphertext = ciphertext };
    }
}
