using Bulwark.Attestation;
using Bulwark.Lineage;
using Prometheus;

namespace Bulwark.Server;

/// <summary>What the broker writes to the transparency log, counts and says: a decision that cannot be written is no decision.</summary>
internal sealed class BrokerLog(BrokerOptions options, ILogger logger)
{
    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();
    private Counter? _decisions;

    internal CollectorRegistry Registry => _registry;

    private Counter Decisions => _decisions ??= Metrics.WithCustomRegistry(_registry).CreateCounter(
        "bulwark_key_releases_total", "Key releases and renewals, by verdict, first failed leg, and whether the evidence was insecure.", "verdict", "leg", "insecure");

    /// <summary>Records the policy that this start brings into force, before anything is decided by it.</summary>
    internal async Task AppendPolicyAsync(CancellationToken cancel) => await options.Log.AppendAsync(Dsse.Sign(
        Statement.Of("evidence policy", options.Policy.Digest(), new PolicyChanged { Kind = PolicyChanged.EvidencePolicy, Time = options.Time.GetUtcNow() }), options.Signer), cancel);

    /// <summary>Records a decision; throws when it cannot.</summary>
    internal async ValueTask AppendAsync(KeyReleaseRecord record, CancellationToken cancel)
    {
        await options.Log.AppendAsync(Dsse.Sign(Statement.Create(PredicateTypes.KeyRelease, [new("model", record.Model)], record), options.Signer), cancel);
        Decisions.WithLabels(GatewayMetrics.Word(record.Verdict), record.FailedLegs.Count > 0 ? record.FailedLegs[0] : "", record.Insecure ? "true" : "false").Inc();
        logger.KeyDecided(GatewayMetrics.Word(record.Verdict), record.ReleaseId, record.Model, record.Kind, record.Insecure ? "INSECURE" : "hardware", record.Reason);
    }

    /// <summary>Records an approval or revocation as its signer wrote it.</summary>
    internal async Task AppendAsync(ReadOnlyMemory<byte> envelope, KeyAuthorityUsed used, CancellationToken cancel)
    {
        await options.Log.AppendAsync(envelope.ToArray(), cancel);
        logger.KeyAuthority(used.Action, used.Model, used.By);
    }

    /// <summary>Tells the operator what the caller is not told.</summary>
    internal void Failed(Exception failure) => logger.BrokerFailed(failure);
}
