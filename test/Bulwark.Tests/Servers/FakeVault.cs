using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;
using Bulwark.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Bulwark.Tests.Servers;

/// <summary>A server that speaks the transit interface of Vault and OpenBao over TLS 1.3: own keys, versions, minimum versions, tokens, AppRole, batches.</summary>
internal sealed class FakeVault : IAsyncDisposable
{
    private readonly Dictionary<string, TransitKey> _keys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _tokens = new(StringComparer.Ordinal) { "hvs.root" };
    private readonly Lock _gate = new();
    private readonly X509Certificate2 _certificate = SelfSigned();
    private WebApplication _app = null!;

    /// <summary>As servers did before associated data were known.</summary>
    internal bool IgnoresAssociatedData { get; set; }

    /// <summary>What the server says of the type of its keys.</summary>
    internal string KeyType { get; set; } = "aes256-gcm96";

    /// <summary>How many requests more are answered by 503.</summary>
    internal int Busy { get; set; }

    internal int LeaseSeconds { get; set; } = 3600;

    internal List<string> Requests { get; } = [];

    internal int Port { get; private set; }

    internal KeyUri Key(string name) => KeyUri.Parse($"vault:https://localhost:{Port}/transit/{name}");

    internal KeyStoreOptions Options(params (string Name, string Value)[] variables) => new()
    {
        Variable = name => Array.Find(variables, variable => variable.Name == name).Value,
        Authorities = [X509CertificateLoader.LoadCertificate(_certificate.RawData)],
        Timeout = TimeSpan.FromSeconds(60),
    };

    /// <summary>The server's own certificate, for a client that trusts it alone.</summary>
    internal string AuthorityPem => _certificate.ExportCertificatePem();

    /// <summary>Every token that the server would take or has given out.</summary>
    internal IReadOnlyList<string> Tokens
    {
        get
        {
            lock (_gate)
                return [.. _tokens];
        }
    }

    internal KeyStoreOptions RootOptions => Options(("VAULT_TOKEN", "hvs.root"));

    internal static async Task<FakeVault> StartAsync(SslServerAuthenticationOptions? tls = null)
    {
        var vault = new FakeVault();
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ =>
                {
                    var options = tls ?? TlsPolicy.Server();
                    options.ServerCertificate = vault._certificate;
                    return ValueTask.FromResult(options);
                },
            });
        }));
        vault._app = builder.Build();
        vault._app.Run(vault.AnswerAsync);
        await vault._app.StartAsync();
        vault.Port = new Uri(vault._app.Urls.First()).Port;
        return vault;
    }

    internal void Revoke(string token)
    {
        lock (_gate)
            _tokens.Remove(token);
    }

    internal void RevokeAllButRoot()
    {
        lock (_gate)
            _tokens.RemoveWhere(token => token != "hvs.root");
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        JsonNode? body = http.Request.ContentLength > 0 ? await JsonNode.ParseAsync(http.Request.Body) : null;
        JsonNode? answer;
        lock (_gate)
        {
            Requests.Add($"{http.Request.Method} {http.Request.Path}");
            if (Busy-- > 0)
                (http.Response.StatusCode, answer) = (503, Errors("Vault is sealed"));
            else
                (http.Response.StatusCode, answer) = Answer(http, body);
        }

        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer?.ToJsonString() ?? "");
    }

    private (int Status, JsonNode? Answer) Answer(HttpContext http, JsonNode? body)
    {
        var path = http.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (path is ["v1", "auth", "approle", "login"])
            return Login(body!);
        if (!_tokens.Contains(http.Request.Headers["X-Vault-Token"].ToString()))
            return (403, Errors("permission denied"));
        return (http.Request.Method, path) switch
        {
            ("GET", ["v1", "auth", "token", "lookup-self"]) => (200, new JsonObject { ["data"] = new JsonObject { ["ttl"] = 0, ["renewable"] = false } }),
            ("POST", ["v1", "auth", "token", "renew-self"]) => (200, Auth(http.Request.Headers["X-Vault-Token"].ToString())),
            ("GET", ["v1", "transit", "keys", var name]) => _keys.TryGetValue(name, out var key) ? (200, Data(key.Describe(name, KeyType))) : (404, new JsonObject { ["errors"] = new JsonArray() }),
            ("POST", ["v1", "transit", "keys", var name]) => Made(name),
            ("POST", ["v1", "transit", "keys", var name, var verb]) when _keys.TryGetValue(name, out var key) => key.Change(verb, body!),
            ("POST", ["v1", "transit", ("encrypt" or "decrypt" or "rewrap") and var verb, var name]) => _keys.TryGetValue(name, out var key) ? Use(key, verb, body!) : (400, Errors("encryption key not found")),
            _ => (404, Errors("no handler for route")),
        };
    }

    private (int Status, JsonNode Answer) Login(JsonNode body)
    {
        if ((string?)body["role_id"] != "role-1" || (string?)body["secret_id"] != "secret-1")
            return (400, Errors("invalid role or secret ID"));
        var token = $"hvs.{RandomNumberGenerator.GetHexString(24)}";
        _tokens.Add(token);
        return (200, Auth(token));
    }

    private JsonObject Auth(string token) => new() { ["auth"] = new JsonObject { ["client_token"] = token, ["lease_duration"] = LeaseSeconds, ["renewable"] = true } };

    private (int Status, JsonNode? Answer) Made(string name)
    {
        _keys.TryAdd(name, new TransitKey());
        return (200, Data(_keys[name].Describe(name, KeyType)));
    }

    private (int Status, JsonNode Answer) Use(TransitKey key, string verb, JsonNode body)
    {
        if (body["batch_input"] is not JsonArray batch)
            return Item(key, verb, body) is var single && single["error"] is { } error ? (400, Errors(error.ToString())) : (200, Data(single));
        var results = batch.Select(item => Item(key, verb, item!)).ToArray();
        return (results.Any(result => result["error"] is not null) ? 400 : 200, Data(new JsonObject { ["batch_results"] = new JsonArray([.. results]) }));
    }

    private JsonObject Item(TransitKey key, string verb, JsonNode item)
    {
        try
        {
            var bound = verb == "rewrap" || IgnoresAssociatedData ? [] : Convert.FromBase64String((string?)item["associated_data"] ?? "");
            if (verb == "encrypt")
                return key.Encrypt(Convert.FromBase64String((string)item["plaintext"]!), bound, (int?)item["key_version"] ?? 0);
            var plain = key.Decrypt((string)item["ciphertext"]!, bound);
            return verb == "decrypt" ? new JsonObject { ["plaintext"] = Convert.ToBase64String(plain) } : key.Encrypt(plain, bound, 0);
        }
        catch (Exception failure) when (failure is CryptographicException or FormatException or KeyNotFoundException)
        {
            return new JsonObject { ["error"] = $"invalid ciphertext: {item.ToJsonString()}" };   // as unkind as a server can be: it quotes the request
        }
    }

    private static JsonObject Data(JsonNode data) => new() { ["data"] = data };

    private static JsonObject Errors(string text) => new() { ["errors"] = new JsonArray(text) };

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(2));
    }

    private sealed class TransitKey
    {
        private readonly SortedDictionary<int, (byte[] Key, long Made)> _versions = new() { [1] = Fresh() };
        private int _minimumDecryption = 1, _minimumEncryption;

        private int Latest => _versions.Keys.Last();

        internal JsonObject Describe(string name, string type) => new()
        {
            ["name"] = name,
            ["type"] = type,
            ["exportable"] = false,
            ["allow_plaintext_backup"] = false,
            ["latest_version"] = Latest,
            ["min_decryption_version"] = _minimumDecryption,
            ["min_encryption_version"] = _minimumEncryption,
            ["keys"] = new JsonObject(_versions.Select(version => KeyValuePair.Create(version.Key.ToString(System.Globalization.CultureInfo.InvariantCulture), (JsonNode?)version.Value.Made))),
        };

        internal (int Status, JsonNode? Answer) Change(string verb, JsonNode body)
        {
            switch (verb)
            {
                case "rotate":
                    _versions.Add(Latest + 1, Fresh());
                    return (204, null);
                case "config":
                    _minimumDecryption = (int?)body["min_decryption_version"] ?? _minimumDecryption;
                    _minimumEncryption = (int?)body["min_encryption_version"] ?? _minimumEncryption;
                    return _minimumDecryption > Latest || _minimumEncryption > Latest ? (400, Errors("cannot set min version greater than latest")) : (204, null);
                case "trim" when (int)body["min_available_version"]! <= _minimumDecryption:
                    foreach (var old in _versions.Keys.Where(version => version < (int)body["min_available_version"]!).ToArray())
                        _versions.Remove(old);
                    return (204, null);
                default:
                    return (400, Errors("unsupported"));
            }
        }

        internal JsonObject Encrypt(byte[] plain, byte[] bound, int version)
        {
            version = version == 0 ? Latest : version;
            if (version < _minimumEncryption)
                return new JsonObject { ["error"] = "requested version for encryption is less than the minimum encryption key version" };
            var bytes = new byte[12 + plain.Length + 16];
            RandomNumberGenerator.Fill(bytes.AsSpan(0, 12));
            using var aes = new AesGcm(_versions[version].Key, 16);
            aes.Encrypt(bytes.AsSpan(0, 12), plain, bytes.AsSpan(12, plain.Length), bytes.AsSpan(12 + plain.Length), bound);
            return new JsonObject { ["ciphertext"] = $"vault:v{version}:{Convert.ToBase64String(bytes)}", ["key_version"] = version };
        }

        internal byte[] Decrypt(string ciphertext, byte[] bound)
        {
            var parts = ciphertext.Split(':');
            var version = int.Parse(parts[1].AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);
            var bytes = Convert.FromBase64String(parts[2]);
            if (version < _minimumDecryption || bytes.Length < 28)
                throw new CryptographicException("ciphertext or signature version is disallowed by policy (too old)");
            using var aes = new AesGcm(_versions[version].Key, 16);
            var plain = new byte[bytes.Length - 28];
            aes.Decrypt(bytes.AsSpan(0, 12), bytes.AsSpan(12, plain.Length), bytes.AsSpan(12 + plain.Length), plain, bound);
            return plain;
        }

        private static (byte[] Key, long Made) Fresh() => (RandomNumberGenerator.GetBytes(32), DateTimeOffset.UtcNow.ToUnixTimeSeconds());
    }
}
