namespace Bulwark.Attestation.Sources;

/// <summary>Evidence before its payload: what every kind binds.</summary>
internal static class EvidenceShell
{
    /// <exception cref="ArgumentException">The nonce has another length.</exception>
    internal static Evidence Create(string kind, EvidenceChallenge challenge, EvidenceKeys keys, Cryptography.Digest model, byte[] bootId)
    {
        ArgumentNullException.ThrowIfNull(challenge);
        if (challenge.Nonce.Length != Evidence.NonceSizeInBytes)
            throw new ArgumentException($"A nonce has {Evidence.NonceSizeInBytes} bytes, not {challenge.Nonce.Length}.", nameof(challenge));
        return new() { Kind = kind, Payload = [], Nonce = challenge.Nonce, Keys = keys, Model = model, BootId = bootId };
    }
}
