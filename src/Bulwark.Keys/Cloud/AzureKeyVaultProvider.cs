using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

/// <summary>Key-encryption keys in Azure Key Vault or Managed HSM.</summary>
/// <remarks>
/// Source: Key Vault REST API 7.4, <c>wrapkey</c> and <c>unwrapkey</c>: RSA-OAEP-256 with RSA keys, A256KW with <c>oct-HSM</c> keys. Neither takes associated
/// data, so what is wrapped is key | SHA-256(context), and the digest is checked when it is opened. Whoever has an RSA key's public half can wrap, so RSA keys are refused where a wrapped key must
/// prove its origin (<see cref="KeyContext.MustAuthenticate"/>). The token is AZURE_KEYVAULT_TOKEN
/// (<c>az account get-access-token --resource https://vault.azure.net</c>). Thread-safe.
/// </remarks>
public sealed class AzureKeyVaultProvider : IKeyAdministration
{
    private const string Service = "Azure Key Vault", ApiVersion = "7.4", Login = "set AZURE_KEYVAULT_TOKEN: az account get-access-token --resource https://vault.azure.net; the account needs Key Vault Crypto User";
    private const int DigestSize = 32;
    private readonly KeyUri _key;
    private readonly Uri _endpoint;
    private readonly string _name;
    private readonly KeyStoreOptions _options;
    private readonly StoreClient _client;

    private AzureKeyVaultProvider(KeyUri key, KeyStoreOptions options)
    {
        var address = new Uri(key.Path);
        (_key, _options, _name) = (key.Key, options, address.AbsolutePath.Split('/')[^1]);
        _endpoint = options.Endpoint ?? new Uri(address.GetLeftPart(UriPartial.Authority));
        _client = new StoreClient(_endpoint.Authority, options);
    }

    /// <summary>Opens a vault for one key.</summary>
    /// <param name="key"><c>azure-kv:https://name.vault.azure.net/keys/…</c></param>
    /// <param name="options">Where the token comes from.</param>
    public static AzureKeyVaultProvider Open(KeyUri key, KeyStoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Scheme == "azure-kv" ? new(key, options ?? new()) : throw new ArgumentException($"{key} is no Azure Key Vault address.", nameof(key));
    }

    /// <inheritdoc/>
    public string Scheme => "azure-kv";

    /// <inheritdoc/>
    public bool Holds(KeyUri kek) => kek is { Scheme: "azure-kv" } && kek.Key == _key;

    /// <inheritdoc/>
    public async ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        ArgumentNullException.ThrowIfNull(dataKey);
        var (version, algorithm) = await UsableAsync(kek, cancel).ConfigureAwait(false);
        RequireSecret(kek, algorithm == "A256KW", context);
        using var bound = SecretBytes.Create(dataKey.Length + DigestSize, context.Binding.Span, (binding, target) =>
        {
            dataKey.Span.CopyTo(target);
            SHA256.HashData(binding, target[^DigestSize..]);
        });
        using var reply = await AskAsync(HttpMethod.Post, $"keys/{_name}/{version}/wrapkey", kek, opening: false, writer =>
        {
            writer.WriteString("alg", algorithm);
            writer.WriteString("value", Base64Url.EncodeToString(bound.Span));
        }, cancel).ConfigureAwait(false);
        return new WrappedKey(Version(reply.Json.Text("kid")), [(byte)(algorithm == "A256KW" ? 2 : 1), .. Base64Url.DecodeFromChars(reply.Json.Text("value"))]);
    }

    /// <inheritdoc/>
    public async ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        if (!Holds(wrapped.Kek) || wrapped.Kek.Version is null || wrapped.Bytes is not [1 or 2, ..])
            throw CloudFaults.DoesNotOpen();
        RequireSecret(wrapped.Kek, wrapped.Bytes[0] == 2, context);
        using var reply = await AskAsync(HttpMethod.Post, $"keys/{_name}/{wrapped.Kek.Version}/unwrapkey", wrapped.Kek, opening: true, writer =>
        {
            writer.WriteString("alg", wrapped.Bytes[0] == 2 ? "A256KW" : "RSA-OAEP-256");
            writer.WriteString("value", Base64Url.EncodeToString(wrapped.Bytes.AsSpan(1)));
        }, cancel).ConfigureAwait(false);
        using var bound = reply.Json.Secret("value", url: true);
        return bound.Length > DigestSize && CryptographicOperations.FixedTimeEquals(bound.Span[^DigestSize..], SHA256.HashData(context.Binding.Span))
            ? SecretBytes.CopyOf(bound.Span[..^DigestSize])
            : throw CloudFaults.DoesNotOpen();
    }

    /// <inheritdoc/>
    public async ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        using var dataKey = await UnwrapAsync(wrapped, context, cancel).ConfigureAwait(false);
        return (await UsableAsync(wrapped.Kek.Key, cancel).ConfigureAwait(false)).Version == wrapped.Kek.Version ? wrapped : await WrapAsync(wrapped.Kek.Key, dataKey, context, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        using var newest = await AskAsync(HttpMethod.Get, $"keys/{_name}", kek, opening: false, null, cancel).ConfigureAwait(false);
        using var reply = await AskAsync(HttpMethod.Get, $"keys/{_name}/versions", kek, opening: false, null, cancel).ConfigureAwait(false);
        var current = Version(newest.Json.Member("key").Text("kid"));
        var type = newest.Json.Member("key").Text("kty");
        var versions = (reply.Json.Optional("value") is { ValueKind: JsonValueKind.Array } listed ? listed.EnumerateArray().ToArray() : [])
            .Select(version => (Uri: Version(version.Text("kid")), Facts: version.Optional("attributes")))
            .Select(version => new KeyVersion(
                version.Uri, version.Uri == current && version.Facts?.Optional("enabled") is { ValueKind: JsonValueKind.True } ? KeyState.Enabled : KeyState.DecryptOnly,
                version.Facts?.Optional("created") is { ValueKind: JsonValueKind.Number } made ? DateTimeOffset.FromUnixTimeSeconds(made.GetInt64()) : null)
            {
                Note = version.Facts?.Optional("enabled") is { ValueKind: JsonValueKind.False } ? "disabled" : null,
            })
            .OrderBy(version => version.Created);
        return new(_key, type, type.StartsWith("oct", StringComparison.Ordinal) ? 256 : 112, $"{Service} {new Uri(_key.Path).Host}", type.EndsWith("-HSM", StringComparison.Ordinal) ? false : null, [.. versions]);
    }

    /// <inheritdoc/>
    public async ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default)
    {
        using (await AskAsync(HttpMethod.Post, $"keys/{_name}/rotate", kek, opening: false, _ => { }, cancel, repeatable: false).ConfigureAwait(false))
            return await DescribeAsync(kek, cancel).ConfigureAwait(false);
    }

    /// <summary>Not from here: its type, size and protection are decisions of the vault's owner.</summary>
    /// <inheritdoc/>
    public ValueTask<KeyDescription> CreateAsync(KeyUri kek, CancellationToken cancel = default) => throw new KeyProviderException("A key of Azure's is made by its own tool.", "az keyvault key create --kty RSA-HSM --size 3072", null);

    /// <summary>Not from here: whatever is not newest opens only.</summary>
    /// <inheritdoc/>
    public ValueTask<KeyDescription> RetireAsync(KeyUri version, CancellationToken cancel = default) => throw new KeyProviderException("At Azure only the newest version wraps: rotating retires the others.", "bulwark keys rotate ADDRESS", null);

    /// <summary>Not from here: Azure deletes whole keys, with recovery.</summary>
    /// <inheritdoc/>
    public ValueTask<KeyDescription> DestroyAsync(KeyUri version, CancellationToken cancel = default) => throw new KeyProviderException("Azure deletes whole keys, and keeps them for recovery.", "az keyvault key delete, then purge", null);

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _client.Dispose();

    private static void RequireSecret(KeyUri kek, bool secret, KeyContext context)
    {
        if (!secret && context.MustAuthenticate)
            throw CloudFaults.PublicHalf(kek, "an oct-HSM key of a Managed HSM");
    }

    private async ValueTask<(string Version, string Algorithm)> UsableAsync(KeyUri kek, CancellationToken cancel)
    {
        using var reply = await AskAsync(HttpMethod.Get, kek.Version is null ? $"keys/{_name}" : $"keys/{_name}/{kek.Version}", kek, opening: false, null, cancel).ConfigureAwait(false);
        var key = reply.Json.Member("key");
        var algorithm = key.Text("kty") switch
        {
            "RSA" or "RSA-HSM" => "RSA-OAEP-256",
            "oct-HSM" => "A256KW",
            var type => throw new KeyProviderException($"The key {kek} is of the type {type}, which wraps nothing.", "use an RSA or oct-HSM key", null),
        };
        return (Version(key.Text("kid")).Version!, algorithm);
    }

    private async Task<StoreReply> AskAsync(HttpMethod method, string path, KeyUri kek, bool opening, Action<Utf8JsonWriter>? members, CancellationToken cancel, bool repeatable = true)
    {
        if (!Holds(kek))
            throw opening ? CloudFaults.DoesNotOpen() : new InvalidOperationException($"{kek} is not the key that was opened: {_key}.");
        var token = _options.Required("AZURE_KEYVAULT_TOKEN", Login);
        var reply = await _client.SendAsync(method, new Uri(_endpoint, $"{path}?api-version={ApiVersion}"), members is null ? null : StoreJson.Body(members),
            request => request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}"), repeatable, cancel).ConfigureAwait(false);
        if (reply.IsSuccess)
            return reply;
        using (reply)
            throw CloudFaults.Of(reply, Service, kek, opening, Login);
    }

    /// <summary>The version that a <c>kid</c> names; it must be of this very key.</summary>
    private KeyUri Version(string kid) => KeyUri.TryParse($"azure-kv:{kid}", out var uri) && uri is { Version: not null } && Holds(uri) ? uri : throw StoreReply.Malformed();
}
