using System.Buffers.Binary;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Attestation;

/// <summary>RFC 9180's own vectors: every value of every exchange, on both sides.</summary>
internal static class HpkeCases
{
    internal static IEnumerable<CaseResult> Run(EvidenceCase one)
    {
        using var document = JsonDocument.Parse(one.File("vectors"));
        var index = 0;
        foreach (var vector in document.RootElement.Clone().EnumerateArray())
            yield return Check($"{one.Id}#{index++} mode {vector.GetProperty("mode")} kem {vector.GetProperty("kem_id")} aead {vector.GetProperty("aead_id")}", vector);
    }

    private static CaseResult Check(string id, JsonElement vector)
    {
        var isP256 = vector.GetProperty("kem_id").GetInt32() == 0x0010;
        var aead = vector.GetProperty("aead_id").GetUInt16();
        using var recipient = Derived(vector, "ikmR", "skRm", "pkRm", isP256, out var fault);
        using var ephemeral = Derived(vector, "ikmE", "skEm", "pkEm", isP256, out var second);
        if ((fault ?? second) is { } derivation)
            return CaseResult.Fail(id, derivation);
        var (info, psk, pskId, enc) = (Hex(vector, "info"), Hex(vector, "psk"), Hex(vector, "psk_id"), Hex(vector, "enc"));
        using var sender = HpkeContext.Sender(aead, (IKemKeyPair)ephemeral, ((IKemKeyPair)recipient).PublicBytes, info, psk, pskId);
        using var receiver = HpkeContext.Receiver(aead, (IKemKeyPair)recipient, enc, info, psk, pskId);
        var agreed = HpkeContext.SharedSecret(((IKemKeyPair)recipient).Kem, ((IKemKeyPair)recipient).Agree(enc), [.. enc, .. ((IKemKeyPair)recipient).PublicBytes]);
        if (!agreed.AsSpan().SequenceEqual(Hex(vector, "shared_secret")))
            return CaseResult.Fail(id, "shared_secret");
        foreach (var (name, value) in new[] { ("key", sender.Key), ("base_nonce", sender.BaseNonce.ToArray()), ("exporter_secret", sender.Exporter), ("enc", ((IKemKeyPair)ephemeral).PublicBytes.ToArray()) })
            if (!value.AsSpan().SequenceEqual(Hex(vector, name)))
                return CaseResult.Fail(id, name);
        ulong sent = 0;
        foreach (var message in vector.GetProperty("encryptions").EnumerateArray())
        {
            var (aad, plaintext, ciphertext) = (Hex(message, "aad"), Hex(message, "pt"), Hex(message, "ct"));
            var nonce = new byte[HpkeAead.NonceSize];
            for (; sent < Sequence(vector, message); sent++)   // the vectors skip messages; the contexts cannot
                receiver.Open(aad, sender.Seal(aad, plaintext));
            HpkeAead.Nonce(sender.BaseNonce, sent++, nonce);
            if (!nonce.AsSpan().SequenceEqual(Hex(message, "nonce")) || !sender.Seal(aad, plaintext).AsSpan().SequenceEqual(ciphertext) || !receiver.Open(aad, ciphertext).AsSpan().SequenceEqual(plaintext))
                return CaseResult.Fail(id, $"message {sent - 1}");
        }

        foreach (var export in vector.GetProperty("exports").EnumerateArray())
        {
            var (context, value) = (Hex(export, "exporter_context"), Hex(export, "exported_value"));
            if (!sender.Export(context, value.Length).AsSpan().SequenceEqual(value) || !receiver.Export(context, value.Length).AsSpan().SequenceEqual(value))
                return CaseResult.Fail(id, "export");
        }

        return CaseResult.Pass(id);
    }

    /// <summary>A message's number, from its nonce and the exchange's.</summary>
    private static ulong Sequence(JsonElement vector, JsonElement message)
    {
        static ulong Low(byte[] nonce) => BinaryPrimitives.ReadUInt64BigEndian(nonce.AsSpan(4));
        return Low(Hex(vector, "base_nonce")) ^ Low(Hex(message, "nonce"));
    }

    private static IDisposable Derived(JsonElement vector, string input, string secret, string @public, bool isP256, out string? fault)
    {
        var ikm = Hex(vector, input);
        IDisposable pair = isP256 ? HpkeKeyPair.Derive(ikm) : X25519KeyPair.Derive(ikm);
        byte[] key;
        if (pair is HpkeKeyPair p256)
        {
            key = p256.ExportPrivateKey();
        }
        else
        {
            using var exported = ((X25519KeyPair)pair).ExportPrivateKey();
            key = exported.Span.ToArray();
        }

        fault = !key.AsSpan().SequenceEqual(Hex(vector, secret)) ? secret : !((IKemKeyPair)pair).PublicBytes.SequenceEqual(Hex(vector, @public)) ? @public : null;
        return pair;
    }

    internal static byte[] Hex(JsonElement element, string member) => element.TryGetProperty(member, out var value) ? Convert.FromHexString(value.GetString()!) : [];
}
