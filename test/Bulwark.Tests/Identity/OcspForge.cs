#pragma warning disable CA5350 // SHA-1 names issuers, as responders expect (RFC 5019, section 2.1.1)
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Server;

namespace Bulwark.Tests.Identity;

/// <summary>Makes a responder's answers, good ones by default; a test changes the one thing that it is about.</summary>
internal sealed record OcspForge
{
    internal static readonly DateTimeOffset Now = CertificateForge.Now;

    internal required X509Certificate2 Signer { get; init; }
    internal required X509Certificate2 Issuer { get; init; }
    internal required X509Certificate2 Certificate { get; init; }
    internal byte[]? Nonce { get; init; }
    internal int Status { get; init; }   // 0 good, 1 revoked, 2 unknown
    internal byte ResponseStatus { get; init; }
    internal DateTimeOffset ThisUpdate { get; init; } = Now.AddMinutes(-1);
    internal DateTimeOffset? NextUpdate { get; init; } = Now.AddHours(1);
    internal DateTimeOffset ProducedAt { get; init; } = Now;
    internal bool NamesSignerByKey { get; init; }
    internal bool ShowsCertificate { get; init; } = true;
    internal bool IsBent { get; init; }
    internal string? CriticalExtension { get; init; }

    internal byte[] Make()
    {
        var data = Data();
        using var key = Signer.GetECDsaPrivateKey()!;
        var signature = key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        if (IsBent)
            data[^1] ^= 1;
        var basic = new AsnWriter(AsnEncodingRules.DER);
        using (basic.PushSequence())
        {
            basic.WriteEncodedValue(data);
            using (basic.PushSequence())
                basic.WriteObjectIdentifier("1.2.840.10045.4.3.2");
            basic.WriteBitString(signature);
            if (ShowsCertificate)
            {
                using (basic.PushSequence(Explicit(0)))
                using (basic.PushSequence())
                    basic.WriteEncodedValue(Signer.RawData);
            }
        }

        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue([0x0a, 1, ResponseStatus]);
            if (ResponseStatus == 0)
            {
                using (writer.PushSequence(Explicit(0)))
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier("1.3.6.1.5.5.7.48.1.1");
                    writer.WriteOctetString(basic.Encode());
                }
            }
        }

        return writer.Encode();
    }

    private byte[] Data()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence(Explicit(NamesSignerByKey ? 2 : 1)))
            {
                if (NamesSignerByKey)
                    writer.WriteOctetString(SHA1.HashData(Signer.PublicKey.EncodedKeyValue.RawData));
                else
                    writer.WriteEncodedValue(Signer.SubjectName.RawData);
            }

            writer.WriteGeneralizedTime(ProducedAt, omitFractionalSeconds: true);
            using (writer.PushSequence())
                Single(writer);
            if (Nonce is not null || CriticalExtension is not null)
            {
                using (writer.PushSequence(Explicit(1)))
                using (writer.PushSequence())
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(CriticalExtension ?? OcspQuestion.NonceOid);
                    if (CriticalExtension is not null)
                        writer.WriteBoolean(true);
                    writer.WriteOctetString(OcspQuestion.NonceValue(Nonce ?? []));
                }
            }
        }

        return writer.Encode();
    }

    private void Single(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier("1.3.14.3.2.26");
                    writer.WriteNull();
                }

                writer.WriteOctetString(SHA1.HashData(Issuer.SubjectName.RawData));
                writer.WriteOctetString(SHA1.HashData(Issuer.PublicKey.EncodedKeyValue.RawData));
                writer.WriteInteger(Certificate.SerialNumberBytes.Span);
            }

            if (Status == 1)
            {
                using (writer.PushSequence(Explicit(1)))
                    writer.WriteGeneralizedTime(Now.AddDays(-1), omitFractionalSeconds: true);
            }
            else
            {
                writer.WriteNull(new Asn1Tag(TagClass.ContextSpecific, Status));
            }

            writer.WriteGeneralizedTime(ThisUpdate, omitFractionalSeconds: true);
            if (NextUpdate is { } next)
            {
                using (writer.PushSequence(Explicit(0)))
                    writer.WriteGeneralizedTime(next, omitFractionalSeconds: true);
            }
        }
    }

    private static Asn1Tag Explicit(int number) => new(TagClass.ContextSpecific, number, isConstructed: true);
}
