using Bulwark.Attestation;
using Bulwark.Lineage;
using Prometheus;

namespace Bulwark.Server;

/// <summary>What the broker writes to the transparency log, counts and says: a decision that cannot be written is no decision.</summary>
internal sealed class BrokerLog(BrokerOptions options, ILogger logger)
{
    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, byte[]> _signed = new();
    private Counter? _decisions, _unchallenged;

    internal CollectorRegistry Registry => _registry;

    private Counter Decisions => _decisions ??= Metrics.WithCustomRegistry(_registry).CreateCounter(
        "bulwark_key_releases_total", "Key releases and renewals, by verdict, first failed leg, and whether the evidence was insecure.", "verdict", "leg", "insecure");

    /// <summary>Records the policy that this start brings into force, before anything is decided by it.</summary>
    internal async Task AppendPolicyAsync(CancellationToken cancel) => await options.Log.AppendAsync(Dsse.Sign(
        Statement.Of("evidence policy", options.Policy.Digest(), new PolicyChanged { Kind = PolicyChanged.EvidencePolicy, Time = options.Time.GetUtcNow() }), options.Signer), cancel);

    /// <summary>Records a decision; throws when it cannot.</summary>
    internal async ValueTask AppendAsync(KeyReleaseRecord record, CancellationToken cancel)
    {
        var envelope = Dsse.Sign(Statement.Create(PredicateTypes.KeyRelease, [new("model", record.Model)], record), options.Signer);
        await options.Log.AppendAsync(envelope, cancel);
        _signed[record.ReleaseId] = envelope;
        Decisions.WithLabels(GatewayMetrics.Word(record.Verdict), record.FailedLegs.Count > 0 ? record.FailedLegs[0] : "", record.Insecure ? "true" : "false").Inc();
        logger.KeyDecided(GatewayMetrics.Word(record.Verdict), record.ReleaseId, record.Model, record.Kind, record.Insecure ? "INSECURE" : "hardware", record.Reason);
    }

    /// <summary>The decision as it was signed and logged, once: for its answer.</summary>
    internal byte[]? TakeSigned(string releaseId) => _signed.TryRemove(releaseId, out var envelope) ? envelope : null;

    /// <summary>Counts who asked for a key without an open challenge: refused, and in no log.</summary>
    internal void Unchallenged() => (_unchallenged ??= Metrics.WithCustomRegistry(_registry).CreateCounter(
        "bulwark_key_requests_unchallenged_total", "Requests for a key without an open challenge: refused, and in no log.")).Inc();

    /// <summary>Records an approval or revocation as its signer wrote it.</summary>
    internal async Task AppendAsync(ReadOnlyMemory<byte> envelope, KeyAuthorityUsed used, CancellationToken cancel)
    {
        await options.Log.AppendAsync(envelope.ToArray(), cancel);
        logger.KeyAuthority(used.Action, used.Model, used.By);
    }

    /// <summary>Tells the operator what the caller is not told.</summary>
    internal void Failed(Exception failure) => logger.BrokerFailed(failure);
}
