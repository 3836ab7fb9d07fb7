using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

/// <summary>Key-encryption keys in the transit engine of HashiCorp Vault or OpenBao: the keys stay on the server, which encrypts and decrypts by HTTP.</summary>
/// <remarks>
/// Source: the HTTP interface "transit", v1. A wrapped key is the ASCII text <c>vault:vN:…</c> that the server gave, bound to its context by
/// <c>associated_data</c> (needs an AEAD key: aes256-gcm96 or chacha20-poly1305). The server's <c>rewrap</c> takes no associated data, so a bound key is
/// decrypted and encrypted again in one batch; an unbound one is rewrapped on the server. Thread-safe.
/// </remarks>
public sealed partial class VaultProvider : IKeyAdministration, IKeyBatches
{
    private const int BatchItems = 512;
    private readonly Uri _server;
    private readonly StoreClient _client;
    private readonly VaultToken _token;
    private readonly string _mount;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<KeyUri, bool> _secret = new();
    private volatile bool _binds;

    private VaultProvider(Uri server, string mount, KeyStoreOptions options)
    {
        (_server, _mount) = (server, mount);
        _client = new StoreClient(server.Authority, options);
        _token = new VaultToken(server, _client, options);
    }

    /// <summary>Opens the transit engine that an address names. Nothing is asked before the first use.</summary>
    /// <param name="key">Any key of it: <c>vault:https://host:8200/transit/kek</c>.</param>
    /// <param name="options">Where the token comes from, whom to trust.</param>
    public static VaultProvider Open(KeyUri key, KeyStoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Scheme != "vault")
            throw new ArgumentException($"{key} is no Vault address.", nameof(key));
        var address = new Uri(key.Path);
        return new VaultProvider(new Uri(address.GetLeftPart(UriPartial.Authority) + "/"), Mount(key), options ?? new());
    }

    /// <inheritdoc/>
    public string Scheme => "vault";

    /// <inheritdoc/>
    public bool Holds(KeyUri kek) => kek is { Scheme: "vault" } && kek.Path.StartsWith(_server.AbsoluteUri, StringComparison.Ordinal) && Mount(kek) == _mount;

    /// <inheritdoc/>
    public async ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default) =>
        (await WrapManyAsync(kek, [(dataKey, context)], cancel).ConfigureAwait(false))[0];

    /// <inheritdoc/>
    public async ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default) =>
        (await UnwrapManyAsync([new(wrapped, context)], cancel).ConfigureAwait(false))[0].Value ?? throw VaultFaults.DoesNotOpen();

    /// <inheritdoc/>
    public async ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        if (context.MustAuthenticate)
            await RequireSecretAsync(wrapped.Kek.Key, cancel).ConfigureAwait(false);
        var newest = (await DescribeAsync(wrapped.Kek.Key, cancel).ConfigureAwait(false)).Current?.Id;
        if (context.Binding.IsEmpty && newest != wrapped.Kek)
        {
            var body = StoreJson.Body(writer => writer.WriteString("ciphertext", Ciphertext(wrapped)));
            using var reply = await AskAsync(HttpMethod.Post, $"rewrap/{Name(wrapped.Kek)}", body, wrapped.Kek, opening: true, repeatable: true, cancel).ConfigureAwait(false);
            return Wrapped(wrapped.Kek, reply.Json.Member("data").Text("ciphertext"));
        }

        using var dataKey = await UnwrapAsync(wrapped, context, cancel).ConfigureAwait(false);
        return newest == wrapped.Kek ? wrapped : await WrapAsync(wrapped.Kek.Key, dataKey, context, cancel).ConfigureAwait(false);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose()
    {
        _token.Dispose();
        _client.Dispose();
    }

    /// <summary>Asks, once more with a fresh token where the first is refused and another can be had.</summary>
    private async Task<StoreReply> AskAsync(HttpMethod method, string path, byte[]? body, KeyUri key, bool opening, bool repeatable, CancellationToken cancel, bool batch = false)
    {
        if (!Holds(key))
            throw opening ? VaultFaults.DoesNotOpen() : new InvalidOperationException($"{key} is not on the server {_server.Authority}.");
        var spare = body?.ToArray();
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                var token = await _token.GetAsync(cancel).ConfigureAwait(false);
                var reply = await _client.SendAsync(method, new Uri(_server, $"v1/{_mount}/{path}"), attempt == 0 ? body : spare, request => VaultToken.Mark(request, token), repeatable, cancel).ConfigureAwait(false);
                if (reply.IsSuccess || (batch && reply.Status == HttpStatusCode.BadRequest && reply.Json.Optional("data")?.Optional("batch_results") is not null))
                    return reply;
                using (reply)
                {
                    if (reply.Status != HttpStatusCode.Forbidden || attempt > 0 || !await _token.ReplaceAsync(token, cancel).ConfigureAwait(false))
                        throw VaultFaults.Of(reply, _server.Authority, key, opening);
                }
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(spare);
        }
    }

    /// <summary>The version that a server's ciphertext names, and the text itself.</summary>
    private static WrappedKey Wrapped(KeyUri kek, string ciphertext)
    {
        var parts = ciphertext.Split(':');
        if (parts is not ["vault", ['v', ..] version, { Length: > 0 }] || !int.TryParse(version.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
            throw StoreReply.Malformed();
        return new WrappedKey(kek.Key.WithVersion(number.ToString(CultureInfo.InvariantCulture)), Encoding.ASCII.GetBytes(ciphertext));
    }

    private static string Ciphertext(WrappedKey wrapped)
    {
        var text = Encoding.ASCII.GetString(wrapped.Bytes);
        return text.StartsWith($"vault:v{wrapped.Kek.Version}:", StringComparison.Ordinal) ? text : throw VaultFaults.DoesNotOpen();
    }

    private static string Name(KeyUri key) => key.Path[(key.Path.LastIndexOf('/') + 1)..];

    private static string Mount(KeyUri key) => new Uri(key.Path).AbsolutePath.Trim('/') is var path ? path[..path.LastIndexOf('/')] : "";
}
