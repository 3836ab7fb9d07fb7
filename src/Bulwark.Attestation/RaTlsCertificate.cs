using System.Formats.Cbor;
using System.Security.Cryptography;
using Bulwark.Attestation.Certificates;
using Bulwark.Attestation.Dcap;

namespace Bulwark.Attestation;

/// <summary>A TLS certificate that carries a quote about its own key: interoperable RA-TLS, the DICE conceptual message wrapper (TCG DICE Attestation Architecture, OID 2.23.133.5.4.9).</summary>
/// <remarks>
/// The extension is CBOR: tag 60000 over [quote, claims]; claims is a map with <c>pubkey-hash</c>, itself [algorithm, hash of the SubjectPublicKeyInfo], and perhaps <c>nonce</c>. The quote's report
/// data are SHA-256 of the claims and 32 zero bytes. It proves who ends the TLS connection; it binds no model and no HPKE key, so a broker does not take it for evidence.
/// </remarks>
public sealed class RaTlsCertificate
{
    private const string Wrapper = "2.23.133.5.4.9", KeyClaim = "pubkey-hash", NonceClaim = "nonce";
    private const CborTag Tag = (CborTag)60000;
    private static readonly string[] s_legs = ["ratls-format", "ratls-key", "ratls-nonce", "ratls-claims"];

    private readonly byte[] _claims, _keyHash, _publicKey;
    private readonly int _algorithm;

    private RaTlsCertificate(DerCertificate certificate, ReadOnlyMemory<byte> wrapper)
    {
        var reader = new CborReader(wrapper, CborConformanceMode.Strict);
        if (reader.ReadTag() != Tag || reader.ReadStartArray() != 2)
            throw new CborContentException("The wrapper is no quote with its claims.");
        (Quote, _claims) = (reader.ReadByteString(), reader.ReadByteString());
        reader.ReadEndArray();
        if (reader.BytesRemaining > 0)
            throw new CborContentException("Bytes follow the wrapper.");
        var claims = new CborReader(_claims, CborConformanceMode.Strict);
        var map = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        for (var left = claims.ReadStartMap() ?? throw new CborContentException("The claims have no length."); left > 0; left--)
            map.Add(claims.ReadTextString(), claims.ReadByteString());
        claims.ReadEndMap();
        var key = new CborReader(map[KeyClaim], CborConformanceMode.Strict);
        if (key.ReadStartArray() != 2)
            throw new CborContentException("The key's hash is no pair.");
        (_algorithm, _keyHash) = (key.ReadInt32(), key.ReadByteString());
        Nonce = map.GetValueOrDefault(NonceClaim);
        _publicKey = certificate.PublicKey.ToArray();
    }

    /// <summary>The quote.</summary>
    public ReadOnlyMemory<byte> Quote { get; }

    /// <summary>The nonce that the certificate was made for; null when it was made for nobody.</summary>
    public byte[]? Nonce { get; }

    /// <summary>Reads a certificate, DER or PEM; null when it is none or carries no wrapper of this form.</summary>
    public static RaTlsCertificate? Read(ReadOnlyMemory<byte> bytes)
    {
        if (!DerCertificate.TryRead(bytes, out var certificate) || certificate!.Extension(Wrapper) is not { } wrapper)
            return null;
        try
        {
            return new(certificate, wrapper);
        }
        catch (Exception failure) when (failure is CborContentException or InvalidOperationException or KeyNotFoundException or ArgumentException or OverflowException)
        {
            return null;   // the answer, not a failure: hostile bytes are expected here
        }
    }

    /// <summary>Appraises a certificate: the quote is about the claims, the claims about the certificate's key, and the quote is judged as any other.</summary>
    /// <param name="bytes">The certificate, DER or PEM.</param>
    /// <param name="collateral">Intel's collateral; one JSON document.</param>
    /// <param name="policy">What is let in.</param>
    /// <param name="time">The verifier's clock.</param>
    /// <param name="nonce">The nonce that the certificate must be made for; empty where the connection is fresh otherwise.</param>
    public static PlatformAppraisal Verify(ReadOnlyMemory<byte> bytes, ReadOnlySpan<byte> collateral, DcapPolicy policy, TimeProvider time, ReadOnlySpan<byte> nonce = default)
    {
        var legs = new Legs();
        var read = Read(bytes);
        legs.Check("ratls-format", read is not null, "the certificate carries no quote with claims that can be read", code: "Format");
        if (read is null)
            return new() { Legs = legs.Complete(s_legs) };
        legs.Check("ratls-key", read.IsKeyBound(), "the claims are about another key", code: "KeyBinding");
        if (nonce.IsEmpty)
            legs.Waive("ratls-nonce", "no nonce was asked for: whoever asks knows from the handshake that the connection is fresh");
        else
            legs.Check("ratls-nonce", read.Nonce is not null && CryptographicOperations.FixedTimeEquals(read.Nonce, nonce), "the claims carry another nonce, or none", code: "Nonce");
        var expected = new byte[64];
        SHA256.HashData(read._claims, expected);
        var bound = Dcap.Quote.TryRead(read.Quote.Span, out var quote, out _, out _) && CryptographicOperations.FixedTimeEquals(quote.ReportData, expected);
        legs.Check("ratls-claims", bound, "the quote is about other claims", code: "Binding");
        var platform = new DcapVerifier(policy, time).Verify(read.Quote.Span, collateral, expected);
        return platform with { Legs = [.. legs.Done, .. platform.Legs] };
    }

    private bool IsKeyBound() => _algorithm switch
    {
        1 => CryptographicOperations.FixedTimeEquals(SHA256.HashData(_publicKey), _keyHash),
        7 => CryptographicOperations.FixedTimeEquals(SHA384.HashData(_publicKey), _keyHash),
        8 => CryptographicOperations.FixedTimeEquals(SHA512.HashData(_publicKey), _keyHash),
        _ => false,
    };
}
