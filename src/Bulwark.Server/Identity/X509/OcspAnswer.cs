using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bulwark.Server;

/// <summary>One certificate, as the question to a responder names it, and the question itself (RFC 6960, section 4.1).</summary>
internal sealed class OcspQuestion
{
    private const string Sha1Oid = "1.3.14.3.2.26";
    internal const string NonceOid = "1.3.6.1.5.5.7.48.1.2";
    private readonly byte[] _issuerName, _issuerKey;

    internal OcspQuestion(ParsedCertificate certificate, ParsedCertificate issuer, byte[]? nonce)
    {
        (Certificate, Issuer, Nonce) = (certificate, issuer, nonce);
        (_issuerName, _issuerKey) = (Name(issuer.Subject.Encoded.Span), KeyHash(issuer.Key));
    }

    internal ParsedCertificate Certificate { get; }

    internal ParsedCertificate Issuer { get; }

    /// <summary>What makes an answer one to this very question; null where the responder signs answers ahead.</summary>
    internal byte[]? Nonce { get; }

    /// <summary>The hash of a key's bits, by which responders and issuers are named.</summary>
    internal static byte[] KeyHash(CertificateKey key)
    {
        var info = new AsnReader(key.Encoded, AsnEncodingRules.DER).ReadSequence();
        info.ReadEncodedValue();
        return Name(info.ReadBitString(out _));
    }

    /// <summary>The DER bytes of the question.</summary>
    internal byte[] Encode()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            using (writer.PushSequence())
            using (writer.PushSequence())
            {
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(Sha1Oid);
                    writer.WriteNull();
                }

                writer.WriteOctetString(_issuerName);
                writer.WriteOctetString(_issuerKey);
                writer.WriteInteger(Certificate.Serial);
            }

            if (Nonce is not null)
            {
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2)))
                using (writer.PushSequence())
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(NonceOid);
                    writer.WriteOctetString(NonceValue(Nonce));
                }
            }
        }

        return writer.Encode();
    }

    internal static byte[] NonceValue(byte[] nonce)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteOctetString(nonce);
        return writer.Encode();
    }

    /// <summary>Whether a certificate id of an answer names this certificate.</summary>
    internal bool IsNamed(AsnReader id)
    {
        var algorithm = id.ReadSequence();
        return algorithm.ReadObjectIdentifier() == Sha1Oid
            & id.ReadOctetString().AsSpan().SequenceEqual(_issuerName)
            & id.ReadOctetString().AsSpan().SequenceEqual(_issuerKey)
            & id.ReadInteger() == Certificate.Serial;
    }

    /// <summary>SHA-1 only names things here, as every responder expects (RFC 5019, section 2.1.1); what it names is held to a signature.</summary>
#pragma warning disable CA5350 // a name, no protection
    private static byte[] Name(ReadOnlySpan<byte> bytes) => SHA1.HashData(bytes);
#pragma warning restore CA5350
}

/// <summary>A responder's answer about one certificate, checked. Only <see cref="CertificateVerdict.Trusted"/> lets it through.</summary>
/// <param name="Verdict">Trusted, revoked, or not known to the responder.</param>
/// <param name="ThisUpdate">When it was so.</param>
/// <param name="NextUpdate">Until when the responder stands by it; null when it has newer ones at any time.</param>
internal sealed record OcspAnswer(CertificateVerdict Verdict, DateTimeOffset ThisUpdate, DateTimeOffset? NextUpdate)
{
    private const string BasicOid = "1.3.6.1.5.5.7.48.1.1";
    private const string SigningPurpose = "1.3.6.1.5.5.7.3.9";
    private const string NoCheckOid = "1.3.6.1.5.5.7.48.1.5";
    private const int MostCertificates = 8;
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>Reads an answer and holds it to RFC 6960, sections 3.2 and 4.2.</summary>
    /// <param name="der">The response.</param>
    /// <param name="question">What was asked.</param>
    /// <param name="now">The moment that dates are held against.</param>
    /// <exception cref="InvalidDataException">It is no answer to be relied on; the message says why.</exception>
    internal static OcspAnswer Read(ReadOnlyMemory<byte> der, OcspQuestion question, DateTimeOffset now)
    {
        try
        {
            var outer = new AsnReader(der, AsnEncodingRules.DER);
            var response = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var status = response.ReadEnumeratedBytes().Span[0];
            if (status != 0)
                throw new InvalidDataException($"the responder does not answer (status {status})");
            var basic = response.ReadSequence(Explicit(0)).ReadSequence();
            response.ThrowIfNotEmpty();
            if (basic.ReadObjectIdentifier() != BasicOid)
                throw new InvalidDataException("the answer is of an unknown kind");
            return ReadBasic(basic.ReadOctetString(), question, now);
        }
        catch (Exception fault) when (fault is AsnContentException or CryptographicException)
        {
            throw new InvalidDataException($"the answer is not well formed: {fault.Message}", fault);
        }
    }

    private static OcspAnswer ReadBasic(byte[] der, OcspQuestion question, DateTimeOffset now)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var basic = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var signed = basic.PeekEncodedValue();
        var data = basic.ReadSequence();
        var algorithm = basic.ReadEncodedValue();
        var signature = basic.ReadBitString(out _);
        var certificates = new List<ParsedCertificate>();
        if (basic.HasData)
        {
            var shown = basic.ReadSequence(Explicit(0)).ReadSequence();
            while (shown.HasData && certificates.Count < MostCertificates)
                certificates.Add(ParsedCertificate.Parse(shown.ReadEncodedValue().ToArray()));
        }

        basic.ThrowIfNotEmpty();
        if (data.PeekTag().HasSameClassAndValue(Explicit(0)))
            throw new InvalidDataException("the answer is of an unknown version");
        var signer = Signer(data, question.Issuer, certificates, now);
        if (!signer.Verify(signed, algorithm, signature))
            throw new InvalidDataException("the answer's signature is wrong");
        if (data.ReadGeneralizedTime() > now + Skew)
            throw new InvalidDataException("the answer was made in the future");
        var answers = data.ReadSequence();
        var extensions = data.HasData ? CertificateExtensions.Parse(data.ReadSequence(Explicit(1)).ReadSequence()) : CertificateExtensions.Empty;
        data.ThrowIfNotEmpty();
        if (extensions.Critical.Any())
            throw new InvalidDataException("the answer has a critical extension");
        if (question.Nonce is { } nonce && !(extensions.ValueOf(OcspQuestion.NonceOid) is { } echoed && echoed.Span.SequenceEqual(OcspQuestion.NonceValue(nonce))))
            throw new InvalidDataException("the answer does not repeat the question's nonce; for a responder that signs ahead, set ocsp.nonce to false");
        return About(answers, question, now);
    }

    /// <summary>The key that may sign: the issuer's, or one that the issuer itself certified for this and exempted from checks (RFC 6960, section 4.2.2.2).</summary>
    private static CertificateKey Signer(AsnReader data, ParsedCertificate issuer, List<ParsedCertificate> certificates, DateTimeOffset now)
    {
        Func<ParsedCertificate, bool> isNamed;
        if (data.PeekTag().HasSameClassAndValue(Explicit(1)))
        {
            var name = data.ReadSequence(Explicit(1)).ReadEncodedValue();
            isNamed = one => one.Subject.Encoded.Span.SequenceEqual(name.Span);
        }
        else
        {
            var hash = data.ReadSequence(Explicit(2)).ReadOctetString();
            isNamed = one => OcspQuestion.KeyHash(one.Key).AsSpan().SequenceEqual(hash);
        }

        if (isNamed(issuer))
            return issuer.Key;
        var delegated = certificates.Find(one => isNamed(one)) ?? throw new InvalidDataException("nobody known signed the answer");
        if (!delegated.Issuer.Encoded.Span.SequenceEqual(issuer.Subject.Encoded.Span) || issuer.Key.Weakness is not null || !issuer.Key.Verify(delegated.Tbs, delegated.SignatureAlgorithm, delegated.Signature))
            throw new InvalidDataException("the responder's certificate is not of the certificate's issuer");
        if (Shape.Check(delegated, "The responder's certificate", isRoot: false) is { IsTrusted: false } finding)
            throw new InvalidDataException(finding.Detail);
        if (delegated.Extensions.ExtendedKeyUsage is not { } purposes || !purposes.Contains(SigningPurpose) || delegated.Extensions.IsAuthority
            || (delegated.Extensions.KeyUsage is { } usage && !usage.HasFlag(X509KeyUsageFlags.DigitalSignature)))
            throw new InvalidDataException("the responder's certificate is not for signing answers");
        if (now < delegated.NotBefore || now > delegated.NotAfter)
            throw new InvalidDataException("the responder's certificate is not valid now");
        return delegated.Extensions.Has(NoCheckOid) ? delegated.Key : throw new InvalidDataException("the responder's certificate lacks id-pkix-ocsp-nocheck, so it would have to be asked about itself");
    }

    /// <summary>What is said of the certificate; where several things are, the worst.</summary>
    private static OcspAnswer About(AsnReader answers, OcspQuestion question, DateTimeOffset now)
    {
        OcspAnswer? worst = null;
        while (answers.HasData)
        {
            var one = answers.ReadSequence();
            if (!question.IsNamed(one.ReadSequence()))
                continue;
            var tag = one.PeekTag();
            one.ReadEncodedValue();
            var verdict = tag.TagClass != TagClass.ContextSpecific ? CertificateVerdict.Unverified
                : tag.TagValue switch { 0 => CertificateVerdict.Trusted, 1 => CertificateVerdict.Revoked, _ => CertificateVerdict.RevocationUnknown };
            var thisUpdate = one.ReadGeneralizedTime();
            DateTimeOffset? nextUpdate = one.HasData && one.PeekTag().HasSameClassAndValue(Explicit(0)) ? one.ReadSequence(Explicit(0)).ReadGeneralizedTime() : null;
            if (one.HasData && CertificateExtensions.Parse(one.ReadSequence(Explicit(1)).ReadSequence()).Critical.Any())
                throw new InvalidDataException("the answer has a critical extension");
            one.ThrowIfNotEmpty();
            if (thisUpdate > now + Skew || nextUpdate < thisUpdate)
                throw new InvalidDataException("the answer's dates are not in order");
            if (worst is null || verdict is CertificateVerdict.Revoked || worst.Verdict is CertificateVerdict.Trusted)
                worst = new(verdict, thisUpdate, nextUpdate);
        }

        return worst ?? throw new InvalidDataException("the answer is not about this certificate");
    }

    private static Asn1Tag Explicit(int number) => new(TagClass.ContextSpecific, number, isConstructed: true);
}
