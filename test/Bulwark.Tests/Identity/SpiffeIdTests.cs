using Bulwark.Server;

namespace Bulwark.Tests.Identity;

/// <summary>SPIFFE-ID and X509-SVID: every MUST that a certificate can break.</summary>
public class SpiffeIdTests
{
    [Theory]
    [InlineData("spiffe://bank.example/payments")]
    [InlineData("spiffe://a_b-1.example/ns/default/sa/Scoring.v2")]
    public void A_workloads_id_is_sound(string id) => Assert.Null(SpiffeId.Fault(id));

    [Theory]
    [InlineData("")]
    [InlineData("https://bank.example/payments")]
    [InlineData("SPIFFE://bank.example/payments")]
    [InlineData("spiffe://bank.example")]
    [InlineData("spiffe://bank.example/")]
    [InlineData("spiffe:///payments")]
    [InlineData("spiffe://Bank.example/payments")]
    [InlineData("spiffe://bank.example:443/payments")]
    [InlineData("spiffe://user@bank.example/payments")]
    [InlineData("spiffe://bank.example/a//b")]
    [InlineData("spiffe://bank.example/a/")]
    [InlineData("spiffe://bank.example/./a")]
    [InlineData("spiffe://bank.example/../a")]
    [InlineData("spiffe://bank.example/a?x=1")]
    [InlineData("spiffe://bank.example/a#x")]
    [InlineData("spiffe://bank.example/%61")]
    public void What_is_no_workloads_id_is_not(string id) => Assert.NotNull(SpiffeId.Fault(id));

    [Fact]
    public void An_id_has_an_end() => Assert.NotNull(SpiffeId.Fault("spiffe://bank.example/" + new string('a', 2048)));

    [Fact]
    public void An_svid_of_the_trust_domain_is_trusted() => Assert.Equal(CertificateVerdict.Trusted, Judge(_ => { }));

    [Fact]
    public void An_svid_of_another_trust_domain_is_refused() => Assert.Equal(CertificateVerdict.WrongName, Judge(leaf => leaf.Uris = ["spiffe://other.example/payments"]));

    [Fact]
    public void Two_uris_are_one_too_many() => Assert.Equal(CertificateVerdict.WrongName, Judge(leaf => leaf.Uris = ["spiffe://bank.example/payments", "spiffe://bank.example/admin"]));

    [Fact]
    public void No_uri_is_refused() => Assert.Equal(CertificateVerdict.WrongName, Judge(leaf => leaf.Uris = []));

    [Fact]
    public void An_svid_that_may_sign_certificates_is_refused() => Assert.Equal(CertificateVerdict.WrongKeyUsage, Judge(leaf => leaf.MaySign = true));

    [Fact]
    public void Key_usage_that_is_not_critical_is_refused() => Assert.Equal(CertificateVerdict.WrongKeyUsage, Judge(leaf => leaf.KeyUsageIsCritical = false));

    [Fact]
    public void One_purpose_alone_is_refused() => Assert.Equal(CertificateVerdict.WrongExtendedKeyUsage, Judge(leaf => leaf.Purposes = [CertificatePathOptions.ClientAuthentication]));

    [Fact]
    public void An_authority_is_no_workload() => Assert.Equal(CertificateVerdict.LeafIsAuthority, Judge(leaf => leaf.IsAuthority = true));

    private static CertificateVerdict Judge(Action<SvidForge> bend)
    {
        var forge = new SvidForge();
        bend(forge);
        var validator = new CertificatePathValidator([forge.Root], new() { SpiffeTrustDomain = "bank.example" });
        return validator.Validate(forge.Make(), [], SvidForge.Now, out _);
    }
}
