using System.Text;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Server;

/// <summary>What the gateway and its broker write to the transparency log besides decisions: policies that come into force, keys that are released.</summary>
internal sealed class GatewayRecords(GatewayOptions options, GatewayMetrics metrics)
{
    private const string PseudonymKey = "pseudonyms";
    private readonly byte[] _pseudonymKey = DerivePseudonymKey(options.Keys);

    private (byte[] Entry, long Index)? _release;

    /// <summary>The last key release with its place in the log, as a receipt file: what a client holds a worker's evidence against. Null when there was none.</summary>
    internal async ValueTask<byte[]?> ProveReleaseAsync() => _release is not var (entry, index) ? null
        : new PredictionReceipt(entry, new byte[PredictionReceipt.SaltBytes], await options.Log.ProofForAsync(index)).ToBytes();

    /// <summary>A client's name in the log: a keyed digest of its certificate, so that the log can be shown without naming clients.</summary>
    internal string Pseudonym(ReadOnlySpan<byte> certificate) => Lineage.Pseudonym.Of(_pseudonymKey, certificate);

    /// <summary>Records the policies that this start brings into force, before anything is decided by them.</summary>
    internal async ValueTask AppendPoliciesAsync(CancellationToken cancel)
    {
        await options.Log.FlushAsync(cancel);
        byte[] Entry(string name, Digest policy, string kind) => Policy(name, policy, kind, PolicyHistory.InForce(options.Log, kind, [options.Signer.PublicKey]));
        await options.Log.AppendManyAsync(
            [
                Entry("access policy", Digest.Of(Encoding.UTF8.GetBytes(options.Policy)), PolicyChanged.AccessPolicy),
                Entry("evidence policy", options.EvidencePolicy.Digest(), PolicyChanged.EvidencePolicy),
            ], cancel);
    }

    /// <summary>Records that an access policy takes another one's place; throws when it cannot.</summary>
    internal async ValueTask AppendPolicyAsync(Digest policy, Digest previous, CancellationToken cancel) =>
        await options.Log.AppendAsync(Policy("access policy", policy, PolicyChanged.AccessPolicy, previous), cancel);

    /// <summary>Records a key release or its refusal; throws when it cannot.</summary>
    internal async ValueTask AppendAsync(KeyReleaseRecord record, CancellationToken cancel)
    {
        metrics.KeyRelease(GatewayMetrics.Word(record.Verdict), record.Insecure);
        var entry = Dsse.Sign(Statement.Create(PredicateTypes.KeyRelease, [new("model", record.Model)], record), options.Signer);
        var place = await options.Log.AppendAsync(entry, cancel);
        if (record.Verdict is KeyReleaseVerdict.Released)
            _release = (entry, place.Index);
    }

    /// <summary>Takes a decision of a broker elsewhere; a release, as it signed it, into this log: a client holds it against the broker's key and this log.</summary>
    /// <remarks>
    /// A refusal that nobody signed for this evidence is no answer: else whoever stands between could have a worker wipe its model. The worker then asks again
    /// while its lease runs. Whoever hides a refusal gains nothing past the lease's end, for only a new release lengthens it.
    /// </remarks>
    /// <param name="evidence">What was shown; its nonce is the broker's.</param>
    /// <param name="renews">The release that was to be renewed; null for a first one.</param>
    /// <param name="answer">What came back.</param>
    /// <param name="cancel">Ends the wait for the log.</param>
    /// <returns>The answer, as far as it can be believed: insecure, unless a pinned key signed it.</returns>
    /// <exception cref="IOException">No pinned key signed it, it signed another decision, or no key is pinned and the refusal would cost a worker its model.</exception>
    internal async ValueTask<KeyReleaseAnswer> TakeReleaseAsync(Evidence evidence, string? renews, KeyReleaseAnswer answer, CancellationToken cancel)
    {
        var pinned = options.BrokerKeys.Count > 0;
        if (answer.Key is null && (pinned ? !IsSigned(evidence, renews, answer) : !CountsUnsigned(renews, answer.Record)))
            throw new IOException($"The key broker's refusal is not signed for this request by a key that counts here, so it is taken for no answer; it says: {answer.Record.Reason}. Give the broker's own signing key (--broker-key), or look who answers in its place.");
        if (answer.Key is not null && pinned && !IsSigned(evidence, renews, answer))
            throw new IOException("The key broker's decision is not signed by a key that counts here, or it signed another than it sent. Give the broker's own signing key (--broker-key), or look who answers in its place.");
        if (answer.Key is not null && !pinned)
            answer = answer with { Record = answer.Record with { Insecure = true } };
        metrics.KeyRelease(GatewayMetrics.Word(answer.Record.Verdict), answer.Record.Insecure);
        if (answer.Key is null)
            return answer;
        if (answer.Envelope.IsEmpty)
            throw new IOException("The key broker sent its decision unsigned, so no client could believe it.");
        var entry = answer.Envelope.ToArray();
        _release = (entry, (await options.Log.AppendAsync(entry, cancel)).Index);
        return answer;
    }

    /// <summary>
    /// True for a refusal that does no harm whoever wrote it: of a first key, or of a lease that the broker does not know, upon which the worker asks for a first key
    /// while its lease runs on. Never that a release was revoked, for then a worker wipes its model, even when it asked for a first key because the lease was not known.
    /// </summary>
    internal static bool CountsUnsigned(string? renews, KeyReleaseRecord refusal) =>
        refusal.FailedLegs is { } failed && !failed.Contains("not-revoked") && (renews is null || failed is ["lease"]);

    /// <summary>True when a pinned key signed exactly this decision, and it is about this evidence, this renewal and this key.</summary>
    private bool IsSigned(Evidence evidence, string? renews, KeyReleaseAnswer answer)
    {
        var (record, key) = (answer.Record, answer.Key);
        var opened = Dsse.Verify(answer.Envelope, options.BrokerKeys);
        return opened.Verdict is DsseVerdict.Trusted && opened.PayloadType == Statement.PayloadType
            && opened.Payload.Span.SequenceEqual(Statement.Create(PredicateTypes.KeyRelease, [new("model", record.Model)], record).ToBytes())
            && record.Evidence == evidence.Digest() && record.Model == evidence.Model && record.Renews == renews
            && (key is null ? record.Verdict is KeyReleaseVerdict.Refused
                : record.Verdict is KeyReleaseVerdict.Released && (key.ReleaseId, key.Model, key.LeaseEnds) == (record.ReleaseId, record.Model, record.LeaseEnds));
    }

    private byte[] Policy(string name, Digest policy, string kind, Digest? previous) =>
        Dsse.Sign(Statement.Of(name, policy, new PolicyChanged { Kind = kind, Previous = previous, Time = options.Time.GetUtcNow() }), options.Signer);

    private static byte[] DerivePseudonymKey(KeyRing keys)
    {
        keys.GetOrCreateSymmetric(PseudonymKey);
        using var key = keys.Derive(PseudonymKey, "bulwark.dev/pseudonym/v1");
        return key.Span.ToArray();
    }
}
