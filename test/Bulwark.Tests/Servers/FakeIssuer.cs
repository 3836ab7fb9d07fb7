using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;
using Bulwark.Server;
using Bulwark.Tests.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Bulwark.Tests.Servers;

/// <summary>An issuer of tokens on this machine, over TLS 1.3: its discovery document and its key set, which a test changes.</summary>
internal sealed class FakeIssuer : IAsyncDisposable
{
    private readonly X509Certificate2 _certificate = SelfSigned();
    private WebApplication _app = null!;
    private int _asked;

    /// <summary>The issuer's name, as its document says it.</summary>
    internal string Name { get; private set; } = null!;

    /// <summary>What the discovery document holds.</summary>
    internal JsonObject Discovery { get; private set; } = [];

    /// <summary>The key set, as text.</summary>
    internal string Keys { get; set; } = """{"keys":[]}""";

    /// <summary>True while it answers everything by 503.</summary>
    internal bool IsAway { get; set; }

    /// <summary>What it does instead of giving the key set; null gives it.</summary>
    internal Func<HttpContext, Task>? Misbehaves { get; set; }

    /// <summary>How often the key set was asked for.</summary>
    internal int Asked => Volatile.Read(ref _asked);

    internal static async Task<FakeIssuer> StartAsync(params TokenForge[] keys)
    {
        var issuer = new FakeIssuer();
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ =>
                {
                    var options = TlsPolicy.Server();
                    options.ServerCertificate = issuer._certificate;
                    return ValueTask.FromResult(options);
                },
            });
        }));
        issuer._app = builder.Build();
        issuer._app.Run(issuer.AnswerAsync);
        await issuer._app.StartAsync();
        issuer.Name = $"https://localhost:{new Uri(issuer._app.Urls.First()).Port}/bank";
        issuer.Discovery = new() { ["issuer"] = issuer.Name, ["jwks_uri"] = issuer.Name + "/keys" };
        issuer.Publish(keys);
        return issuer;
    }

    /// <summary>A client of this issuer, which trusts its certificate alone.</summary>
    internal OidcKeys Client() => new(Name, [Authority]);

    /// <summary>Its certificate, without the key.</summary>
    internal X509Certificate2 Authority => X509CertificateLoader.LoadCertificate(_certificate.RawData);

    /// <summary>From now on these are the keys.</summary>
    internal void Publish(params TokenForge[] keys) => Keys = $$"""{"keys":[{{string.Join(",", keys.Select(key => key.PublicKey))}}]}""";

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    private Task AnswerAsync(HttpContext http)
    {
        if (IsAway)
            http.Response.StatusCode = 503;
        else if (http.Request.Path == "/bank/.well-known/openid-configuration")
            return http.Response.WriteAsync(Discovery.ToJsonString());
        else if (http.Request.Path == "/bank/keys")
            return GiveKeysAsync(http);
        else
            http.Response.StatusCode = 404;
        return Task.CompletedTask;
    }

    private Task GiveKeysAsync(HttpContext http)
    {
        Interlocked.Increment(ref _asked);
        return Misbehaves is { } other ? other(http) : http.Response.WriteAsync(Keys);
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=issuer", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(2));
    }
}
