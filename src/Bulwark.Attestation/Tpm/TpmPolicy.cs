using System.Text.Json.Serialization;
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
    [JsonIgnore]
    public bool AllowUnendorsed { get; init; }

    /// <summary>The attestation key may come without its public area: its attributes are then known otherwise.</summary>
    [JsonIgnore]
    public bool AllowBareKey { get; init; }

    /// <summary>That attestation and endorsement key are of one TPM was proved before; else the challenge's credential proves it. Code says so, never a policy file.</summary>
    [JsonIgnore]
    public bool BindingKnown { get; init; }

    /// <summary>Composites of the required registers that are let in, 32 bytes in hexadecimal: SHA-256 over their values in ascending order. Empty lets none in unless <see cref="AnyMeasurement"/>.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Measurements { get; init => field = value ?? []; } = [];

    /// <summary>Any composite is let in: the caller judges the registers. Flagged in every appraisal.</summary>
    [JsonIgnore]
    public bool AnyMeasurement { get; init; }

    /// <summary>The firmware's event log must come along and give the quoted registers.</summary>
    public bool RequireEventLog { get; init; }

    /// <summary>SHA-256 of the SubjectPublicKeyInfo of endorsement keys that are let in.</summary>
    public IReadOnlyList<Digest> EndorsementKeys { get; init => field = value ?? []; } = [];

    /// <summary>Attestation keys that are let in, by their names in hexadecimal.</summary>
    public IReadOnlyList<string> AttestationKeys { get; init => field = value ?? []; } = [];

    /// <summary>Any attestation key is let in, also one of a machine that an attacker owns. Flagged in every appraisal.</summary>
    public bool AnyPlatform { get; init; }

    internal IEnumerable<string> Faults(bool isPhysical)
    {
        if (Required.Hash is not (TpmHash.Sha256 or TpmHash.Sha384 or TpmHash.Sha512)) yield return $"tpm: the bank {Required.Hash} is not sound; ask for sha256, sha384 or sha512.";
        if (Required.Indices.Count == 0 || Required.Indices.Any(index => index is < 0 or > 23) || Required.Indices.Distinct().Count() != Required.Indices.Count) yield return "tpm: the required registers are some of 0 to 23, each once.";
        foreach (var register in Values.Keys.Except(Required.Indices))
            yield return $"tpm: register {register} has allowed values, but the quote need not cover it.";
        if (!isPhysical)
            yield break;
        if (EndorsementRoots.Count == 0) yield return "tpm: no endorsement root is trusted.";
        if (AttestationKeys.Count == 0 && EndorsementKeys.Count == 0 && !AnyPlatform) yield return "tpm: no key is let in; list endorsement or attestation keys, or spell \"anyPlatform\": true out.";
        if ((AttestationKeys.Count > 0 || EndorsementKeys.Count > 0) && AnyPlatform) yield return "tpm: keys are listed and any key is let in; choose one.";
    }
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
    /// <summary>The endorsement key's TPM2B_PUBLIC, once the TPM has opened a credential made for it and for <see cref="KeyPublic"/>; else empty.</summary>
    public ReadOnlyMemory<byte> ProvedEndorsementKey { get; init; }
    /// <summary>The firmware's event log; empty when there is none.</summary>
    public ReadOnlyMemory<byte> EventLog { get; init; }
}
