using System.Net;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

/// <summary>The token that Vault is asked with: given (VAULT_TOKEN, VAULT_TOKEN_FILE, ~/.vault-token) or fetched by AppRole, renewed before it ends.</summary>
internal sealed class VaultToken(Uri server, StoreClient client, KeyStoreOptions options) : IDisposable
{
    private const string Advice = "set VAULT_TOKEN, VAULT_TOKEN_FILE, or VAULT_ROLE_ID with VAULT_SECRET_ID or VAULT_SECRET_ID_FILE";
    private readonly SemaphoreSlim _gate = new(1);
    private string? _token;
    private DateTimeOffset _renewAt = DateTimeOffset.MaxValue;
    private bool _renewable;

    private string? RoleId => NotEmpty(options.Variable("VAULT_ROLE_ID"));

    /// <summary>A token that is good for a while yet.</summary>
    internal async ValueTask<string> GetAsync(CancellationToken cancel)
    {
        await _gate.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (_token is not null && options.Time.GetUtcNow() < _renewAt)
                return _token;
            if (_token is null || !_renewable || !await RenewAsync(cancel).ConfigureAwait(false))
                await FetchAsync(cancel).ConfigureAwait(false);
            return _token!;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Fetches another token after <paramref name="refused"/> was refused; false when this can only be done by a person.</summary>
    internal async ValueTask<bool> ReplaceAsync(string refused, CancellationToken cancel)
    {
        if (RoleId is null)
            return false;
        await _gate.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (_token == refused)
                await FetchAsync(cancel).ConfigureAwait(false);
            return true;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task FetchAsync(CancellationToken cancel)
    {
        if (RoleId is { } role)
        {
            await LoginAsync(role, cancel).ConfigureAwait(false);
            return;
        }

        _token = Given() ?? throw new KeyProviderException($"No token for {server.Authority}.", Advice, null);
        (_renewAt, _renewable) = (DateTimeOffset.MaxValue, false);
        if (_token.Any(letter => letter is < '!' or > '~'))
            throw new KeyProviderException("The Vault token has characters that no token has.", Advice, null);
        await LookUpAsync(cancel).ConfigureAwait(false);
    }

    private async Task LoginAsync(string role, CancellationToken cancel)
    {
        var secret = NotEmpty(options.Variable("VAULT_SECRET_ID")) ?? FromFile("VAULT_SECRET_ID_FILE");
        var mount = NotEmpty(options.Variable("VAULT_APPROLE_MOUNT")) ?? "approle";
        var body = StoreJson.Body(writer =>
        {
            writer.WriteString("role_id", role);
            if (secret is not null)
                writer.WriteString("secret_id", secret);
        });
        using var reply = await client.SendAsync(HttpMethod.Post, new Uri(server, $"v1/auth/{mount}/login"), body, _ => { }, repeatable: true, cancel).ConfigureAwait(false);
        if (!reply.IsSuccess)
            throw new KeyProviderException($"Vault at {server.Authority} refuses the AppRole login ({(int)reply.Status}).", "check VAULT_ROLE_ID and VAULT_SECRET_ID; a secret id may have expired or been used up", null);
        Take(reply.Json.Member("auth"));
    }

    private async Task<bool> RenewAsync(CancellationToken cancel)
    {
        using var reply = await client.SendAsync(HttpMethod.Post, new Uri(server, "v1/auth/token/renew-self"), "{}"u8.ToArray(), request => Mark(request, _token!), repeatable: true, cancel).ConfigureAwait(false);
        if (!reply.IsSuccess)
            return false;
        Take(reply.Json.Member("auth"));
        return true;
    }

    /// <summary>How long a given token lasts; a token that may not ask for that is used as it is.</summary>
    private async Task LookUpAsync(CancellationToken cancel)
    {
        using var reply = await client.SendAsync(HttpMethod.Get, new Uri(server, "v1/auth/token/lookup-self"), null, request => Mark(request, _token!), repeatable: true, cancel).ConfigureAwait(false);
        if (reply.Status == HttpStatusCode.Forbidden)
        {
            _token = null;
            throw VaultFaults.Forbidden(server.Authority);
        }

        if (reply.IsSuccess && reply.Json.Optional("data") is { } data)
            Lasts(data.Number("ttl", 0), data.Optional("renewable") is { ValueKind: JsonValueKind.True });
    }

    private void Take(JsonElement auth)
    {
        _token = auth.Text("client_token");
        Lasts(auth.Number("lease_duration", 0), auth.Optional("renewable") is { ValueKind: JsonValueKind.True });
    }

    private void Lasts(int seconds, bool renewable) =>
        (_renewAt, _renewable) = (seconds <= 0 ? DateTimeOffset.MaxValue : options.Time.GetUtcNow().AddSeconds(seconds * 2.0 / 3), renewable);

    private string? Given()
    {
        if (NotEmpty(options.Variable("VAULT_TOKEN")) is { } token)
            return token;
        if (FromFile("VAULT_TOKEN_FILE") is { } named)
            return named;
        var home = NotEmpty(options.Variable("HOME"));
        var kept = home is null ? null : Path.Combine(home, ".vault-token");
        return kept is not null && File.Exists(kept) ? File.ReadAllText(kept).Trim() : null;
    }

    private string? FromFile(string variable) => NotEmpty(options.Variable(variable)) is not { } path ? null
        : File.Exists(path) ? File.ReadAllText(path).Trim()
        : throw new KeyProviderException($"{variable} names {path}, which is missing.", Advice, null);

    internal static void Mark(HttpRequestMessage request, string token)
    {
        request.Headers.TryAddWithoutValidation("X-Vault-Token", token);
        request.Headers.TryAddWithoutValidation("X-Vault-Request", "true");
    }

    private static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
