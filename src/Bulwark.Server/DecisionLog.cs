using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Worker;

namespace Bulwark.Server;

/// <summary>What the gateway and its broker write to the transparency log. A decision that cannot be written is no decision.</summary>
internal sealed class DecisionLog(GatewayOptions options, GatewayMetrics metrics, ILogger logger)
{
    private const string PseudonymKey = "pseudonyms";

    /// <summary>The answer when the log cannot be written.</summary>
    internal static readonly Refusal Unavailable = new(StatusCodes.Status503ServiceUnavailable, "log-unavailable", "The decision could not be recorded, so there is none; try again later.");

    private readonly byte[] _pseudonymKey = DerivePseudonymKey(options.Keys);
    private readonly Digest _policy = Digest.Of(System.Text.Encoding.UTF8.GetBytes(options.Policy));

    /// <summary>The package that is served.</summary>
    internal Digest Model { get; set; }

    /// <summary>A client's name in the log: a keyed digest of its certificate, so that the log can be shown without naming clients.</summary>
    internal string Pseudonym(ReadOnlySpan<byte> certificate) => Lineage.Pseudonym.Of(_pseudonymKey, certificate);

    /// <summary>Records the policies that this start brings into force, before anything is decided by them.</summary>
    internal async ValueTask AppendPoliciesAsync(CancellationToken cancel)
    {
        await options.Log.FlushAsync(cancel);
        byte[] Entry(string name, Digest policy, string kind) => Dsse.Sign(Statement.Of(name, policy, new PolicyChanged
        {
            Kind = kind,
            Previous = PolicyHistory.InForce(options.Log, kind, [options.Signer.PublicKey]),
            Time = options.Time.GetUtcNow(),
        }), options.Signer);
        await options.Log.AppendManyAsync([
            Entry("access policy", _policy, PolicyChanged.AccessPolicy), Entry("evidence policy", options.EvidencePolicy.Digest(), PolicyChanged.EvidencePolicy)], cancel);
    }

    /// <summary>Records a key release or its refusal; throws when it cannot.</summary>
    internal async ValueTask AppendAsync(KeyReleaseRecord record, CancellationToken cancel)
    {
        metrics.KeyRelease(GatewayMetrics.Word(record.Verdict), record.Insecure);
        await options.Log.AppendAsync(Dsse.Sign(Statement.Create(PredicateTypes.KeyRelease, [new("model", record.Model)], record), options.Signer), cancel);
    }

    /// <summary>Records the worker's signed decision and who it was for; gives the receipt, or null when the log cannot be written.</summary>
    internal async Task<byte[]?> TryAppendAsync(WorkerAnswer answer, GatewayDecision decision)
    {
        var status = answer.Verdict.IsAccepted ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity;
        var access = Access(decision, answer.Verdict.IsAccepted ? "scored" : "screened", answer.Verdict.Reason, status);
        return await TryAsync(async () =>
        {
            var entries = await options.Log.AppendManyAsync([answer.Envelope, access]);
            return new PredictionReceipt(answer.Envelope, answer.Salt, await options.Log.ProofForAsync(entries[0].Index)).ToBytes();
        });
    }

    /// <summary>Records a refusal; false when the log cannot be written.</summary>
    internal async Task<bool> TryAppendAsync(Refusal refusal, GatewayDecision decision) =>
        await TryAsync(async () => await options.Log.AppendAsync(Access(decision, "refused", refusal.Reason, refusal.Status))) is not null;

    private byte[] Access(GatewayDecision decision, string outcome, string reason, int status) =>
        Dsse.Sign(Statement.Of("model", Model, new RequestJudged
        {
            Action = decision.Action,
            Time = decision.Time,
            Outcome = outcome,
            Reason = reason,
            Status = status,
            Client = decision.Client,
            Policy = _policy,
            Policies = decision.Policies,
        }), options.Signer);

    /// <summary>Whatever keeps an entry from the disk has the same answer: closed.</summary>
    private async Task<T?> TryAsync<T>(Func<Task<T>> append) where T : class
    {
        try
        {
            return await append();
        }
        catch (Exception failure)
        {
            metrics.LogFailed();
            logger.LogFailed(failure);
            return null;
        }
    }

    private static byte[] DerivePseudonymKey(KeyRing keys)
    {
        keys.GetOrCreateSymmetric(PseudonymKey);
        using var key = keys.Derive(PseudonymKey, "bulwark.dev/pseudonym/v1");
        return key.Span.ToArray();
    }
}
