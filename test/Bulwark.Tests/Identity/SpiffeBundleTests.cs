using System.Text;
using Bulwark.Cli.Serving;
using Bulwark.Server;

namespace Bulwark.Tests.Identity;

public sealed class SpiffeBundleTests
{
    private readonly SvidForge _forge = new();

    private string Key => $$"""{"use":"x509-svid","kty":"EC","crv":"P-256","x":"AA","y":"AA","x5c":["{{Convert.ToBase64String(_forge.Root)}}"]}""";

    [Fact]
    public void Its_authorities_vouch_for_svids()
    {
        var bundle = $$"""{"spiffe_sequence":7,"spiffe_refresh_hint":600,"keys":[{"use":"jwt-svid","kid":"a","kty":"EC","crv":"P-256","x":"AA","y":"AA"},{{Key}},{"kty":"EC"},{"use":"of-tomorrow"}]}""";
        var authority = Assert.Single(SpiffeBundle.Authorities(Encoding.UTF8.GetBytes(bundle)));
        Assert.Equal(_forge.Root, authority.RawData);
        var paths = new CertificatePathValidator([authority.RawData], new() { SpiffeTrustDomain = "bank.example" });
        Assert.Equal(CertificateVerdict.Trusted, paths.Validate(_forge.Make(), [], SvidForge.Now, out _));
        Assert.NotEqual(CertificateVerdict.Trusted, paths.Validate(new SvidForge().Make(), [], SvidForge.Now, out _));
    }

    [Fact]
    public void What_is_unsound_is_refused_whole()
    {
        var (root, leaf) = (Convert.ToBase64String(_forge.Root), Convert.ToBase64String(_forge.Make()));
        string[] bundles =
        [
            "", "[]", "{}", """{"keys":{}}""", """{"keys":[]}""", """{"keys":[1]}""", """{"keys":[{"use":"jwt-svid","kid":"a"}]}""",
            $$"""{"keys":[{{Key}}],"keys":[]}""",
            """{"keys":[{"use":"x509-svid","kty":"EC"}]}""",
            """{"keys":[{"use":"x509-svid","x5c":[]}]}""",
            """{"keys":[{"use":"x509-svid","x5c":["AAAA"]}]}""",
            """{"keys":[{"use":"x509-svid","x5c":["not base64"]}]}""",
            $$"""{"keys":[{"use":"x509-svid","x5c":["{{root}}","{{root}}"]}]}""",
            $$"""{"keys":[{"use":"x509-svid","x5c":"{{root}}"}]}""",
            $$"""{"keys":[{{Key}},{"use":"x509-svid","x5c":["{{leaf}}"]}]}""",
            $$"""{"keys":[{{Key}},{"use":"x509-svid","x5c":["{{Convert.ToBase64String(_forge.Root.AsSpan(0, 60))}}"]}]}""",
        ];
        foreach (var bundle in bundles)
            Assert.Throws<FormatException>(() => SpiffeBundle.Authorities(Encoding.UTF8.GetBytes(bundle)));
    }

    [Fact]
    public void A_gateways_authorities_are_those_of_its_file_and_of_its_bundle()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<FileNotFoundException>(() => GatewayReload.Authorities(folder.Path));
        File.WriteAllText(folder["bundle.json"], $$"""{"keys":[{{Key}}]}""");
        Assert.Equal([_forge.Root], GatewayReload.Authorities(folder.Path).Select(one => one.RawData));
        var other = new SvidForge().Root;
        File.WriteAllText(folder["ca.crt"], $"-----BEGIN CERTIFICATE-----\n{Convert.ToBase64String(other)}\n-----END CERTIFICATE-----\n");
        Assert.Equal([other, _forge.Root], GatewayReload.Authorities(folder.Path).Select(one => one.RawData));
    }
}
