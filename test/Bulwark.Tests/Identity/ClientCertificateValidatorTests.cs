using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bulwark.Server;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Identity;

public class ClientCertificateValidatorTests
{
    private static readonly X509Certificate2 Root = CertificateForge.Authority().Make();
    private static readonly CertificateForge Good = new() { Issuer = Root };

    private static CertificateVerdict Check(X509Certificate2? leaf, X509Certificate2[]? presented = null, byte[][]? lists = null) =>
        new ClientCertificateValidator([Root], new FakeTimeProvider(CertificateForge.Now), lists).Validate(leaf, presented);

    [Fact]
    public void A_client_of_the_configured_authority_is_trusted() => Assert.Equal(CertificateVerdict.Trusted, Check(Good.Make()));

    [Fact]
    public void A_path_is_found_among_unordered_and_foreign_hints()
    {
        var middle = (CertificateForge.Authority("middle") with { Issuer = Root }).Make();
        var low = (CertificateForge.Authority("low") with { Issuer = middle }).Make();
        var leaf = (Good with { Issuer = low }).Make();
        Assert.Equal(CertificateVerdict.Trusted, Check(leaf, [CertificateForge.Authority("stranger").Make(), low, middle, leaf]));
        Assert.Equal(CertificateVerdict.UntrustedIssuer, Check(leaf, [low]));
    }

    [Fact]
    public void No_certificate_is_refused() => Assert.Equal(CertificateVerdict.NoCertificate, Check(null));

    [Fact]
    public void A_certificate_of_another_authority_is_refused() =>
        Assert.Equal(CertificateVerdict.UntrustedIssuer, Check((Good with { Issuer = CertificateForge.Authority("other").Make() }).Make()));

    [Fact]
    public void An_authority_that_only_bears_the_same_name_is_refused() =>
        Assert.Equal(CertificateVerdict.UntrustedIssuer, Check((Good with { Issuer = CertificateForge.Authority("root").Make() }).Make()));

    [Fact]
    public void A_self_signed_certificate_is_refused() => Assert.Equal(CertificateVerdict.UntrustedIssuer, Check((Good with { Issuer = null }).Make()));

    [Fact]
    public void An_expired_certificate_is_refused() =>
        Assert.Equal(CertificateVerdict.Expired, Check((Good with { Until = CertificateForge.Now.AddSeconds(-1) }).Make()));

    [Fact]
    public void Dates_hold_to_the_second()
    {
        Assert.Equal(CertificateVerdict.Trusted, Check((Good with { From = CertificateForge.Now }).Make()));
        Assert.Equal(CertificateVerdict.Trusted, Check((Good with { Until = CertificateForge.Now }).Make()));
    }

    [Fact]
    public void A_certificate_that_has_not_begun_is_refused() =>
        Assert.Equal(CertificateVerdict.NotYetValid, Check((Good with { From = CertificateForge.Now.AddSeconds(1) }).Make()));

    [Fact]
    public void An_authority_s_certificate_is_no_client_s() =>
        Assert.Equal(CertificateVerdict.LeafIsAuthority, Check((CertificateForge.Authority("middle") with { Issuer = Root, Purpose = CertificateForge.ClientPurpose }).Make()));

    [Theory]
    [InlineData(null)]
    [InlineData(CertificateForge.ServerPurpose)]
    [InlineData("2.5.29.37.0")]
    public void A_certificate_for_another_purpose_is_refused(string? purpose) =>
        Assert.Equal(CertificateVerdict.WrongExtendedKeyUsage, Check((Good with { Purpose = purpose }).Make()));

    [Theory]
    [InlineData(null)]
    [InlineData(X509KeyUsageFlags.KeyEncipherment)]
    public void A_certificate_whose_key_may_not_sign_is_refused(X509KeyUsageFlags? usage) =>
        Assert.Equal(CertificateVerdict.WrongKeyUsage, Check((Good with { KeyUsage = usage }).Make()));

    [Fact]
    public void A_weak_key_is_refused() => Assert.Equal(CertificateVerdict.WeakKey, Check((Good with { Key = RSA.Create(1024) }).Make()));

    [Fact]
    public void An_unusual_curve_is_refused() =>
        Assert.Equal(CertificateVerdict.WeakKey, Check((Good with { Key = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp256k1")) }).Make()));

    [Fact]
    public void An_issuer_that_is_no_authority_is_refused()
    {
        var client = Good.Make();
        var leaf = (Good with { Issuer = client, Name = "forged" }).Make();
        Assert.Equal(CertificateVerdict.IssuerIsNoAuthority, Check(leaf, [client]));
    }

    [Fact]
    public void An_authority_beyond_its_path_length_is_refused()
    {
        var middle = (CertificateForge.Authority("middle") with { Issuer = Root, PathLength = 0 }).Make();
        var low = (CertificateForge.Authority("low") with { Issuer = middle }).Make();
        Assert.Equal(CertificateVerdict.Trusted, Check((Good with { Issuer = middle }).Make(), [middle]));
        Assert.Equal(CertificateVerdict.PathTooLong, Check((Good with { Issuer = low }).Make(), [middle, low]));
    }

    [Theory]
    [InlineData("client.example.com", CertificateVerdict.Trusted)]
    [InlineData("client.example.org", CertificateVerdict.NameNotPermitted)]
    [InlineData("notexample.com", CertificateVerdict.NameNotPermitted)]
    public void A_name_outside_the_issuer_s_constraints_is_refused(string host, CertificateVerdict verdict)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        using (writer.PushSequence())
            writer.WriteCharacterString(UniversalTagNumber.IA5String, "example.com", new Asn1Tag(TagClass.ContextSpecific, 2));
        var middle = (CertificateForge.Authority("middle") with { Issuer = Root, Extra = new("2.5.29.30", writer.Encode(), critical: true) }).Make();
        Assert.Equal(verdict, Check((Good with { Issuer = middle, Host = host }).Make(), [middle]));
    }

    [Fact]
    public void A_critical_extension_that_is_not_understood_is_refused() =>
        Assert.Equal(CertificateVerdict.UnknownCriticalExtension, Check((Good with { Extra = new("1.2.3.4", [5, 0], critical: true) }).Make()));

    [Fact]
    public void A_revoked_certificate_is_refused()
    {
        var leaf = Good.Make();
        Assert.Equal(CertificateVerdict.Trusted, Check(leaf, lists: [List(Root, CertificateForge.Now, [])]));
        Assert.Equal(CertificateVerdict.Revoked, Check(leaf, lists: [List(Root, CertificateForge.Now, [leaf.SerialNumberBytes.ToArray()])]));
    }

    [Fact]
    public void A_revocation_list_that_is_stale_or_another_s_is_not_relied_on()
    {
        Assert.Equal(CertificateVerdict.RevocationUnknown, Check(Good.Make(), lists: [List(Root, CertificateForge.Now.AddDays(-30), [])]));
        Assert.Equal(CertificateVerdict.RevocationUnknown, Check(Good.Make(), lists: [List(CertificateForge.Authority().Make(), CertificateForge.Now, [])]));
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_refused()
    {
        var leaf = Good.Make().RawData;
        var validator = new CertificatePathValidator([Root.RawData], new());
        Assert.Equal(CertificateVerdict.Trusted, validator.Validate(leaf, [], CertificateForge.Now, out _));
        for (var i = 0; i < leaf.Length; i += 3)
        {
            var broken = leaf.ToArray();
            broken[i] ^= 1;
            Assert.NotEqual(CertificateVerdict.Trusted, validator.Validate(broken, [], CertificateForge.Now, out _));
        }
    }

    [Fact]
    public void Bytes_that_are_no_certificate_are_malformed()
    {
        var validator = new CertificatePathValidator([Root.RawData], new());
        foreach (var bytes in (byte[][])[[], [0x30], [0x30, 0x84, 0xff, 0xff, 0xff, 0xff], new byte[500]])
            Assert.Equal(CertificateVerdict.Malformed, validator.Validate(bytes, [], CertificateForge.Now, out _));
    }

    [Fact]
    public void A_maze_of_authorities_ends()
    {
        var authorities = Enumerable.Range(0, 5).Select(i => CertificateForge.Authority($"maze {i}")).ToArray();
        var made = authorities.Select(authority => authority.Make()).ToArray();
        var crossed = authorities.SelectMany(a => made.Where(issuer => issuer.Subject != $"CN={a.Name}").Select(issuer => (a with { Issuer = issuer }).Make())).ToArray();
        var leaf = (Good with { Issuer = made[0] }).Make();
        Assert.NotEqual(CertificateVerdict.Trusted, Check(leaf, crossed));
    }

    private static byte[] List(X509Certificate2 issuer, DateTimeOffset from, byte[][] serials)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var serial in serials)
            builder.AddEntry(serial);
        return builder.Build(issuer, new BigInteger(1), from.AddDays(7), HashAlgorithmName.SHA256, thisUpdate: from);
    }
}
