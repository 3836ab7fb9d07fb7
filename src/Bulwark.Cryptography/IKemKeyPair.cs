namespace Bulwark.Cryptography;

/// <summary>What <see cref="Hpke"/> needs of a key pair (RFC 9180 §4.1): P-256 or X25519.</summary>
internal interface IKemKeyPair
{
    /// <summary>RFC 9180 §7.1.</summary>
    ushort Kem { get; }

    ReadOnlySpan<byte> PublicBytes { get; }

    /// <summary>The raw Diffie-Hellman secret; the caller wipes it.</summary>
    /// <exception cref="ArgumentException">It is no key to agree with.</exception>
    byte[] Agree(ReadOnlySpan<byte> publicKey);
}
