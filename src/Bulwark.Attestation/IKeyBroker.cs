namespace Bulwark.Attestation;

/// <summary>Whoever releases model keys to attested workers: in this process (<see cref="KeyBroker"/>) or over HTTPS (<see cref="KeyBrokerClient"/>).</summary>
public interface IKeyBroker
{
    /// <summary>The first round trip: a challenge, good once.</summary>
    /// <param name="introduction">Who asks.</param>
    /// <param name="cancel">Ends the asking.</param>
    ValueTask<EvidenceChallenge> ChallengeAsync(EvidenceIntroduction introduction, CancellationToken cancel);

    /// <summary>The second round trip: evidence against a key, or a refusal with every leg.</summary>
    /// <param name="evidence">Evidence over the challenge's nonce.</param>
    /// <param name="renews">The release whose lease is to go on; null for a first one.</param>
    /// <param name="cancel">Ends the asking.</param>
    ValueTask<KeyReleaseAnswer> ReleaseAsync(Evidence evidence, string? renews, CancellationToken cancel);
}
