using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>Everything that a gateway on one developer's machine needs to be talked to: an authority, certificates, a token key, tokens.</summary>
/// <remarks>
/// For development only, and marked so in each certificate's name and in the folder: whoever reads the folder can be any client.
/// Files are readable by their owner alone.
/// </remarks>
public sealed class DevelopmentIdentity
{
    /// <summary>The <c>iss</c> of development tokens.</summary>
    public const string Issuer = "https://bulwark.invalid/development";

    /// <summary>The <c>aud</c> of development tokens.</summary>
    public const string Audience = "bulwark-gateway";

    /// <summary>The names of the clients that <see cref="Create"/> makes.</summary>
    public static IReadOnlyList<string> DefaultClients { get; } = ["payments", "analyst"];

    private const string Notice =
        "Development identities made by Bulwark. Never trust this authority or this token key in production:\n" +
        "the private keys in this folder let anyone who reads them act as the server and as every client.\n";

    private DevelopmentIdentity(string directory) => Folder = directory;

    /// <summary>The folder that holds the files.</summary>
    public string Folder { get; }

    /// <summary>The authority's certificate, PEM: the trust root of clients and servers.</summary>
    public string AuthorityFile => PathOf("ca.crt");

    /// <summary>The public token keys, a JSON Web Key Set.</summary>
    public string TokenKeysFile => PathOf("token-keys.json");

    /// <summary>The clients that have a certificate and a token here.</summary>
    public IReadOnlyList<string> Clients =>
        [.. Directory.EnumerateFiles(Folder, "client-*.crt").Select(file => Path.GetFileNameWithoutExtension(file)["client-".Length..]).Order(StringComparer.Ordinal)];

    /// <summary>Makes the folder and everything in it.</summary>
    /// <param name="directory">A folder that does not exist, or is empty.</param>
    /// <param name="clients">Names of clients, letters, digits and <c>-</c>; <see cref="DefaultClients"/> when null.</param>
    /// <param name="lifetime">How long certificates and tokens hold; 30 days when null.</param>
    /// <param name="time">The clock; the system's when null.</param>
    /// <exception cref="IOException">The folder holds files already.</exception>
    public static DevelopmentIdentity Create(string directory, IReadOnlyList<string>? clients = null, TimeSpan? lifetime = null, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        clients ??= DefaultClients;
        foreach (var client in clients)
            if (client.Length == 0 || client.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-'))
                throw new ArgumentException($"'{client}' is no client name: letters, digits and '-' make one.", nameof(clients));
        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
            throw new IOException($"{directory} holds files already; development identities are never overwritten. Remove the folder first.");
        PrivateFile.CreateDirectory(directory);
        var identity = new DevelopmentIdentity(directory);
        var now = (time ?? TimeProvider.System).GetUtcNow();
        identity.Fill(clients, now, now + (lifetime ?? TimeSpan.FromDays(30)));
        return identity;
    }

    /// <summary>Opens what <see cref="Create"/> made.</summary>
    /// <exception cref="FileNotFoundException">The folder lacks an authority.</exception>
    public static DevelopmentIdentity Open(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var identity = new DevelopmentIdentity(directory);
        return File.Exists(identity.AuthorityFile) ? identity
            : throw new FileNotFoundException($"{directory} holds no development identities.", identity.AuthorityFile);
    }

    /// <summary>The authority's certificate, without its key.</summary>
    public X509Certificate2 LoadAuthority() => X509CertificateLoader.LoadCertificateFromFile(AuthorityFile);

    /// <summary>The server's certificate for localhost, with its key.</summary>
    public X509Certificate2 LoadServer() => Load("server");

    /// <summary>A client's certificate, with its key.</summary>
    /// <param name="client">One of <see cref="Clients"/>.</param>
    public X509Certificate2 LoadClient(string client) => Load($"client-{client}");

    /// <summary>The public token keys.</summary>
    public JsonWebKeySet LoadTokenKeys() => JsonWebKeySet.Parse(File.ReadAllText(TokenKeysFile));

    /// <summary>What a gateway asks of development tokens: these keys, and a life as long as the certificates'.</summary>
    public AccessTokenOptions TokenOptions() =>
        new() { Keys = LoadTokenKeys(), Issuer = Issuer, Audience = Audience, MaximumLifetime = TimeSpan.FromDays(3660) };

    /// <summary>The token that <see cref="Create"/> made for a client, bound to the client's certificate.</summary>
    /// <param name="client">One of <see cref="Clients"/>.</param>
    public string LoadToken(string client) => File.ReadAllText(PathOf($"client-{client}.jwt")).Trim();

    /// <summary>Issues one more token.</summary>
    /// <param name="claims">Exactly the claims it shall hold.</param>
    /// <param name="type">The header's <c>typ</c>.</param>
    public string IssueToken(IReadOnlyDictionary<string, object> claims, string type = "at+jwt")
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(PathOf("token-signing.key")));
        return new DevelopmentTokenIssuer(key).Issue(claims, type);
    }

    private void Fill(IReadOnlyList<string> clients, DateTimeOffset now, DateTimeOffset until)
    {
        PrivateFile.Write(PathOf("README"), Notice);
        using var authority = new DevelopmentAuthority(now - TimeSpan.FromMinutes(5), until);
        PrivateFile.Write(PathOf("ca.crt"), authority.Certificate.ExportCertificatePem());
        PrivateFile.Write(PathOf("ca.key"), authority.Key.ExportPkcs8PrivateKeyPem());
        using (var server = authority.IssueServer("localhost"))
            Save("server", server);
        using var tokenKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issuer = new DevelopmentTokenIssuer(tokenKey);
        PrivateFile.Write(PathOf("token-signing.key"), tokenKey.ExportPkcs8PrivateKeyPem());
        PrivateFile.Write(TokenKeysFile, JsonSerializer.Serialize(new { keys = new[] { issuer.PublicKey } }));
        foreach (var client in clients)
        {
            using var certificate = authority.IssueClient(client);
            Save($"client-{client}", certificate);
            PrivateFile.Write(PathOf($"client-{client}.jwt"), issuer.Issue(DevelopmentTokenIssuer.Claims(client, certificate, now, until)));
        }
    }

    private void Save(string name, X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        PrivateFile.Write(PathOf($"{name}.crt"), certificate.ExportCertificatePem());
        PrivateFile.Write(PathOf($"{name}.key"), key.ExportPkcs8PrivateKeyPem());
    }

    private X509Certificate2 Load(string name) => X509Certificate2.CreateFromPemFile(PathOf($"{name}.crt"), PathOf($"{name}.key"));

    private string PathOf(string name) => Path.Combine(Folder, name);
}
