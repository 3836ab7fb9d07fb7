using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Attestation;

/// <summary>A worker, its development key and a policy that lets it in; tests bend one thing each.</summary>
internal sealed class AttestedWorld : IDisposable
{
    internal AttestedWorld() => Source = new(DevelopmentKey, Program, Time);

    internal FakeTimeProvider Time { get; } = new(new DateTimeOffset(2027, 1, 1, 12, 0, 0, TimeSpan.Zero));
    internal Signer DevelopmentKey { get; } = Signer.Generate();
    internal Signer ReceiptKey { get; } = Signer.Generate();
    internal HpkeKeyPair HpkeKey { get; } = HpkeKeyPair.Generate();
    internal Digest Program { get; } = Digest.Of("worker"u8);
    internal Digest Model { get; } = Digest.Of("model"u8);
    internal SimulatedEvidenceSource Source { get; }
    internal EvidenceKeys Keys => new() { Hpke = HpkeKey.PublicKey.ToArray(), Receipt = ReceiptKey.PublicKey };

    internal EvidencePolicy Policy => new()
    {
        Environment = EvidenceEnvironment.Development,
        Kinds = [EvidenceKinds.Simulated],
        InsecureSimulated = true,
        SimulatedKeys = [DevelopmentKey.PublicKey],
        Measurements = [Program],
        Models = [Model],
        MaximumAgeSeconds = 300,
    };

    internal static byte[] Nonce() => RandomNumberGenerator.GetBytes(Evidence.NonceSizeInBytes);

    internal EvidenceAppraisal Verify(Evidence evidence, byte[] nonce, EvidencePolicy? policy = null) => new EvidenceVerifier(policy ?? Policy, Time).Verify(evidence, nonce);

    /// <summary>An approval or a revocation, signed.</summary>
    internal byte[] Authority(string action, Signer by, Digest? model = null, DateTimeOffset? time = null, string? release = null) => Dsse.Sign(Statement.Of("model", model ?? Model,
        new KeyAuthorityUsed { Action = action, Model = model ?? Model, By = by.PublicKey, Time = time ?? Time.GetUtcNow(), ReleaseId = release }), by);

    public void Dispose()
    {
        DevelopmentKey.Dispose();
        ReceiptKey.Dispose();
        HpkeKey.Dispose();
    }
}
