using Bulwark.Cryptography;

namespace Bulwark.Attestation.Tpm;

/// <summary>What a TPM and the machine behind it must be.</summary>
public sealed record TpmPolicy
{
    /// <summary>Registers that the quote must cover; only SHA-256 banks and longer are sound.</summary>
    public required PcrSelection Required { get; init; }

    /// <summary>Allowed values of registers: register to hexadecimal values. A register without an entry may hold anything.</summary>
    public IReadOnlyDictionary<int, IReadOnlyList<string>> Values { get; init => field = value ?? new Dictionary<int, IReadOnlyList<string>>(); } = new Dictionary<int, IReadOnlyList<string>>();

    /// <summary>SHA-256 of the SubjectPublicKeyInfo of each endorsement root; empty asks for no endorsement certificate, which must be spelled out by <see cref="AllowUnendorsed"/>.</summary>
    public IReadOnlyList<Digest> EndorsementRoots { get; init => field = value ?? []; } = [];

    /// <summary>No endorsement certificate is asked for: the key's origin is proved otherwise, for example by a report of the machine's processor.</summary>
    public bool AllowUnendorsed { get; init; }

    /// <summary>The attestation key may come without its public area: its attributes are then known otherwise.</summary>
    public bool AllowBareKey { get; init; }

    /// <summary>Attestation keys that are let in, by their names in hexadecimal.</summary>
    public IReadOnlyList<string> AttestationKeys { get; init => field = value ?? []; } = [];

    /// <summary>Any attestation key is let in, also one of a machine that an attacker owns. Flagged in every appraisal.</summary>
    public bool AnyPlatform { get; init; }
}

/// <summary>A quote and what came with it.</summary>
public sealed record TpmEvidence
{
    /// <summary>TPMS_ATTEST.</summary>
    public required ReadOnlyMemory<byte> Attest { get; init; }
    /// <summary>TPMT_SIGNATURE, or a bare RSA signature when <see cref="BareSignature"/>.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }
    /// <summary>The signature is bare RSASSA with SHA-256.</summary>
    public bool BareSignature { get; init; }
    /// <summary>The attestation key's TPM2B_PUBLIC; empty when only <see cref="Key"/> is known.</summary>
    public ReadOnlyMemory<byte> KeyPublic { get; init; }
    /// <summary>The attestation key as DER SubjectPublicKeyInfo, when its public area is not known.</summary>
    public ReadOnlyMemory<byte> Key { get; init; }
    /// <summary>The registers' values as presented: bank, register, value.</summary>
    public required IReadOnlyDictionary<TpmHash, IReadOnlyDictionary<int, byte[]>> Pcrs { get; init; }
    /// <summary>Endorsement certificate, then its issuers, root last; DER or PEM each.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> EndorsementChain { get; init => field = value ?? []; } = [];
}
