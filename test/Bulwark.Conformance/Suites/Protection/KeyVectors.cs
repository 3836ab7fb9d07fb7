using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>Wrapping, deriving and authenticating by keys, and ECDSA: Wycheproof, and RFC 9106's example of Argon2id.</summary>
internal static class KeyVectors
{
    private static readonly Dictionary<string, Func<JsonElement, JsonElement, CaseResult?>> s_families = new(StringComparer.Ordinal)
    {
        ["AES-WRAP"] = (_, test) => Wrapping(test, AesKeyWrap.Wrap, AesKeyWrap.Unwrap),
        ["AES-KWP"] = (_, test) => Wrapping(test, AesKeyWrap.WrapPadded, AesKeyWrap.UnwrapPadded),
        ["HKDF-SHA-256"] = (_, test) => Deriving(test, HashAlgorithmName.SHA256),
        ["HKDF-SHA-384"] = (_, test) => Deriving(test, HashAlgorithmName.SHA384),
        ["HKDF-SHA-512"] = (_, test) => Deriving(test, HashAlgorithmName.SHA512),
        ["HMACSHA256"] = Authenticating,
        ["PBKDF2-HMACSHA256"] = (_, test) => Passphrase(test),
        ["PBKDF2-HMACSHA512"] = (_, _) => CaseResult.Skip("", "not wrapped: Bulwark turns passphrases into keys by PBKDF2-HMAC-SHA-256 or Argon2id only"),
        ["ECDSA"] = Signing,
        ["ML-DSA-44"] = (_, _) => CaseResult.Skip("", "not wrapped: nothing in Bulwark is signed by ML-DSA yet (it needs OpenSSL 3.5)"),
    };

    internal static bool IsMatch(JsonElement root) => s_families.ContainsKey(root.Text("algorithm")) || IsArgon(root);

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root)
    {
        if (IsArgon(root))
            return [CaseResult.Skip($"{file}#file", "libsodium, which Bulwark wraps, has Argon2id with one lane and without secret or associated data: RFC 9106's example has all three")];
        var judge = s_families[root.Text("algorithm")];
        return root.List("testGroups").SelectMany(group => group.List("tests").Select(test => (Id: $"{file}#{test.GetProperty("tcId")}", Test: test))
            .Select(one => Vectors.Judge(one.Id, () => (judge(group, one.Test) ?? CaseResult.Pass("")) with { Id = one.Id })));
    }

    private static bool IsArgon(JsonElement root) => root.ValueKind == JsonValueKind.Object && root.Text("type") == "argon2id";

    private delegate byte[] WrapBy(ReadOnlySpan<byte> kek, ReadOnlySpan<byte> key);

    private delegate SecretBytes UnwrapBy(ReadOnlySpan<byte> kek, ReadOnlySpan<byte> wrapped);

    /// <summary>A valid case wraps to the very bytes and opens; any other must not open. An acceptable one may do either, and opens to the stated key when it opens.</summary>
    private static CaseResult? Wrapping(JsonElement test, WrapBy wrap, UnwrapBy unwrap)
    {
        var (kek, key, wrapped, result) = (test.Hex("key"), test.Hex("msg"), test.Hex("ct"), test.Text("result"));
        byte[]? opened = null;
        try
        {
            using var secret = unwrap(kek, wrapped);
            opened = secret.Span.ToArray();
        }
        catch (CryptographicException)
        {
        }

        if (result == "invalid")
            return opened is null ? null : CaseResult.Fail("", "must be refused and opened");
        if (opened is null && result == "acceptable")
            return null;
        if (opened is null || !opened.AsSpan().SequenceEqual(key))
            return CaseResult.Fail("", "does not open to the stated key");
        return result == "acceptable" || wrap(kek, key).AsSpan().SequenceEqual(wrapped) ? null : CaseResult.Fail("", "wraps to other bytes");
    }

    private static CaseResult? Deriving(JsonElement test, HashAlgorithmName hash)
    {
        var key = new byte[test.GetProperty("size").GetInt32()];
        try
        {
            Hkdf.DeriveKey(hash, test.Hex("ikm"), test.Hex("salt"), test.Hex("info"), key);
        }
        catch (ArgumentException refusal)
        {
            return test.Text("result") == "valid" ? CaseResult.Fail("", refusal.Message) : null;
        }

        return test.Text("result") == "valid" && key.AsSpan().SequenceEqual(test.Hex("okm")) ? null : CaseResult.Fail("", "derives another key, or what must be refused");
    }

    private static CaseResult? Authenticating(JsonElement group, JsonElement test)
    {
        if (test.Hex("key").Length < KeyedHash.SizeInBytes)
            return CaseResult.Skip("", "refused by design: a key of less than 32 bytes");
        using var hash = new KeyedHash(test.Hex("key"));
        var tag = new byte[group.GetProperty("tagSize").GetInt32() / 8];
        hash.Compute(test.Hex("msg"), tag);
        return CryptographicOperations.FixedTimeEquals(tag, test.Hex("tag")) == (test.Text("result") == "valid") ? null : CaseResult.Fail("", "disagrees about the tag");
    }

    private static CaseResult? Passphrase(JsonElement test)
    {
        using var passphrase = SecretBytes.CopyOf(test.Hex("password"));
        using var key = PassphraseDerivation.Pbkdf2(passphrase, test.Hex("salt"), test.GetProperty("iterationCount").GetInt32(), test.GetProperty("dkLen").GetInt32());
        return key.Span.SequenceEqual(test.Hex("dk")) ? null : CaseResult.Fail("", "derives another key");
    }

    private static CaseResult? Signing(JsonElement group, JsonElement test)
    {
        var format = group.Text("type") == "EcdsaP1363Verify" ? DSASignatureFormat.IeeeP1363FixedFieldConcatenation : DSASignatureFormat.Rfc3279DerSequence;
        var verified = EcdsaKey.FromPem(group.Text("publicKeyPem")).Verify(test.Hex("msg"), test.Hex("sig"), format);
        return verified == (test.Text("result") == "valid") ? null : CaseResult.Fail("", verified ? "must be refused and verified" : "must verify and was refused");
    }
}
