using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Server;

/// <summary>A certificate revocation list (RFC 5280, section 5): complete, direct, in time.</summary>
internal sealed class RevocationList
{
    private readonly HashSet<BigInteger> _revoked = [];

    private RevocationList()
    {
    }

    private ReadOnlyMemory<byte> Tbs { get; init; }
    private ReadOnlyMemory<byte> SignatureAlgorithm { get; init; }
    private ReadOnlyMemory<byte> Signature { get; init; }
    private DistinguishedName Issuer { get; init; } = null!;
    private DateTimeOffset ThisUpdate { get; init; }
    private DateTimeOffset? NextUpdate { get; init; }
    private CertificateExtensions Extensions { get; set; } = CertificateExtensions.Empty;
    private bool HasUnknownEntries { get; set; }

    /// <summary>What keeps the bytes from being a list; null when they are one.</summary>
    internal static string? FaultOf(byte[] der)
    {
        try
        {
            Parse(der);
            return null;
        }
        catch (Exception fault) when (fault is AsnContentException or System.Security.Cryptography.CryptographicException)
        {
            return fault.Message;
        }
    }

    internal static RevocationList Parse(byte[] der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var tbs = list.PeekEncodedValue();
        var body = list.ReadSequence();
        var algorithm = list.ReadEncodedValue();
        var signature = list.ReadBitString(out _);
        list.ThrowIfNotEmpty();
        if (!body.TryReadInt32(out var version) || version != 1)
            throw new AsnContentException("The revocation list is not of version 2.");
        if (!body.ReadEncodedValue().Span.SequenceEqual(algorithm.Span))
            throw new AsnContentException("The two signature algorithms of the revocation list differ.");
        var parsed = new RevocationList
        {
            Tbs = tbs,
            SignatureAlgorithm = algorithm,
            Signature = signature,
            Issuer = DistinguishedName.Parse(body.ReadEncodedValue()),
            ThisUpdate = ParsedCertificate.ReadTime(body),
            NextUpdate = body.HasData && (body.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) || body.PeekTag().HasSameClassAndValue(Asn1Tag.GeneralizedTime))
                ? ParsedCertificate.ReadTime(body) : null,
        };
        if (body.HasData && body.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
            parsed.ReadEntries(body.ReadSequence());
        var tag = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
        if (body.HasData)
            parsed.Extensions = CertificateExtensions.Parse(body.ReadSequence(tag).ReadSequence());
        body.ThrowIfNotEmpty();
        return parsed;
    }

    /// <summary>True when this is the issuer's own good list at that moment.</summary>
    internal bool IsUsable(ParsedCertificate issuer, DateTimeOffset now) =>
        Issuer.Encoded.Span.SequenceEqual(issuer.Subject.Encoded.Span)
        && ThisUpdate <= now && NextUpdate is { } next && now <= next
        && !HasUnknownEntries && !Extensions.Critical.Any()
        && Extensions.Has(CertificateExtensions.CrlNumberOid) && Extensions.AuthorityKeyIdentifier?.KeyIdentifier is not null
        && (issuer.Extensions.KeyUsage is not { } usage || usage.HasFlag(X509KeyUsageFlags.CrlSign))
        && issuer.Key.Verify(Tbs, SignatureAlgorithm, Signature);

    internal bool Revokes(BigInteger serial) => _revoked.Contains(serial);

    private void ReadEntries(AsnReader entries)
    {
        while (entries.HasData)
        {
            var entry = entries.ReadSequence();
            _revoked.Add(entry.ReadInteger());
            ParsedCertificate.ReadTime(entry);
            if (entry.HasData)
                HasUnknownEntries |= CertificateExtensions.Parse(entry.ReadSequence()).Critical.Any();
            entry.ThrowIfNotEmpty();
        }
    }
}
