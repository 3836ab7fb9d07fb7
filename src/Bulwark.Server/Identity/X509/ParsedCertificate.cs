using System.Formats.Asn1;
using System.Numerics;

namespace Bulwark.Server;

/// <summary>A certificate taken apart as DER, before any rule but its syntax is applied.</summary>
/// <remarks>Source: RFC 5280, section 4.1. Every fault is an <see cref="AsnContentException"/>.</remarks>
internal sealed class ParsedCertificate
{
    private readonly Lazy<bool> _isSelfSigned;

    private ParsedCertificate() => _isSelfSigned = new(() => Key!.Verify(Tbs, SignatureAlgorithm, Signature));

    internal required ReadOnlyMemory<byte> Tbs { get; init; }
    internal required BigInteger Serial { get; init; }
    internal required int SerialBytes { get; init; }
    internal required ReadOnlyMemory<byte> SignatureAlgorithm { get; init; }
    internal required ReadOnlyMemory<byte> Signature { get; init; }
    internal required DistinguishedName Issuer { get; init; }
    internal required DistinguishedName Subject { get; init; }
    internal required DateTimeOffset NotBefore { get; init; }
    internal required DateTimeOffset NotAfter { get; init; }
    internal required CertificateKey Key { get; init; }
    internal required CertificateExtensions Extensions { get; init; }

    internal bool IsSelfIssued => Issuer.Encoded.Span.SequenceEqual(Subject.Encoded.Span);

    /// <summary>True when its own key signed it, whatever it calls its issuer.</summary>
    internal bool IsSelfSigned => _isSelfSigned.Value;

    internal static ParsedCertificate Parse(byte[] der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var certificate = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var tbs = certificate.PeekEncodedValue();
        var body = certificate.ReadSequence();
        var signatureAlgorithm = certificate.ReadEncodedValue();
        var signature = certificate.ReadBitString(out var unused);
        certificate.ThrowIfNotEmpty();

        var versionTag = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
        if (!body.HasData || body.PeekTag() != versionTag || !body.ReadSequence(versionTag).TryReadInt32(out var version) || version != 2)
            throw new AsnContentException("The certificate is not of version 3.");
        var serial = body.ReadIntegerBytes();
        var innerAlgorithm = body.ReadEncodedValue();
        var issuer = DistinguishedName.Parse(body.ReadEncodedValue());
        var validity = body.ReadSequence();
        var (notBefore, notAfter) = (ReadTime(validity), ReadTime(validity));
        validity.ThrowIfNotEmpty();
        var subject = DistinguishedName.Parse(body.ReadEncodedValue());
        var key = CertificateKey.Parse(body.ReadEncodedValue());
        var extensionsTag = new Asn1Tag(TagClass.ContextSpecific, 3, isConstructed: true);
        var extensions = CertificateExtensions.Empty;
        if (body.HasData)
        {
            var wrapper = body.ReadSequence(extensionsTag);
            extensions = CertificateExtensions.Parse(wrapper.ReadSequence());
            wrapper.ThrowIfNotEmpty();
        }

        body.ThrowIfNotEmpty();
        if (unused != 0 || !innerAlgorithm.Span.SequenceEqual(signatureAlgorithm.Span))
            throw new AsnContentException("The two signature algorithms of the certificate differ.");
        return new()
        {
            Tbs = tbs,
            Serial = new BigInteger(serial.Span, isBigEndian: true),
            SerialBytes = serial.Length,
            SignatureAlgorithm = signatureAlgorithm,
            Signature = signature,
            Issuer = issuer,
            Subject = subject,
            NotBefore = notBefore,
            NotAfter = notAfter,
            Key = key,
            Extensions = extensions,
        };
    }

    /// <summary>UTCTime through 2049, GeneralizedTime from 2050 on, whole seconds, Z (RFC 5280, section 4.1.2.5).</summary>
    internal static DateTimeOffset ReadTime(AsnReader reader)
    {
        if (reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime))
            return reader.ReadUtcTime(2049);
        var time = reader.ReadGeneralizedTime();
        return time.Year >= 2050 && time.Ticks % TimeSpan.TicksPerSecond == 0
            ? time : throw new AsnContentException("A date before 2050 is not written as UTCTime, or a date has a fraction.");
    }
}
