using Bulwark.Attestation;

namespace Bulwark.Server;

/// <summary>A key broker elsewhere: the gateway takes its releases into its own log before the worker gets the key, and believes a refusal only when it is signed, too.</summary>
internal sealed class RemoteBroker(KeyBrokerClient broker, GatewayRecords records) : IKeyBroker
{
    public ValueTask<EvidenceChallenge> ChallengeAsync(EvidenceIntroduction introduction, CancellationToken cancel) => broker.ChallengeAsync(introduction, cancel);

    public async ValueTask<KeyReleaseAnswer> ReleaseAsync(Evidence evidence, string? renews, CancellationToken cancel)
    {
        return await records.TakeReleaseAsync(evidence, renews, await broker.ReleaseAsync(evidence, renews, cancel), cancel);
    }
}
