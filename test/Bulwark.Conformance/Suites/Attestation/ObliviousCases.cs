using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Attestation;

/// <summary>Oblivious HTTP (RFC 9458 appendix A) and the encrypted-HTTP-body protocol, value by value.</summary>
internal static class ObliviousCases
{
    internal static CaseResult Oblivious(EvidenceCase one)
    {
        using var document = JsonDocument.Parse(one.File("vectors"));
        byte[] Hex(string member) => HpkeCases.Hex(document.RootElement, member);
        var config = ObliviousKeyConfig.Parse(Hex("keyConfig"));
        using var keys = X25519KeyPair.Import(Hex("skR"));
        using var ephemeral = X25519KeyPair.Import(Hex("skE"));
        var (message, client) = ObliviousExchange.Seal(config, HpkeAead.Aes128Gcm, Hex("request"), ephemeral);
        using (client)
        {
            var (request, gateway) = ObliviousExchange.Open(config, keys, Hex("encapsulatedRequest"));
            using (gateway)
            {
                var (key, nonce) = ObliviousExchange.DeriveResponse(Hex("exportedSecret"), Hex("pkE"), Hex("responseNonce"), 16);
                var wrong = new (string Name, byte[] Value)[]
                {
                    ("keyConfig", config.ToBytes()), ("encapsulatedRequest", message), ("request", request), ("aeadKey", key), ("aeadNonce", nonce),
                    ("encapsulatedResponse", gateway.SealResponse(Hex("response"), Hex("responseNonce"))), ("response", client.OpenResponse(Hex("encapsulatedResponse"))),
                }.Where(value => !value.Value.AsSpan().SequenceEqual(Hex(value.Name))).Select(value => value.Name).ToList();
                return CaseResult.Of(one.Id, wrong.Count == 0, string.Join(", ", wrong));
            }
        }
    }

    internal static CaseResult Ehbp(EvidenceCase one)
    {
        var json = System.Text.Encoding.UTF8.GetString(one.File("vectors"));
        using var document = JsonDocument.Parse(json);
        byte[] Hex(string member) => HpkeCases.Hex(document.RootElement, member);
        if (!document.RootElement.TryGetProperty("derivedKey", out _))
        {
            var token = EhbpRecoveryToken.Parse(json);
            return CaseResult.Of(one.Id, token.ExportedSecret.AsSpan().SequenceEqual(Hex("exportedSecret")) && token.RequestEnc.AsSpan().SequenceEqual(Hex("requestEnc"))
                && EhbpRecoveryToken.Parse(token.ToJson()).ToJson() == token.ToJson(), "the token does not read back");
        }

        var (key, nonce) = new EhbpRecoveryToken(Hex("exportedSecret"), Hex("requestEnc")).ResponseKeys(Hex("responseNonce"));
        return CaseResult.Of(one.Id, key.AsSpan().SequenceEqual(Hex("derivedKey")) && nonce.AsSpan().SequenceEqual(Hex("derivedNonceBase")), "another key or nonce");
    }
}
