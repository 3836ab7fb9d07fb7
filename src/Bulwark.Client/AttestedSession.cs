using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;

namespace Bulwark.Client;

/// <summary>A worker whose evidence was verified, and the open session with its key.</summary>
internal sealed class AttestedSession : IDisposable
{
    /// <summary>A session is exchanged for a new one, without asking anybody, well before the worker would refuse it.</summary>
    private static readonly TimeSpan s_renewal = SealedChannel.Lifetime / 2;

    private readonly BulwarkClientOptions _options;
    private readonly DateTimeOffset _verified;
    private readonly Lock _lock = new();
    private readonly List<SealedChannel> _all = [];
    private SealedChannel _channel;

    private readonly DateTimeOffset _leaseEnds;

    private AttestedSession(BulwarkClientOptions options, WorkerAttestation attested, EvidenceAppraisal appraisal, DateTimeOffset leaseEnds)
    {
        (_options, Attested, Appraisal, _verified, _leaseEnds) = (options, attested, appraisal, options.Time.GetUtcNow(), leaseEnds);
        _channel = Open();
    }

    internal WorkerAttestation Attested { get; }

    internal Evidence Evidence => Attested.Evidence;

    internal EvidenceAppraisal Appraisal { get; }

    /// <summary>True once the policy asks for newer evidence, or the lease that was shown is over.</summary>
    internal bool IsStale => _leaseEnds <= _options.Time.GetUtcNow() || _options.Time.GetUtcNow() - _verified > TimeSpan.FromSeconds(_options.Policy.MaximumAgeSeconds) || Appraisal.ValidUntil < _options.Time.GetUtcNow();

    /// <summary>Verifies what a gateway says of its worker: evidence against the policy, the key's release against the log.</summary>
    /// <exception cref="BulwarkClientException">A leg fails, or the release is not proved.</exception>
    internal static AttestedSession Verify(BulwarkClientOptions options, ReadOnlySpan<byte> json, byte[] nonce)
    {
        WorkerAttestation attested;
        try
        {
            attested = WorkerAttestation.FromJson(json);
        }
        catch (InvalidDataException failure)
        {
            throw new BulwarkClientException(ClientFailure.EvidenceRefused, $"The gateway gave no evidence: {failure.Message}", failure);
        }

        var appraisal = new EvidenceVerifier(options.Policy, options.Time, options.Collateral).Verify(attested.Evidence, nonce);
        if (appraisal.Verdict is not EvidenceVerdict.Trusted)
            throw new BulwarkClientException(ClientFailure.EvidenceRefused, $"The worker's evidence is refused: {appraisal.Reason}", appraisal: appraisal);
        if (!Names(options, attested.Evidence))
            throw new BulwarkClientException(ClientFailure.EvidenceRefused, $"The worker's package is not what the policy calls {options.Model}.", appraisal: appraisal);
        var now = options.Time.GetUtcNow();
        if (attested.ReadRelease(options.Log, options.Brokers, out var fault) is not { } release)
            throw NotProved(ClientFailure.ReleaseNotProved, fault!, appraisal);
        if (attested.ReleaseFault(release, now) is { } unfit)
            throw NotProved(release.LeaseEnds <= now ? ClientFailure.LeaseEnded : ClientFailure.ReleaseNotProved, unfit, appraisal);
        if (options.Revocations.Select(one => Revocation.Read(one, options.Policy.Release.Approvers)).FirstOrDefault(one => one?.Revokes(release.Model, release.ReleaseId, release.Root, release.BootId, release.ReceiptKey) is true) is { } revoked)
            throw NotProved(ClientFailure.Revoked, $"{revoked.By} revoked it {revoked.Time:u}{(revoked.Reason is { } reason ? $": {reason}" : "")}", appraisal);
        return new(options, attested, appraisal, release.LeaseEnds!.Value);
    }

    /// <summary>A policy of several packages says which is the model that was asked for: a gateway could answer with another one.</summary>
    private static bool Names(BulwarkClientOptions options, Evidence evidence) =>
        options.Policy.Models.Any(rule => rule.Package == evidence.Model && (rule.Name == options.Model || (rule.Name.Length == 0 && options.Policy.Models.Count == 1)));

    private static BulwarkClientException NotProved(ClientFailure failure, string why, EvidenceAppraisal appraisal) =>
        new(failure, $"It is not proved that this worker holds the model's key: {why}", appraisal: appraisal);

    internal static byte[] NewNonce() => RandomNumberGenerator.GetBytes(Evidence.NonceSizeInBytes);

    internal SealedCall Seal(SealedRoute route, ReadOnlySpan<byte> body)
    {
        lock (_lock)
        {
            if (_options.Time.GetUtcNow() - _channel.Opened > s_renewal)
                _channel = Open();
            return _channel.Seal(route, body);
        }
    }

    public void Dispose()
    {
        lock (_lock)
            _all.ForEach(channel => channel.Dispose());
    }

    private SealedChannel Open()
    {
        var channel = SealedChannel.Open(Evidence.Keys.Hpke, Evidence.ChannelBinding(), _options.Time.GetUtcNow());
        _all.Add(channel);   // answers to the one before may still be under way
        return channel;
    }
}
