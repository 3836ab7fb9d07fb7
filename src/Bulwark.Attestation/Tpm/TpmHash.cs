using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace Bulwark.Attestation.Tpm;

/// <summary>Hash algorithms by their TPM_ALG_ID.</summary>
[JsonConverter(typeof(NamesOnlyConverter<TpmHash>))]
public enum TpmHash : ushort
{
    /// <summary>No algorithm.</summary>
    [JsonStringEnumMemberName("none")]
    None = 0,
    /// <summary>SHA-1: read in logs, never trusted.</summary>
    [JsonStringEnumMemberName("sha1")]
    Sha1 = 0x0004,
    /// <summary>SHA-256.</summary>
    [JsonStringEnumMemberName("sha256")]
    Sha256 = 0x000B,
    /// <summary>SHA-384.</summary>
    [JsonStringEnumMemberName("sha384")]
    Sha384 = 0x000C,
    /// <summary>SHA-512.</summary>
    [JsonStringEnumMemberName("sha512")]
    Sha512 = 0x000D,
}

internal static class TpmHashes
{
    internal static HashAlgorithmName? Name(this TpmHash hash) => hash switch
    {
        TpmHash.Sha1 => HashAlgorithmName.SHA1,
        TpmHash.Sha256 => HashAlgorithmName.SHA256,
        TpmHash.Sha384 => HashAlgorithmName.SHA384,
        TpmHash.Sha512 => HashAlgorithmName.SHA512,
        _ => null,
    };

    internal static int Size(this TpmHash hash) => hash switch { TpmHash.Sha1 => 20, TpmHash.Sha256 => 32, TpmHash.Sha384 => 48, TpmHash.Sha512 => 64, _ => 0 };

    internal static byte[] Hash(this TpmHash hash, ReadOnlySpan<byte> data) => CryptographicOperations.HashData(hash.Name() ?? throw new TpmFormatException($"Hash 0x{(ushort)hash:x} is not known."), data);
}

/// <summary>Platform configuration registers of one bank.</summary>
/// <param name="Hash">The bank.</param>
/// <param name="Indices">Register numbers, ascending.</param>
public sealed record PcrSelection(TpmHash Hash, IReadOnlyList<int> Indices)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Hash.ToString().ToLowerInvariant()}:{string.Join(',', Indices)}";
}
