using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Bulwark.Attestation.Tpm;

/// <summary>The runtime data of an Azure confidential machine: JSON whose digest the processor's report carries, and which names the virtual TPM's attestation key.</summary>
public static class AzureRuntimeData
{
    private const string KeyId = "HCLAkPub";

    /// <summary>The attestation key that a report vouches for.</summary>
    /// <param name="reportData">64 bytes of the verified SNP or TDX report: SHA-256 of the JSON and 32 zero bytes.</param>
    /// <param name="json">The runtime data, as they stood in the HCL report.</param>
    /// <returns>DER SubjectPublicKeyInfo; null when the report is about other data or they name no such key.</returns>
    public static byte[]? AttestationKey(ReadOnlySpan<byte> reportData, ReadOnlySpan<byte> json)
    {
        Span<byte> expected = stackalloc byte[64];
        SHA256.HashData(json, expected);
        if (!CryptographicOperations.FixedTimeEquals(expected, reportData))
            return null;
        try
        {
            using var document = JsonDocument.Parse(json.ToArray());
            var key = document.RootElement.GetProperty("keys").EnumerateArray().Single(key => key.GetProperty("kid").GetString() == KeyId);
            var modulus = Base64Url.DecodeFromChars(key.GetProperty("n").GetString());
            if (modulus.Length < 256 || modulus[0] < 0x80)
                return null;
            using var rsa = RSA.Create(new RSAParameters
            {
                Modulus = modulus,
                Exponent = Base64Url.DecodeFromChars(key.GetProperty("e").GetString()),
            });
            return rsa.ExportSubjectPublicKeyInfo();
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException || Certificates.KeyRefusal.Is(failure))
        {
            return null;   // the answer, not a failure: the data name no key
        }
    }
}
