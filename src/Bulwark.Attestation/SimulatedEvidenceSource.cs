using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>Makes evidence of kind <c>simulated</c>: the measurement of the program, signed by a development key. Insecure: whoever has that key can claim anything.</summary>
/// <param name="signer">The development key; not disposed here.</param>
/// <param name="measurement">What runs; see <see cref="Measurement"/>.</param>
/// <param name="time">The clock that dates the report.</param>
public sealed class SimulatedEvidenceSource(Signer signer, Digest measurement, TimeProvider time) : IEvidenceSource
{
    private readonly byte[] _bootId = RandomNumberGenerator.GetBytes(Evidence.BootIdSizeInBytes);

    /// <summary>What this source says runs.</summary>
    public Digest Measurement => measurement;

    /// <inheritdoc/>
    public string Kind => EvidenceKinds.Simulated;

    /// <inheritdoc/>
    public ValueTask<Evidence> CollectAsync(EvidenceChallenge challenge, EvidenceKeys keys, Digest model, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(challenge);
        return ValueTask.FromResult(Collect(challenge.Nonce, keys, model));
    }

    /// <summary>Collects evidence for a verifier's nonce.</summary>
    /// <param name="nonce">The verifier's fresh number, 32 bytes.</param>
    /// <param name="keys">The keys to bind.</param>
    /// <param name="model">Digest of the model package that the worker asks for.</param>
    /// <exception cref="ArgumentException">The nonce has another length.</exception>
    public Evidence Collect(ReadOnlySpan<byte> nonce, EvidenceKeys keys, Digest model)
    {
        if (nonce.Length != Evidence.NonceSizeInBytes)
            throw new ArgumentException($"A nonce has {Evidence.NonceSizeInBytes} bytes, not {nonce.Length}.", nameof(nonce));
        var evidence = new Evidence
        {
            Kind = EvidenceKinds.Simulated,
            Payload = [],
            Nonce = nonce.ToArray(),
            Keys = keys,
            Model = model,
            BootId = _bootId,
        };
        return evidence with { Payload = SimulatedReport.Create(time.GetUtcNow(), measurement, evidence.ReportData(), signer) };
    }
}
