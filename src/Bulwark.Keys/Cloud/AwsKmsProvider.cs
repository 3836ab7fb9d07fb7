using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Keys;

/// <summary>Key-encryption keys in AWS Key Management Service.</summary>
/// <remarks>
/// Source: AWS KMS API 2014-11-01, JSON 1.1. The context goes as encryption context: <c>bulwark</c> = base64 of its SHA-256, so that CloudTrail shows which
/// file without showing more. AWS keeps every old key material and does not number versions: rotation needs no rewrap. Thread-safe.
/// </remarks>
public sealed class AwsKmsProvider : IKeyAdministration
{
    private const string Service = "AWS KMS", Login = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, and the key's policy";
    private readonly KeyUri _key;
    private readonly string _region;
    private readonly Uri _endpoint;
    private readonly KeyStoreOptions _options;
    private readonly StoreClient _client;

    private AwsKmsProvider(KeyUri key, KeyStoreOptions options)
    {
        (_key, _options, _region) = (key.Key, options, key.Path.Split(':')[3]);
        _endpoint = options.Endpoint ?? new Uri($"https://kms.{_region}.amazonaws.com/");
        _client = new StoreClient(_endpoint.Authority, options);
    }

    /// <summary>Opens the service of a key's region for that key.</summary>
    /// <param name="key"><c>aws-kms:arn:aws:kms:…</c></param>
    /// <param name="options">Where credentials come from.</param>
    public static AwsKmsProvider Open(KeyUri key, KeyStoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Scheme == "aws-kms" ? new(key, options ?? new()) : throw new ArgumentException($"{key} is no AWS KMS address.", nameof(key));
    }

    /// <inheritdoc/>
    public string Scheme => "aws-kms";

    /// <inheritdoc/>
    public bool Holds(KeyUri kek) => kek == _key;

    /// <inheritdoc/>
    public async ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(dataKey);
        using var reply = await AskAsync("Encrypt", kek, opening: false, writer =>
        {
            writer.WriteString("KeyId", kek.Path);
            writer.WriteBase64String("Plaintext", dataKey.Span);
            Bind(writer, "EncryptionContext", context);
        }, cancel).ConfigureAwait(false);
        return new WrappedKey(_key, reply.Json.Member("CiphertextBlob").GetBytesFromBase64());
    }

    /// <inheritdoc/>
    public async ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        using var reply = await AskAsync("Decrypt", wrapped.Kek, opening: true, writer =>
        {
            writer.WriteString("KeyId", _key.Path);   // or any key that we may use would do
            writer.WriteBase64String("CiphertextBlob", wrapped.Bytes);
            Bind(writer, "EncryptionContext", context);
        }, cancel).ConfigureAwait(false);
        return reply.Json.Secret("Plaintext");
    }

    /// <inheritdoc/>
    public async ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        using var reply = await AskAsync("ReEncrypt", wrapped.Kek, opening: true, writer =>
        {
            writer.WriteString("SourceKeyId", _key.Path);
            writer.WriteString("DestinationKeyId", _key.Path);
            writer.WriteBase64String("CiphertextBlob", wrapped.Bytes);
            Bind(writer, "SourceEncryptionContext", context);
            Bind(writer, "DestinationEncryptionContext", context);
        }, cancel).ConfigureAwait(false);
        return new WrappedKey(_key, reply.Json.Member("CiphertextBlob").GetBytesFromBase64());
    }

    /// <inheritdoc/>
    public async ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default)
    {
        using var reply = await AskAsync("DescribeKey", kek, opening: false, writer => writer.WriteString("KeyId", kek.Path), cancel).ConfigureAwait(false);
        var data = reply.Json.Member("KeyMetadata");
        var created = data.Optional("CreationDate") is { ValueKind: JsonValueKind.Number } seconds ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds.GetDouble() * 1000)) : (DateTimeOffset?)null;
        var state = data.Text("KeyState") switch { "Enabled" => KeyState.Enabled, "PendingDeletion" => KeyState.Destroyed, _ => KeyState.DecryptOnly };
        return new(_key, data.Text("KeySpec"), 256, $"{Service} {_region}", Extractable: false, [new(_key, state, created) { Note = "AWS numbers no versions" }]);
    }

    /// <summary>Asks for new key material now; AWS keeps the old.</summary>
    /// <inheritdoc/>
    public async ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default)
    {
        using (await AskAsync("RotateKeyOnDemand", kek, opening: false, writer => writer.WriteString("KeyId", kek.Path), cancel, repeatable: false).ConfigureAwait(false))
            return await DescribeAsync(kek, cancel).ConfigureAwait(false);
    }

    /// <summary>Not from here: AWS names a new key itself.</summary>
    /// <inheritdoc/>
    public ValueTask<KeyDescription> CreateAsync(KeyUri kek, CancellationToken cancel = default) => throw new KeyProviderException("AWS names a new key itself.", "make it by the AWS console or command line, then use its ARN", null);

    /// <summary>Not from here: AWS numbers no versions.</summary>
    /// <inheritdoc/>
    public ValueTask<KeyDescription> RetireAsync(KeyUri version, CancellationToken cancel = default) => throw new KeyProviderException("AWS KMS retires no single version.", "disable the key as a whole by the AWS console", null);

    /// <summary>Not from here: AWS deletes whole keys, after a waiting period.</summary>
    /// <inheritdoc/>
    public ValueTask<KeyDescription> DestroyAsync(KeyUri version, CancellationToken cancel = default) => throw new KeyProviderException("AWS KMS deletes whole keys, after 7 to 30 days.", "schedule it by the AWS console", null);

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _client.Dispose();

    private async Task<StoreReply> AskAsync(string action, KeyUri kek, bool opening, Action<Utf8JsonWriter> members, CancellationToken cancel, bool repeatable = true)
    {
        ArgumentNullException.ThrowIfNull(kek);
        if (!Holds(kek))
            throw opening ? CloudFaults.DoesNotOpen() : new InvalidOperationException($"{kek} is not the key that was opened: {_key}.");
        var credentials = AwsCredentials.Find(_options);
        var body = StoreJson.Body(members);
        var reply = await _client.SendAsync(HttpMethod.Post, _endpoint, body, request =>
        {
            request.Headers.TryAddWithoutValidation("X-Amz-Target", $"TrentService.{action}");
            AwsSignature.Sign(request, body, credentials, _region, "kms", _options.Time.GetUtcNow());
        }, repeatable, cancel, "application/x-amz-json-1.1").ConfigureAwait(false);
        if (reply.IsSuccess)
            return reply;
        using (reply)
        {
            var type = (reply.Json.Optional("__type")?.ToString() ?? "").Split('#')[^1];
            throw type switch
            {
                "AccessDeniedException" or "UnrecognizedClientException" or "ExpiredTokenException" or "InvalidSignatureException" or "IncompleteSignature" or "MissingAuthenticationTokenException" => new KeyProviderException($"{Service} refuses these credentials for {kek} ({type}).", Login, null),
                "NotFoundException" when !opening => new InvalidOperationException($"{Service} has no key {kek}."),
                "DisabledException" or "KMSInvalidStateException" or "KeyUnavailableException" => new KeyProviderException($"The key {kek} is disabled or being deleted.", "enable it by the AWS console", null),
                "InvalidCiphertextException" or "IncorrectKeyException" => CloudFaults.DoesNotOpen(),
                _ => CloudFaults.Of(reply, Service, kek, opening: false, Login),
            };
        }
    }

    private static void Bind(Utf8JsonWriter writer, string name, KeyContext context)
    {
        if (context.Binding.IsEmpty)
            return;
        writer.WriteStartObject(name);
        writer.WriteString("bulwark", Convert.ToBase64String(SHA256.HashData(context.Binding.Span)));
        writer.WriteEndObject();
    }
}
