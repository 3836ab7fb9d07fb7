using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bulwark.Cryptography;

namespace Bulwark.Server;

/// <summary>The token keys of an issuer, found by OpenID Connect Discovery 1.0.</summary>
/// <remarks>Asks https only, except on loopback; follows no redirection. A gateway that is given it (<see cref="GatewayOptions.TokenIssuer"/>) keeps the keys fresh by itself.</remarks>
public sealed class OidcKeys : IDisposable
{
    private const int LargestDocument = 256 * 1024;
    private readonly HttpClient _http;
    private readonly Uri _issuer;

    /// <param name="issuer">The issuer, byte for byte as tokens name it.</param>
    /// <param name="roots">The authorities that may vouch for it; the system's list when empty.</param>
    /// <exception cref="ArgumentException">The issuer is no https URL.</exception>
    public OidcKeys(string issuer, IReadOnlyList<X509Certificate2>? roots = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(issuer);
        Issuer = issuer;
        _issuer = Uri.TryCreate(issuer, UriKind.Absolute, out var uri) && IsSafe(uri) ? uri
            : throw new ArgumentException($"The issuer {issuer} is no https URL without query and fragment.", nameof(issuer));
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, SslOptions = TlsPolicy.Client(roots is { Count: > 0 } ? [.. roots] : null) };
        _http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = LargestDocument };
    }

    /// <summary>The issuer's name.</summary>
    public string Issuer { get; }

    /// <summary>Asks for the keys now.</summary>
    /// <exception cref="InvalidDataException">The issuer does not answer, calls itself otherwise, or its key set is not sound; the message says which.</exception>
    public async Task<JsonWebKeySet> FetchAsync(CancellationToken cancel)
    {
        try
        {
            using var discovery = JsonDocument.Parse(await GetAsync(new Uri(_issuer.ToString().TrimEnd('/') + "/.well-known/openid-configuration"), cancel), new() { AllowDuplicateProperties = false });
            if (StrictJson.Text(discovery.RootElement, "issuer") != Issuer)
                throw new InvalidDataException($"The document of {Issuer} is another issuer's.");
            if (StrictJson.Text(discovery.RootElement, "jwks_uri") is not { } address || !Uri.TryCreate(address, UriKind.Absolute, out var keys) || !IsSafe(keys))
                throw new InvalidDataException($"The document of {Issuer} names no https address of its keys.");
            var set = JsonWebKeySet.Parse(ForSignatures(await GetAsync(keys, cancel)));
            return set.Keys.All(key => key.KeyType != "oct" && key.Id is not null) ? set
                : throw new FormatException("the set holds a symmetric key, or one without kid");
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or JsonException or FormatException or InvalidOperationException || (fault is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new InvalidDataException($"The keys of {Issuer} cannot be had: {fault.Message}", fault);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static bool IsSafe(Uri uri) => (uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback)) && uri.Query.Length == 0 && uri.Fragment.Length == 0 && uri.UserInfo.Length == 0;

    /// <summary>An issuer may publish keys for encryption beside those for signatures; what is said to be for signatures must be sound without exception.</summary>
    private static string ForSignatures(string set)
    {
        if (JsonNode.Parse(set, documentOptions: new() { AllowDuplicateProperties = false }) is not JsonObject root || root["keys"] is not JsonArray keys)
            throw new FormatException("A key set is a JSON object with an array 'keys'.");
        foreach (var other in keys.Where(key => key is JsonObject one && one["use"] is JsonValue use && use.TryGetValue<string>(out var word) && word == "enc").ToList())
            keys.Remove(other);
        return root.ToJsonString();
    }

    private async Task<string> GetAsync(Uri address, CancellationToken cancel)
    {
        using var answer = await _http.GetAsync(address, cancel);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync(cancel);
    }
}
