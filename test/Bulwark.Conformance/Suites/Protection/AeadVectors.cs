using System.Security.Cryptography;
using System.Text.Json;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>AES-GCM and ChaCha20-Poly1305, Wycheproof: the base library's, under every format here, on the OpenSSL that this machine has.</summary>
internal static class AeadVectors
{
    internal static bool IsMatch(JsonElement root) => root.Text("algorithm") is "AES-GCM" or "CHACHA20-POLY1305";

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root) => root.List("testGroups").SelectMany(group => group.List("tests")
        .Select(test => (Id: $"{file}#{test.GetProperty("tcId")}", Test: test))
        .Select(one => group.GetProperty("ivSize").GetInt32() == 96 && group.GetProperty("tagSize").GetInt32() == 128
            ? Vectors.Judge(one.Id, () => Run(one.Id, one.Test, root.Text("algorithm") == "AES-GCM"))
            : CaseResult.Skip(one.Id, "not built: nonces of another length than 96 bits, which no format here uses")));

    private static CaseResult Run(string id, JsonElement test, bool isGcm)
    {
        byte[] key = test.Hex("key"), nonce = test.Hex("iv"), aad = test.Hex("aad"), plaintext = test.Hex("msg"), ciphertext = test.Hex("ct"), tag = test.Hex("tag");
        var valid = test.Text("result") == "valid";
        byte[] opened = new byte[ciphertext.Length], sealedBytes = new byte[plaintext.Length], sealedTag = new byte[16];
        try
        {
            if (isGcm)
            {
                using var aes = new AesGcm(key, 16);
                aes.Encrypt(nonce, plaintext, sealedBytes, sealedTag, aad);
                aes.Decrypt(nonce, ciphertext, tag, opened, aad);
            }
            else
            {
                using var chacha = new ChaCha20Poly1305(key);
                chacha.Encrypt(nonce, plaintext, sealedBytes, sealedTag, aad);
                chacha.Decrypt(nonce, ciphertext, tag, opened, aad);
            }
        }
        catch (CryptographicException refusal)
        {
            return CaseResult.Of(id, !valid && !opened.AsSpan().ContainsAnyExcept((byte)0), $"must open and was refused, or left plaintext: {refusal.Message}");
        }

        return CaseResult.Of(id, valid && opened.AsSpan().SequenceEqual(plaintext) && sealedBytes.AsSpan().SequenceEqual(ciphertext) && sealedTag.AsSpan().SequenceEqual(tag), "another result, or opened against the rule");
    }
}
