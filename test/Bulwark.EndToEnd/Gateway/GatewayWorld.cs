using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Server;
using Bulwark.Worker;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A model sealed, a gateway's identities, a log: everything that a gateway needs, in a folder that goes when the test does.</summary>
public sealed class GatewayWorld : IDisposable
{
    internal const string Policy =
        """
        permit (principal == Client::"payments", action == Action::"infer", resource == Model::"fraud");
        permit (principal == Client::"payments", action == Action::"inspect", resource == Model::"fraud");
        permit (principal == Client::"analyst", action == Action::"inspect", resource == Model::"fraud");
        """;

    internal static readonly float[] GoodRow = [120, 30, 1];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bulwark-gateway");
    private readonly Signer _logSigner;
    private readonly Signer _statementSigner;

    private GatewayWorld()
    {
        Keys = KeyRing.Create(PathOf("keyring.json"), KeyRingUnlock.KeyFile(PathOf("keyring.key")));
        Keys.CreateSymmetric("sealing");
        Keys.CreateSigning("signing");
        Keys.CreateSigning("log");
        _statementSigner = Keys.OpenSigner("signing");
        _logSigner = Keys.OpenSigner("log");
        Identity = DevelopmentIdentity.Create(PathOf("pki"));
    }

    internal KeyRing Keys { get; }
    internal Signer DevelopmentKey { get; } = Signer.Generate();
    internal DevelopmentIdentity Identity { get; }
    internal string PackagePath => PathOf("fraud.bulwark");
    internal string LogDirectory => PathOf("log");
    internal TransparencyLog Log { get; private set; } = null!;
    internal Digest Package { get; private set; }

    /// <param name="change">Given the model's folder before it is sealed.</param>
    internal static async Task<GatewayWorld> CreateAsync(Func<string, Task>? change = null)
    {
        var world = new GatewayWorld();
        world.Log = await TransparencyLog.CreateAsync(world.LogDirectory, "bulwark.test/gateway", world._logSigner, Cancel);
        world.Package = (await FraudModel.SealAsync(world.Keys, world.PackagePath, change, Cancel)).PackageDigest;
        return world;
    }

    internal static CancellationToken Cancel => TestContext.Current.CancellationToken;

    internal EvidencePolicy EvidencePolicy => new()
    {
        Environment = EvidenceEnvironment.Development,
        Kinds = [EvidenceKinds.Simulated],
        InsecureSimulated = true,
        SimulatedKeys = [DevelopmentKey.PublicKey],
        Measurements = [WorkerClosure.Measure()],
        Models = [Package],
        MaximumAgeSeconds = 300,
    };

    internal GatewayOptions Options => new()
    {
        PackagePath = PackagePath,
        Publishers = [Keys.PublicKey("signing")],
        Keys = Keys,
        Signer = _statementSigner,
        EvidencePolicy = EvidencePolicy,
        EvidenceSource = new SimulatedEvidenceSource(DevelopmentKey, WorkerClosure.Measure(), TimeProvider.System),
        Log = Log,
        Policy = Policy,
        ServerCertificate = Identity.LoadServer(),
        ClientRoots = [Identity.LoadAuthority()],
        AccessTokens = Identity.TokenOptions(),
        MaximumBodyBytes = 16 * 1024,
        MaximumRows = 64,
        InsecureSandbox = true,   // a kernel without Landlock serves tests too; see SandboxTests
    };

    internal Task<GatewayHost> StartAsync(GatewayOptions? options = null) => GatewayHost.StartAsync(options ?? Options, Cancel);

    /// <summary>A client with real TLS: it trusts the development authority alone and shows the certificate given.</summary>
    internal static HttpClient Client(GatewayHost host, DevelopmentIdentity identity, X509Certificate2? certificate, string? token, SslProtocols protocol = SslProtocols.Tls13)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.EnabledSslProtocols = protocol;
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(identity.LoadAuthority());
        if (certificate is not null)
            handler.SslOptions.ClientCertificateContext = System.Net.Security.SslStreamCertificateContext.Create(certificate, null, offline: true);
        var client = new HttpClient(handler) { BaseAddress = host.BaseAddress };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    internal HttpClient Client(GatewayHost host, X509Certificate2? certificate, string? token, SslProtocols protocol = SslProtocols.Tls13) =>
        Client(host, Identity, certificate, token, protocol);

    internal HttpClient Payments(GatewayHost host) => Client(host, Identity.LoadClient("payments"), Identity.LoadToken("payments"));

    internal static string Body(params float[][] rows) => JsonSerializer.Serialize(new
    {
        id = "4f1c",
        inputs = new[] { new { name = "features", shape = new[] { rows.Length, 3 }, datatype = "FP32", data = rows } },
    });

    /// <summary>Entries in the log, those that the tree is just taking in included.</summary>
    internal long LogSize => Log.FlushAsync(Cancel).GetAwaiter().GetResult().Size;

    /// <summary>The statement in one entry of the log, as text; its signature is checked.</summary>
    internal string Entry(long index, VerificationKey? signer = null)
    {
        var opened = Dsse.Verify(Log.ReadEntry(index), signer ?? Keys.PublicKey("signing"));
        Assert.Equal(DsseVerdict.Trusted, opened.Verdict);
        return Encoding.UTF8.GetString(opened.Payload.Span);
    }

    internal static Task<HttpResponseMessage> InferAsync(HttpClient client, string body, string model = "fraud") =>
        client.PostAsync(new Uri($"v2/models/{model}/infer", UriKind.Relative), new StringContent(body, new MediaTypeHeaderValue("application/json")), Cancel);

    internal static async Task<string> ErrorAsync(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("error").GetString()!;

    internal static async Task<string> MetricsAsync(GatewayHost host)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(host.MetricsAddress, Cancel);
    }

    /// <summary>The claims of a sound token of a client; tests bend one.</summary>
    internal Dictionary<string, object> Claims(string client) => new()
    {
        ["iss"] = DevelopmentIdentity.Issuer,
        ["aud"] = DevelopmentIdentity.Audience,
        ["sub"] = client,
        ["client_id"] = client,
        ["jti"] = Guid.NewGuid().ToString(),
        ["iat"] = DateTimeOffset.UtcNow.AddMinutes(-10).ToUnixTimeSeconds(),
        ["exp"] = DateTimeOffset.UtcNow.AddMinutes(10).ToUnixTimeSeconds(),
        ["cnf"] = new Dictionary<string, string> { ["x5t#S256"] = Base64Url.EncodeToString(SHA256.HashData(Identity.LoadClient(client).RawData)) },
    };

    /// <summary>A certificate that the development authority signed, bent as the test asks; with an id, an X.509-SVID.</summary>
    internal X509Certificate2 Certificate(DateTimeOffset from, DateTimeOffset until, bool isAuthority = false, string? svid = null)
    {
        using var authority = X509Certificate2.CreateFromPemFile(Identity.AuthorityFile, Path.Combine(Identity.Folder, "ca.key"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=payments", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | (isAuthority ? X509KeyUsageFlags.KeyCertSign : 0), true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(svid is null ? [new Oid("1.3.6.1.5.5.7.3.2")] : [new Oid("1.3.6.1.5.5.7.3.2"), new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(svid ?? "spiffe://bulwark.invalid/client/payments"));
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, from, until, [0x40, 1, 2, 3, 4, 5, 6, 7]);
        return issued.CopyWithPrivateKey(key);
    }

    internal string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose()
    {
        DevelopmentKey.Dispose();
        _logSigner.Dispose();
        _statementSigner.Dispose();
        Keys.Dispose();
        Bulwark.Tests.TemporaryFolder.Remove(_folder.FullName);
    }
}
