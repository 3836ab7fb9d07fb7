using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>What checking an envelope came to.</summary>
public enum DsseVerdict
{
    /// <summary>Nothing was checked.</summary>
    Unverified = 0,

    /// <summary>A trusted key signed this payload as this type.</summary>
    Trusted,

    /// <summary>The bytes are no envelope, or not the one canonical spelling of it.</summary>
    Malformed,

    /// <summary>No trusted key signed it.</summary>
    UnknownKey,

    /// <summary>A signature under a trusted key's name is wrong: the payload, its type or the signature was changed.</summary>
    WrongSignature,
}

/// <summary>What an envelope holds, and whether to believe it.</summary>
/// <param name="Verdict">Believe the rest only when this is <see cref="DsseVerdict.Trusted"/>.</param>
/// <param name="PayloadType">What the payload is; null when the envelope is malformed.</param>
/// <param name="Payload">The signed bytes; empty when the envelope is malformed.</param>
/// <param name="Signer">The trusted key that signed; null when none did.</param>
public sealed record DsseResult(DsseVerdict Verdict, string? PayloadType, ReadOnlyMemory<byte> Payload, VerificationKey? Signer);

/// <summary>Signed envelopes: a payload, its type, Ed25519 signatures.</summary>
/// <remarks>
/// Source: DSSE v1.0.2 (secure-systems-lab). The key id is the hex of the key's <see cref="VerificationKey.Fingerprint"/>.
/// An envelope is canonical JSON (RFC 8785): an added space is refused, so an envelope has one digest.
/// </remarks>
public static class Dsse
{
    /// <summary>Signs <paramref name="payload"/> as <paramref name="payloadType"/>.</summary>
    /// <returns>The envelope's canonical bytes.</returns>
    public static byte[] Sign(string payloadType, ReadOnlySpan<byte> payload, Signer signer)
    {
        ArgumentException.ThrowIfNullOrEmpty(payloadType);
        ArgumentNullException.ThrowIfNull(signer);
        var signature = signer.Sign(PreAuthenticationEncoding(payloadType, payload));
        return CanonicalJson.Serialize(
            new DsseEnvelope(Convert.ToBase64String(payload), payloadType, [new DsseSignature(KeyIdOf(signer.PublicKey), Convert.ToBase64String(signature))]),
            LineageJson.Default.DsseEnvelope);
    }

    /// <summary>Signs a statement.</summary>
    public static byte[] Sign(Statement statement, Signer signer)
    {
        ArgumentNullException.ThrowIfNull(statement);
        return Sign(Statement.PayloadType, statement.ToBytes(), signer);
    }

    /// <summary>Checks an envelope against one key.</summary>
    public static DsseResult Verify(ReadOnlyMemory<byte> envelope, VerificationKey trusted) => Verify(envelope, [trusted]);

    /// <summary>Checks an envelope against any of several keys.</summary>
    public static DsseResult Verify(ReadOnlyMemory<byte> envelope, IReadOnlyCollection<VerificationKey> trusted)
    {
        ArgumentNullException.ThrowIfNull(trusted);
        if (Read(envelope) is not { } read || !StrictBase64.TryDecode(read.Payload, out var payload))
            return new DsseResult(DsseVerdict.Malformed, null, default, null);
        var signed = PreAuthenticationEncoding(read.PayloadType, payload);
        var verdict = DsseVerdict.UnknownKey;
        foreach (var signature in read.Signatures)
        {
            if (trusted.FirstOrDefault(key => KeyIdOf(key) == signature.Keyid) is not { } key)
                continue;
            if (!StrictBase64.TryDecode(signature.Sig, out var bytes) || !key.Verify(signed, bytes))
                return new DsseResult(DsseVerdict.WrongSignature, read.PayloadType, payload, null);
            return new DsseResult(DsseVerdict.Trusted, read.PayloadType, payload, key);
        }

        return new DsseResult(verdict, read.PayloadType, payload, null);
    }

    /// <summary>What is signed: DSSEv1 | length | type | length | payload, spaced (DSSE, "Pre-Authentication Encoding").</summary>
    public static byte[] PreAuthenticationEncoding(string payloadType, ReadOnlySpan<byte> payload)
    {
        ArgumentNullException.ThrowIfNull(payloadType);
        return [.. Encoding.UTF8.GetBytes($"DSSEv1 {Encoding.UTF8.GetByteCount(payloadType)} {payloadType} {payload.Length} "), .. payload];
    }

    /// <summary>The payload and its type without checking who signed; null when the bytes are no envelope. For showing, never for believing.</summary>
    public static (string PayloadType, byte[] Payload)? Peek(ReadOnlyMemory<byte> envelope) =>
        Read(envelope) is { } read && StrictBase64.TryDecode(read.Payload, out var payload) ? (read.PayloadType, payload) : null;

    private static string KeyIdOf(VerificationKey key) => key.Fingerprint.ToHex();

    private static DsseEnvelope? Read(ReadOnlyMemory<byte> envelope)
    {
        if (!CanonicalJson.IsCanonical(envelope))
            return null;
        try
        {
            return JsonSerializer.Deserialize(envelope.Span, LineageJson.Default.DsseEnvelope) is { } read && !read.Signatures.Contains(null!) ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
