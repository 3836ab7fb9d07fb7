using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;

namespace Bulwark.Attestation.Certificates;

/// <summary>A certificate revocation list (RFC 5280 §5).</summary>
internal sealed class RevocationList
{
    private readonly DerSigned _signed;
    private readonly HashSet<BigInteger> _revoked = [];

    private RevocationList(ReadOnlyMemory<byte> der)
    {
        _signed = DerSigned.Read(der);
        var body = new AsnReader(_signed.ToBeSigned, AsnEncodingRules.DER).ReadSequence();
        if (body.PeekTag().HasSameClassAndValue(Asn1Tag.Integer))
            body.ReadInteger();
        if (!body.ReadEncodedValue().Span.SequenceEqual(_signed.Algorithm.Span))
            throw new AsnContentException("The list names two signature algorithms.");
        Issuer = body.ReadEncodedValue();
        ThisUpdate = DerTime.Read(body);
        NextUpdate = body.HasData && body.PeekTag().TagClass is TagClass.Universal && body.PeekTag().TagValue is 23 or 24 ? DerTime.Read(body) : null;
        if (body.HasData && body.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
            ReadEntries(body.ReadSequence());
    }

    /// <summary>Issuer's name, DER.</summary>
    internal ReadOnlyMemory<byte> Issuer { get; }
    /// <summary>When it was made, UTC.</summary>
    internal DateTimeOffset ThisUpdate { get; }
    /// <summary>When the next one is due, UTC; null when the list does not say.</summary>
    internal DateTimeOffset? NextUpdate { get; }

    /// <summary>Reads a list, DER or one PEM block.</summary>
    internal static bool TryRead(ReadOnlyMemory<byte> bytes, out RevocationList? list)
    {
        list = null;
        try
        {
            list = new RevocationList(PemBlocks.DerOf(bytes, "X509 CRL"));
            return true;
        }
        catch (Exception failure) when (failure is AsnContentException or CryptographicException or FormatException or OverflowException or ArgumentException)
        {
            return false;   // the answer, not a failure: hostile bytes are expected here
        }
    }

    /// <summary>True when this authority issued and signed the list.</summary>
    internal bool IsIssuedBy(DerCertificate issuer) => Issuer.Span.SequenceEqual(issuer.Subject.Span) && _signed.IsSignedBy(issuer.PublicKey.Span);

    /// <summary>True when the list is in force: made already, and the next one not due.</summary>
    internal bool IsCurrent(DateTimeOffset now) => ThisUpdate <= now && NextUpdate is { } next && now <= next;

    /// <summary>True when the certificate is listed.</summary>
    internal bool Lists(DerCertificate certificate) => _revoked.Contains(certificate.Serial);

    private void ReadEntries(AsnReader entries)
    {
        while (entries.HasData)
            _revoked.Add(entries.ReadSequence().ReadInteger());
    }
}
