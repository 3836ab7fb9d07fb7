namespace Bulwark.Attestation;

/// <summary>Where a worker gets its evidence from: hardware, or a development key.</summary>
public interface IEvidenceSource
{
    /// <summary>The kind that it collects; see <see cref="EvidenceKinds"/>.</summary>
    string Kind { get; }

    /// <summary>What the verifier must know before it gives a challenge; for most kinds nothing more than the kind.</summary>
    ValueTask<EvidenceIntroduction> IntroduceAsync(CancellationToken cancel) => ValueTask.FromResult(new EvidenceIntroduction { Kind = Kind });

    /// <summary>Collects evidence that answers a challenge.</summary>
    /// <param name="challenge">The verifier's challenge.</param>
    /// <param name="keys">The keys to bind.</param>
    /// <param name="model">Digest of the model package that the worker asks for.</param>
    /// <param name="cancel">Ends the collecting.</param>
    /// <exception cref="ArgumentException">The nonce has another length.</exception>
    /// <exception cref="IOException">The device cannot be used.</exception>
    ValueTask<Evidence> CollectAsync(EvidenceChallenge challenge, EvidenceKeys keys, Cryptography.Digest model, CancellationToken cancel);
}

/// <summary>Who asks for a challenge. A TPM shows the keys that the challenge is sealed to.</summary>
public sealed record EvidenceIntroduction
{
    /// <summary>The kind of evidence that will follow.</summary>
    public required string Kind { get; init; }

    /// <summary>TPM: the attestation key's TPM2B_PUBLIC; else empty.</summary>
    public byte[] AttestationKey { get; init => field = value ?? []; } = [];

    /// <summary>TPM: the endorsement key's TPM2B_PUBLIC; else empty.</summary>
    public byte[] EndorsementKey { get; init => field = value ?? []; } = [];

    /// <summary>The release whose lease is to be renewed; null for a first one. Only the rate and the room for challenges depend on it.</summary>
    public string? Renews { get; init; }

    /// <summary>Reads an introduction, as <see cref="KeyBrokerClient"/> writes it.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static EvidenceIntroduction FromJson(ReadOnlySpan<byte> json)
    {
        try
        {
            return System.Text.Json.JsonSerializer.Deserialize(json, AttestationJson.Default.EvidenceIntroduction) ?? throw new System.Text.Json.JsonException("The document is null.");
        }
        catch (System.Text.Json.JsonException failure)
        {
            throw new InvalidDataException($"This is no introduction: {failure.Message}", failure);
        }
    }
}

/// <summary>A verifier's challenge: a nonce, and for a TPM a credential that only the announced keys together can open.</summary>
public sealed record EvidenceChallenge
{
    /// <summary>32 bytes, good once.</summary>
    public required byte[] Nonce { get; init; }

    /// <summary>TPM2B_ID_OBJECT of TPM2_MakeCredential; empty when no attestation key was announced.</summary>
    public byte[] CredentialBlob { get; init => field = value ?? []; } = [];

    /// <summary>TPM2B_ENCRYPTED_SECRET of TPM2_MakeCredential; empty when no attestation key was announced.</summary>
    public byte[] CredentialSecret { get; init => field = value ?? []; } = [];

    /// <summary>The challenge as JSON, as <see cref="KeyBrokerClient"/> reads it.</summary>
    public byte[] ToJson() => System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(this, AttestationJson.Default.EvidenceChallenge);
}
