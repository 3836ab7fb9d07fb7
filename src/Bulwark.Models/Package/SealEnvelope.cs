using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Models.Package;

/// <summary>Signs and reads the envelope of a package: DSSE v1 around the statement, in canonical JSON.</summary>
/// <remarks>Source: Dead Simple Signing Envelope v1.0.2 (secure-systems-lab), protocol.md.</remarks>
internal sealed record SealEnvelope(string PayloadType, string Payload, IReadOnlyList<SealSignature> Signatures)
{
    private const string InTotoType = "application/vnd.in-toto+json";

    internal static byte[] Sign(SealStatement statement, Signer signer)
    {
        var body = statement.ToBytes();
        var signature = new SealSignature(signer.PublicKey.ToString(), Convert.ToBase64String(signer.Sign(PreAuthentication(body))));
        return new SealEnvelope(InTotoType, Convert.ToBase64String(body), [signature]).ToBytes();
    }

    /// <summary>The statement, and whether its signature is that of the key that it names.</summary>
    /// <exception cref="InvalidDataException">The bytes are not the canonical JSON of such an envelope.</exception>
    internal static SealStatement Read(ReadOnlySpan<byte> bytes, out bool signatureIsRight)
    {
        try
        {
            var envelope = JsonSerializer.Deserialize(bytes, ModelsJson.Default.SealEnvelope);
            if (envelope is not { PayloadType: InTotoType, Signatures: [{ Keyid: { } keyId, Sig: { } signature }] } || !bytes.SequenceEqual(envelope.ToBytes()))
                throw new InvalidDataException("The envelope is not exactly as the format says.");
            var body = Decode(envelope.Payload);
            var statement = SealStatement.Parse(body);
            var signer = statement.Predicate.Signer;
            signatureIsRight = keyId == signer.ToString() && signer.Verify(PreAuthentication(body), Decode(signature));
            return statement;
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"The envelope is not valid: {fault.Message}", fault);
        }
    }

    private byte[] ToBytes() => CanonicalJson.Canonicalize(JsonSerializer.SerializeToElement(this, ModelsJson.Default.SealEnvelope));

    private static byte[] PreAuthentication(byte[] body) =>
        [.. Encoding.UTF8.GetBytes($"DSSEv1 {InTotoType.Length} {InTotoType} {body.Length} "), .. body];

    /// <summary>Base64 of one spelling only: what encodes back to the same text.</summary>
    private static byte[] Decode(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) && Convert.ToBase64String(bytes, 0, length) == text
            ? bytes[..length]
            : throw new InvalidDataException("The envelope holds a text that is no base64.");
    }
}

/// <summary>One signature of an envelope, in DSSE's spelling.</summary>
internal sealed record SealSignature(string Keyid, string Sig);
