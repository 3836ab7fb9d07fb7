using Bulwark.Server;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Identity;

public sealed class DevelopmentIdentityTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));

    private DevelopmentIdentity Create() => DevelopmentIdentity.Create(Path.Combine(_folder, "identity"), time: _time);

    [Fact]
    public void Clients_and_their_tokens_are_accepted()
    {
        var identity = DevelopmentIdentity.Open(Create().Folder);
        using var authority = identity.LoadAuthority();
        var certificates = new ClientCertificateValidator([authority], _time);
        var tokens = new AccessTokenReader(identity.TokenOptions(), _time);
        Assert.Equal(["analyst", "payments"], identity.Clients);
        foreach (var client in identity.Clients)
        {
            using var certificate = identity.LoadClient(client);
            Assert.True(certificate.HasPrivateKey);
            Assert.Equal(CertificateVerdict.Trusted, certificates.Validate(certificate));
            Assert.Equal(TokenVerdict.Accepted, tokens.Read(identity.LoadToken(client), certificate.RawData, out var token));
            Assert.Equal(client, token!.Subject);
        }
    }

    [Fact]
    public void A_client_cannot_use_another_s_token()
    {
        var identity = Create();
        using var analyst = identity.LoadClient("analyst");
        Assert.Equal(TokenVerdict.BoundToAnotherCertificate,
            new AccessTokenReader(identity.TokenOptions(), _time).Read(identity.LoadToken("payments"), analyst.RawData, out var token));
        Assert.Null(token);
    }

    [Fact]
    public void The_server_s_certificate_is_for_localhost_and_no_client_s()
    {
        var identity = Create();
        using var authority = identity.LoadAuthority();
        using var server = identity.LoadServer();
        Assert.Equal(CertificateVerdict.WrongExtendedKeyUsage, new ClientCertificateValidator([authority], _time).Validate(server));
        var paths = new CertificatePathValidator([authority.RawData], new()
        {
            Purpose = CertificatePathOptions.ServerAuthentication,
            PeerNames = [new(PeerNameKind.Dns, "localhost"), new(PeerNameKind.Ip, "127.0.0.1"), new(PeerNameKind.Ip, "::1")],
        });
        Assert.Equal(CertificateVerdict.Trusted, paths.Validate(server.RawData, [], _time.GetUtcNow(), out _));
    }

    [Fact]
    public void Everything_says_that_it_is_for_development()
    {
        var identity = Create();
        using var server = identity.LoadServer();
        Assert.Contains("not for production", server.Subject, StringComparison.Ordinal);
        Assert.Contains("Never trust", File.ReadAllText(Path.Combine(identity.Folder, "README")), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_owner_can_read_the_files()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Unix file modes.");
        else
            foreach (var file in Directory.EnumerateFiles(Create().Folder))
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public void Identities_are_never_overwritten()
    {
        var identity = Create();
        var before = File.ReadAllText(identity.AuthorityFile);
        Assert.Throws<IOException>(() => DevelopmentIdentity.Create(identity.Folder));
        Assert.Equal(before, File.ReadAllText(identity.AuthorityFile));
    }

    [Theory]
    [InlineData("../payments")]
    [InlineData("")]
    public void A_client_s_name_is_no_path(string name) =>
        Assert.Throws<ArgumentException>(() => DevelopmentIdentity.Create(_folder, [name]));

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }
}
