using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Attestation.Certificates;

/// <summary>An X.509 certificate of an attestation chain (RFC 5280 §4.1), read strictly; every value as it stands in the bytes.</summary>
internal sealed class DerCertificate
{
    private readonly DerSigned _signed;
    private readonly Dictionary<string, (bool Critical, ReadOnlyMemory<byte> Value)> _extensions = new(StringComparer.Ordinal);

    private DerCertificate(ReadOnlyMemory<byte> der)
    {
        Der = der;
        _signed = DerSigned.Read(der);
        var body = new AsnReader(_signed.ToBeSigned, AsnEncodingRules.DER).ReadSequence();
        if (!body.PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, 0)) || body.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadInteger() != 2)
            throw new AsnContentException("The certificate is not of version 3.");
        Serial = body.ReadInteger();
        if (!body.ReadEncodedValue().Span.SequenceEqual(_signed.Algorithm.Span))
            throw new AsnContentException("The certificate names two signature algorithms.");
        Issuer = body.ReadEncodedValue();
        var validity = body.ReadSequence();
        (NotBefore, NotAfter) = (DerTime.Read(validity), DerTime.Read(validity));
        Subject = body.ReadEncodedValue();
        PublicKey = body.ReadEncodedValue();
        while (body.HasData)
        {
            var tag = body.PeekTag();
            if (tag.TagValue == 3)
                ReadExtensions(body.ReadSequence(tag).ReadSequence());
            else
                body.ReadEncodedValue();
        }

        // Read here, where a certificate that says nonsense is none, not where it is used.
        (CommonName, IsAuthority) = (DerName.CommonName(Subject), ReadAuthority());
    }

    /// <summary>The certificate's bytes.</summary>
    internal ReadOnlyMemory<byte> Der { get; }
    /// <summary>Serial number.</summary>
    internal BigInteger Serial { get; }
    /// <summary>Issuer's name, DER.</summary>
    internal ReadOnlyMemory<byte> Issuer { get; }
    /// <summary>Subject's name, DER.</summary>
    internal ReadOnlyMemory<byte> Subject { get; }
    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    internal ReadOnlyMemory<byte> PublicKey { get; }
    /// <summary>First second of validity, UTC.</summary>
    internal DateTimeOffset NotBefore { get; }
    /// <summary>Last second of validity, UTC.</summary>
    internal DateTimeOffset NotAfter { get; }
    /// <summary>The subject's common name; empty without one.</summary>
    internal string CommonName { get; }
    /// <summary>SHA-256 of <see cref="PublicKey"/>: what a root is pinned by.</summary>
    internal Cryptography.Digest KeyDigest => Cryptography.Digest.Of(PublicKey.Span);

    /// <summary>Reads one certificate, DER or one PEM block.</summary>
    /// <returns>False when it is none.</returns>
    internal static bool TryRead(ReadOnlyMemory<byte> bytes, out DerCertificate? certificate)
    {
        certificate = null;
        try
        {
            certificate = new DerCertificate(PemBlocks.DerOf(bytes, "CERTIFICATE"));
            return true;
        }
        catch (Exception failure) when (failure is AsnContentException or CryptographicException or FormatException or OverflowException or ArgumentException)
        {
            return false;   // the answer, not a failure: hostile bytes are expected here
        }
    }

    /// <summary>The value of an extension; null when it is absent.</summary>
    internal ReadOnlyMemory<byte>? Extension(string identifier) => _extensions.TryGetValue(identifier, out var found) ? found.Value : (ReadOnlyMemory<byte>?)null;

    /// <summary>Identifiers of all extensions.</summary>
    internal IEnumerable<string> Extensions => _extensions.Keys;

    /// <summary>True when this key signed the certificate and its subject is the certificate's issuer.</summary>
    internal bool IsIssuedBy(DerCertificate issuer) => Issuer.Span.SequenceEqual(issuer.Subject.Span) && _signed.IsSignedBy(issuer.PublicKey.Span);

    /// <summary>True for a certification authority that may sign certificates (RFC 5280 §4.2.1.9, §4.2.1.3).</summary>
    internal bool IsAuthority { get; }

    private bool ReadAuthority()
    {
        if (Extension("2.5.29.19") is not { } constraints)
            return false;
        var sequence = new AsnReader(constraints, AsnEncodingRules.DER).ReadSequence();
        var authority = sequence.HasData && sequence.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && sequence.ReadBoolean();
        if (!authority || Extension("2.5.29.15") is not { } usage)
            return authority;
        var bits = new AsnReader(usage, AsnEncodingRules.DER).ReadBitString(out _);
        return bits.Length > 0 && (bits[0] & 0x04) != 0;
    }

    private void ReadExtensions(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            var identifier = extension.ReadObjectIdentifier();
            var critical = extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean();
            if (!_extensions.TryAdd(identifier, (critical, extension.ReadOctetString())))
                throw new AsnContentException($"The certificate has the extension {identifier} twice.");
        }
    }
}

/// <summary>UTCTime and GeneralizedTime of certificates and lists.</summary>
internal static class DerTime
{
    internal static DateTimeOffset Read(AsnReader reader) => reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime(2049) : reader.ReadGeneralizedTime();
}

/// <summary>Distinguished names.</summary>
internal static class DerName
{
    internal static string CommonName(ReadOnlyMemory<byte> name)
    {
        var parts = new AsnReader(name, AsnEncodingRules.DER).ReadSequence();
        while (parts.HasData)
        {
            var set = parts.ReadSetOf();
            while (set.HasData)
            {
                var attribute = set.ReadSequence();
                if (attribute.ReadObjectIdentifier() == "2.5.4.3")
                    return attribute.ReadCharacterString((UniversalTagNumber)attribute.PeekTag().TagValue);
                attribute.ReadEncodedValue();
            }
        }

        return "";
    }
}

/// <summary>PEM text where a format allows both.</summary>
internal static class PemBlocks
{
    private static ReadOnlySpan<byte> Opening => "-----BEGIN "u8;

    /// <summary>The bytes themselves, or of the one PEM block that they are the text of.</summary>
    internal static ReadOnlyMemory<byte> DerOf(ReadOnlyMemory<byte> bytes, string label)
    {
        if (!bytes.Span.TrimStart(" \r\n"u8).StartsWith(Opening))
            return bytes;
        var all = All(bytes, label);
        return all.Count == 1 ? all[0] : throw new FormatException($"Expected one PEM block {label}, found {all.Count}.");
    }

    /// <summary>All blocks of this label in a PEM text, in order; a final NUL is tolerated, as quotes carry one.</summary>
    internal static IReadOnlyList<ReadOnlyMemory<byte>> All(ReadOnlyMemory<byte> pem, string label)
    {
        var blocks = new List<ReadOnlyMemory<byte>>();
        ReadOnlySpan<char> text = Encoding.ASCII.GetString(pem.Span.TrimEnd((byte)0));
        while (PemEncoding.TryFind(text, out var fields))
        {
            if (text[fields.Label].SequenceEqual(label))
                blocks.Add(Convert.FromBase64String(text[fields.Base64Data].ToString()));
            text = text[fields.Location.End..];
        }

        return blocks;
    }
}
