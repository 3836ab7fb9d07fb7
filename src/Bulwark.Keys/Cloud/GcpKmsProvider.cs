using System.Globalization;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

/// <summary>Key-encryption keys in Google Cloud Key Management Service.</summary>
/// <remarks>
/// Source: Cloud KMS API v1. The context goes as additional authenticated data; every value goes and comes with its CRC-32C, and what does not match
/// is refused. The token is GOOGLE_OAUTH_ACCESS_TOKEN (<c>gcloud auth print-access-token</c>). Thread-safe.
/// </remarks>
public sealed class GcpKmsProvider : IKeyAdministration
{
    private const string Service = "Google Cloud KMS", Login = "set GOOGLE_OAUTH_ACCESS_TOKEN: gcloud auth print-access-token; the account needs cloudkms.cryptoKeyEncrypterDecrypter";
    private readonly KeyUri _key;
    private readonly Uri _endpoint;
    private readonly KeyStoreOptions _options;
    private readonly StoreClient _client;

    private GcpKmsProvider(KeyUri key, KeyStoreOptions options)
    {
        (_key, _options, _endpoint) = (key.Key, options, options.Endpoint ?? new Uri("https://cloudkms.googleapis.com/"));
        _client = new StoreClient(_endpoint.Authority, options);
    }

    /// <summary>Opens the service for one key.</summary>
    /// <param name="key"><c>gcp-kms:projects/…/cryptoKeys/…</c></param>
    /// <param name="options">Where the token comes from.</param>
    public static GcpKmsProvider Open(KeyUri key, KeyStoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Scheme == "gcp-kms" ? new(key, options ?? new()) : throw new ArgumentException($"{key} is no Google Cloud KMS address.", nameof(key));
    }

    /// <inheritdoc/>
    public string Scheme => "gcp-kms";

    /// <inheritdoc/>
    public bool Holds(KeyUri kek) => kek is { Scheme: "gcp-kms" } && kek.Key == _key;

    /// <inheritdoc/>
    public async ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        ArgumentNullException.ThrowIfNull(dataKey);
        var name = kek.Version is { } version ? $"{kek.Path}/cryptoKeyVersions/{version}" : kek.Path;
        using var reply = await AskAsync(HttpMethod.Post, $"{name}:encrypt", kek, opening: false, writer =>
        {
            writer.WriteBase64String("plaintext", dataKey.Span);
            writer.WriteString("plaintextCrc32c", Text(Crc32C.Of(dataKey.Span)));
            writer.WriteBase64String("additionalAuthenticatedData", context.Binding.Span);
            writer.WriteString("additionalAuthenticatedDataCrc32c", Text(Crc32C.Of(context.Binding.Span)));
        }, cancel).ConfigureAwait(false);
        var ciphertext = reply.Json.Member("ciphertext").GetBytesFromBase64();
        if (reply.Json.Optional("verifiedPlaintextCrc32c") is not { ValueKind: JsonValueKind.True } || reply.Json.Optional("verifiedAdditionalAuthenticatedDataCrc32c") is not { ValueKind: JsonValueKind.True } || reply.Json.Text("ciphertextCrc32c") != Text(Crc32C.Of(ciphertext)))
            throw new KeyProviderException($"{Service} and this program disagree about a checksum: something was lost on the way.", "try again", null);
        return new WrappedKey(Version(reply.Json.Text("name")), ciphertext);
    }

    /// <inheritdoc/>
    public async ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        using var reply = await AskAsync(HttpMethod.Post, $"{wrapped.Kek.Path}:decrypt", wrapped.Kek, opening: true, writer =>
        {
            writer.WriteBase64String("ciphertext", wrapped.Bytes);
            writer.WriteString("ciphertextCrc32c", Text(Crc32C.Of(wrapped.Bytes)));
            writer.WriteBase64String("additionalAuthenticatedData", context.Binding.Span);
            writer.WriteString("additionalAuthenticatedDataCrc32c", Text(Crc32C.Of(context.Binding.Span)));
        }, cancel).ConfigureAwait(false);
        var key = reply.Json.Secret("plaintext");
        if (reply.Json.Text("plaintextCrc32c") == Text(Crc32C.Of(key.Span)))
            return key;
        key.Dispose();
        throw new KeyProviderException($"{Service}'s answer was damaged on the way.", "try again", null);
    }

    /// <inheritdoc/>
    public async ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        var newest = (await DescribeAsync(wrapped.Kek.Key, cancel).ConfigureAwait(false)).Current?.Id;
        using var dataKey = await UnwrapAsync(wrapped, context, cancel).ConfigureAwait(false);
        return newest == wrapped.Kek ? wrapped : await WrapAsync(wrapped.Kek.Key, dataKey, context, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        using var key = await AskAsync(HttpMethod.Get, kek.Path, kek, opening: false, null, cancel).ConfigureAwait(false);
        var primary = key.Json.Optional("primary")?.Text("name");
        using var reply = await AskAsync(HttpMethod.Get, $"{kek.Path}/cryptoKeyVersions", kek, opening: false, null, cancel).ConfigureAwait(false);
        var versions = (reply.Json.Optional("cryptoKeyVersions") is { ValueKind: JsonValueKind.Array } listed ? listed.EnumerateArray().ToArray() : [])
            .Select(version => (Uri: Version(version.Text("name")), State: version.Text("state"), IsPrimary: version.Text("name") == primary, Created: version.Optional("createTime")))
            .OrderBy(version => int.Parse(version.Uri.Version!, CultureInfo.InvariantCulture))
            .Select(version => new KeyVersion(
                version.Uri, version.State switch { "ENABLED" when version.IsPrimary => KeyState.Enabled, "ENABLED" => KeyState.DecryptOnly, "DESTROYED" => KeyState.Destroyed, _ => KeyState.DecryptOnly },
                version.Created is { ValueKind: JsonValueKind.String } time && time.TryGetDateTimeOffset(out var at) ? at.ToUniversalTime() : null)
            { Note = version.State is "ENABLED" or "DESTROYED" ? null : version.State.ToLowerInvariant() });
        return new(_key, "GOOGLE_SYMMETRIC_ENCRYPTION (AES-256-GCM)", 256, Service, Extractable: false, [.. versions]);
    }

    /// <inheritdoc/>
    public async ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        string version;
        using (var made = await AskAsync(HttpMethod.Post, $"{kek.Path}/cryptoKeyVersions", kek, opening: false, _ => { }, cancel, repeatable: false).ConfigureAwait(false))
            version = Version(made.Json.Text("name")).Version!;
        using (await AskAsync(HttpMethod.Post, $"{kek.Path}:updatePrimaryVersion", kek, opening: false, writer => writer.WriteString("cryptoKeyVersionId", version), cancel).ConfigureAwait(false))
            return await DescribeAsync(kek, cancel).ConfigureAwait(false);
    }

    /// <summary>Not from here: its place, protection and rotation are decisions of the project's.</summary>
    /// <inheritdoc/>
    public ValueTask<KeyDescription> CreateAsync(KeyUri kek, CancellationToken cancel = default) => throw new KeyProviderException("A key of Google's is made by its own tool.", "gcloud kms keys create NAME --purpose encryption", null);

    /// <summary>Not from here: whatever is not primary opens only.</summary>
    /// <inheritdoc/>
    public ValueTask<KeyDescription> RetireAsync(KeyUri version, CancellationToken cancel = default) => throw new KeyProviderException("At Google only the primary version wraps: rotating retires the others.", "bulwark keys rotate ADDRESS", null);

    /// <summary>Schedules the version's destruction; Google waits for the key's own period (a day or more).</summary>
    /// <inheritdoc/>
    public async ValueTask<KeyDescription> DestroyAsync(KeyUri version, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(version);
        if (version.Version is null)
            throw new InvalidOperationException($"{version} names no version.");
        using (await AskAsync(HttpMethod.Post, $"{version.Path}/cryptoKeyVersions/{version.Version}:destroy", version, opening: false, _ => { }, cancel).ConfigureAwait(false))
            return await DescribeAsync(version, cancel).ConfigureAwait(false);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _client.Dispose();

    private async Task<StoreReply> AskAsync(HttpMethod method, string path, KeyUri kek, bool opening, Action<Utf8JsonWriter>? members, CancellationToken cancel, bool repeatable = true)
    {
        if (!Holds(kek))
            throw opening ? CloudFaults.DoesNotOpen() : new InvalidOperationException($"{kek} is not the key that was opened: {_key}.");
        var token = _options.Required("GOOGLE_OAUTH_ACCESS_TOKEN", Login);
        var reply = await _client.SendAsync(method, new Uri(_endpoint, "v1/" + path), members is null ? null : StoreJson.Body(members),
            request => request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}"), repeatable, cancel).ConfigureAwait(false);
        if (reply.IsSuccess)
            return reply;
        using (reply)
            throw CloudFaults.Of(reply, Service, kek, opening, Login);
    }

    private KeyUri Version(string name) => KeyUri.TryParse($"gcp-kms:{name}", out var uri) && uri is { Version: not null } && Holds(uri) ? uri : throw StoreReply.Malformed();

    private static string Text(uint crc) => crc.ToString(CultureInfo.InvariantCulture);
}
